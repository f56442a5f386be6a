// SPDX-License-Identifier: Apache-2.0
#include "sim/result/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "sim/result/text.h"

namespace bitline::result {
namespace {

std::string line(std::string_view label, std::string_view value) {
  return fmt::format("  {:<20}{}\n", label, value);
}

std::string images(std::int64_t n) {
  return n == 1 ? "1 image" : count(n) + " images";
}

std::string ratio(double part, double whole) {
  return percent(whole > 0.0 ? part / whole : 0.0);
}

std::string header(const Provenance& p) {
  constexpr std::size_t kNameWidth = kReportWidth - 22;
  std::string out =
      line("network", shortened(std::filesystem::path(p.network).filename().string(), kNameWidth));
  out += line("machine", shortened(std::filesystem::path(p.arch).filename().string(), kNameWidth));
  if (!p.overrides.empty()) out += line("overrides", fmt::format("{} by --set", p.overrides.size()));
  if (p.inputs == "none") return out + line("mode", p.mode + "; no values");
  out += line("mode", fmt::format("{}; {} input, calibrated on {}", p.mode, p.inputs,
                                  p.calibration == "given" ? "given samples" : p.calibration));
  return out;
}

std::string accuracy(const Accuracy& a) {
  return line("accuracy, top-1", fmt::format("{:.2f} %  (float32 {:.2f} %; {})", 100 * a.top1,
                                             100 * a.float_top1, images(a.images))) +
         line("accuracy, top-5", fmt::format("{:.2f} %", 100 * a.top5));
}

std::string chips(std::size_t n) {
  return n == 1 ? "1 chip" : count(static_cast<std::int64_t>(n)) + " chips";
}

/// "97.31 +- 0.42 %": the mean and half its confidence interval.
std::string with_interval(const Spread& s) {
  if (!s.low) return fmt::format("{:.2f} %", 100 * s.mean);
  return fmt::format("{:.2f} +- {:.2f} %", 100 * s.mean, 100 * (*s.high - s.mean));
}

std::string device(const DeviceResult& d) {
  std::string effects;
  for (const std::string& key : d.effects) {
    const std::string_view name(key);
    effects += effects.empty() ? "" : ", ";
    effects += name.starts_with("device.") ? name.substr(7) : name;
  }
  std::string out = line("not ideal", shortened(effects, kReportWidth - 22));
  if (d.ideal_top1) {
    out += line("  ideal, top-1", fmt::format("{:.2f} %", 100 * *d.ideal_top1));
    out += line("  chips, top-1", fmt::format("{}  ({})", with_interval(d.top1()), chips(d.chips.size())));
  }
  out += line("  outputs", fmt::format("{} rms error of the ideal outputs' rms",
                                       with_interval(d.over(&ChipResult::output_error))));
  out += line("  column sums", fmt::format("{:.4g} rms error, in steps of a level",
                                           d.over(&ChipResult::column_sum_error).mean));
  return out;
}

std::string time_lines(const Result& r) {
  const std::int64_t streamed = r.provenance.images_streamed;
  std::string out =
      line("latency of an image", si(r.latency.image, "s") + (streamed > 1 ? "  (the first)" : ""));
  if (streamed > 1) {
    out += line("interval", si(r.latency.interval, "s") +
                                (r.reprogramming ? "  (total / images)" : "  (mean between ends of images)"));
    out += line("total", fmt::format("{}  for {}", si(r.latency.total, "s"), images(streamed)));
  }
  out += line("cycles", count(r.cycles) + "  of chip.clock");
  out += line("throughput", si(r.throughput_ips, "images/s") +
                                (streamed > 1 ? "" : "  (one after another; --batch N streams)"));
  return out;
}

/// A duration that may be years.
std::string lifetime(double seconds) {
  constexpr double kDay = 86400, kYear = 365 * kDay;
  if (seconds >= kYear) return fmt::format("{:.4g} years", seconds / kYear);
  return seconds >= kDay ? fmt::format("{:.4g} days", seconds / kDay) : si(seconds, "s");
}

std::string reprogramming(const Reprogramming& r, std::int64_t streamed) {
  std::string out = line("phases", fmt::format("{}; {} stored for later phases", r.phases,
                                               count(r.stored_bytes) + " B an image"));
  out += line("writing", fmt::format("{}, {}, {} cells  (once for {})", si(r.time, "s"), si(r.energy, "J"),
                                     count(r.cells), images(streamed)));
  return out + line("wear", fmt::format("{} writes of a cell, {:.4g} make it last {}", r.writes_per_cell,
                                        r.endurance, lifetime(r.lifetime)));
}

std::string cost_lines(const Result& r) {
  std::string out =
      line("energy per image", fmt::format("{}  (dynamic {}, static {})", si(r.energy.total, "J"),
                                           si(r.energy.dynamic, "J"), si(r.energy.fixed, "J")));
  out += line("mean power", si(r.power_w, "W"));
  out += line("chip area", fmt::format("{:.4g} mm2", r.area_mm2) +
                               (r.chips > 1 ? fmt::format("  ({} chips, {} B an image between them)", r.chips,
                                                          count(r.noc.between_chips))
                                            : ""));
  std::string performance = si(r.tops * 1e12, "OPS");
  if (r.tops_per_w) performance += ", " + si(*r.tops_per_w * 1e12, "OPS/W");
  if (r.tops_per_mm2) performance += ", " + si(*r.tops_per_mm2 * 1e12, "OPS/mm2");
  out += line("performance", performance + "  (2 per MAC)");
  if (r.digital_macs > 0)
    out += line("multiply-adds", fmt::format("{} an image on crossbars, {} ({}) on digital units",
                                             count(r.crossbar_macs), count(r.digital_macs),
                                             percent(static_cast<double>(r.digital_macs) /
                                                     static_cast<double>(r.crossbar_macs + r.digital_macs))));
  const std::string of = r.reprogramming ? fmt::format("in {} phases on {}", r.reprogramming->phases,
                                                       count(r.crossbars_available))
                                         : fmt::format("of {} used", count(r.crossbars_available));
  out += line("crossbars", fmt::format("{} {}, {} of their cells", count(r.crossbars_used), of,
                                       percent(r.cell_utilization)));
  out += line("network on chip", fmt::format("{} B an image, {} hop-bytes  ({})", count(r.noc.bytes),
                                             count(r.noc.hop_bytes), r.noc.placement));
  if (r.grouped)
    out += line("grouped layers",
                fmt::format("{}, {}; crossbars: packed {}, dense {}, digital 0", r.grouped->layers,
                            r.grouped->mapping, count(r.grouped->packed), count(r.grouped->dense)));
  if (r.reprogramming) out += reprogramming(*r.reprogramming, r.provenance.images_streamed);
  const std::string gated = r.gated > 0 ? fmt::format(", {} gated", count(r.gated)) : "";
  out += line("ADC conversions", fmt::format("{}, {} clipped{}  ({})", count(r.conversions), count(r.clipped),
                                             gated, images(r.provenance.images_streamed)));
  return out;
}

double find(const Breakdown& parts, const std::string& name) {
  for (const auto& [key, value] : parts)
    if (key == name) return value;
  return 0.0;
}

std::string components(const Result& r) {
  Breakdown all = r.energy.by_component;
  for (const auto& area : r.area_by_component) {
    const bool listed =
        std::any_of(all.begin(), all.end(), [&](const auto& part) { return part.first == area.first; });
    if (!listed) all.emplace_back(area.first, 0.0);
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  Table table({"component", "energy/image", "share", "area mm2", "share"});
  for (const auto& [name, energy] : all) {
    const double area = find(r.area_by_component, name);
    table.add({name, si(energy, "J"), ratio(energy, r.energy.total), fmt::format("{:.4g}", area),
               ratio(area, r.area_mm2)});
  }
  table.add({"total", si(r.energy.total, "J"), ratio(r.energy.total, r.energy.total),
             fmt::format("{:.4g}", r.area_mm2), ratio(r.area_mm2, r.area_mm2)});
  return table.str();
}

/// "8" or "1/3/3/3": of each slice, most significant first; long lists as a range.
std::string adc_bits(const LayerResult& layer) {
  if (layer.slices.empty()) return "-";
  const auto [low, high] =
      std::minmax_element(layer.slices.begin(), layer.slices.end(),
                          [](const auto& a, const auto& b) { return a.adc_bits < b.adc_bits; });
  if (low->adc_bits == high->adc_bits) return std::to_string(low->adc_bits);
  if (layer.slices.size() > 4) return fmt::format("{}-{}", low->adc_bits, high->adc_bits);
  std::string out;
  for (const SliceResult& s : layer.slices) out += fmt::format("{}{}", out.empty() ? "" : "/", s.adc_bits);
  return out;
}

std::string layers(const Result& r) {
  Table table({"layer", "op", "xbars", "ADC b", "latency", "stalled", "energy", "share"}, 2);
  for (const LayerResult& l : r.layers) {
    table.add({l.name, shortened(l.op, 9), l.crossbars > 0 ? std::to_string(l.crossbars) : "-", adc_bits(l),
               si(l.latency, "s"), si(l.stalls.input + l.stalls.output, "s"), si(l.energy.total, "J"),
               ratio(l.energy.total, r.energy.total)});
  }
  return table.str();
}

/// Those that did anything.
std::string parts(const Result& r) {
  Table table({"part", "used", "mean", "busiest", "requests", "stalled"}, 1);
  for (const PartUse& p : r.parts) {
    if (p.requests == 0) continue;
    table.add({p.name, std::to_string(p.used), ratio(p.utilization, 1.0), ratio(p.busiest, 1.0),
               std::to_string(p.requests),
               ratio(static_cast<double>(p.stalls), static_cast<double>(p.requests))});
  }
  return table.str();
}

}  // namespace

std::string report(const Result& r) {
  std::string out = fmt::format("Bitline {}\n{}", r.provenance.version, header(r.provenance));
  out += "\nSummary\n";
  if (r.accuracy) out += accuracy(*r.accuracy);
  if (r.device) out += device(*r.device);
  out += time_lines(r) + cost_lines(r);
  out += "\nComponents\n" + components(r);
  if (!r.parts.empty())
    out += "\nContended parts (busy share of the run; stalled: requests that waited)\n" + parts(r);
  out += "\nLayers (latency: first activity to last output; stalled: for input or space)\n" + layers(r);
  return out;
}

}  // namespace bitline::result
