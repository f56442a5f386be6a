// SPDX-License-Identifier: Apache-2.0
#include "sim/result/adc_search.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "sim/result/text.h"

namespace bitline::result {
namespace {

using Json = nlohmann::ordered_json;

std::string accuracy(double share) {
  return fmt::format("{:.2f} %", 100 * share);
}

std::vector<std::string> row(const AdcSetting& s) {
  return {joined_bits(s.bits),
          accuracy(s.top1),
          fmt::format("{:.3f} %", 100 * s.clipped_share),
          si(s.energy, "J"),
          fmt::format("{:.2f} mm2", s.area),
          si(s.latency, "s"),
          s.keeps ? "yes" : "no"};
}

Table table() {
  return Table({"bits", "accuracy", "clipped", "energy", "chip area", "latency", "kept"});
}

std::string change(double from, double to) {
  return from == 0 ? "" : fmt::format("  ({:+.1f} %)", 100 * (to - from) / from);
}

std::string conclusion(const AdcSearch& search) {
  if (!search.best) return "\nNo setting keeps the accuracy; start from more bits or allow more loss\n";
  const AdcSetting& first = search.tried.front();
  const AdcSetting& best = search.tried[*search.best];
  return fmt::format("\nCheapest: {} bits, against {}\n", joined_bits(best.bits), joined_bits(first.bits)) +
         fmt::format("  accuracy   {}  ({:+.2f} points of never clipping)\n", accuracy(best.top1),
                     100 * (best.top1 - search.lossless_top1)) +
         fmt::format("  energy     {}{}\n", si(best.energy, "J"), change(first.energy, best.energy)) +
         fmt::format("  chip area  {:.2f} mm2{}\n", best.area, change(first.area, best.area)) +
         fmt::format("  latency    {}{}\n", si(best.latency, "s"), change(first.latency, best.latency));
}

Json setting(const AdcSetting& s) {
  return {{"bits", s.bits},       {"step", s.step},     {"keeps_accuracy", s.keeps},
          {"taken", s.taken},     {"top1", s.top1},     {"clipped_share", s.clipped_share},
          {"energy_j", s.energy}, {"area_mm2", s.area}, {"latency_s", s.latency},
          {"edp_js", s.edp()}};
}

}  // namespace

std::string joined_bits(const std::vector<int>& bits) {
  return fmt::format("{}", fmt::join(bits, "/"));
}

std::string report(const AdcSearch& search) {
  std::string out =
      fmt::format("Converters that never clip: {}  (float32 {}; {} images)\n\nAll slices alike\n",
                  accuracy(search.lossless_top1), accuracy(search.float_top1), count(search.images));
  Table sweep = table();
  Table steps = table();
  bool searched = false;
  for (const AdcSetting& s : search.tried) {
    if (s.step == 0) sweep.add(row(s));
    if (s.step > 0 && s.taken) steps.add(row(s));
    searched = searched || s.step > 0;
  }
  out += sweep.str();
  if (searched) {
    out += fmt::format("\nOne slice lowered at a time: least {}, at most {:g} points lost\n",
                       search.objective, search.max_loss);
    out += steps.str();
  }
  return out + conclusion(search);
}

std::string to_csv(const AdcSearch& search) {
  std::string out = "step,bits,keeps_accuracy,taken,top1,clipped_share,energy_j,area_mm2,latency_s,edp_js\n";
  for (const AdcSetting& s : search.tried)
    out += fmt::format("{},{},{},{},{},{},{},{},{},{}\n", s.step, joined_bits(s.bits), s.keeps ? 1 : 0,
                       s.taken ? 1 : 0, s.top1, s.clipped_share, s.energy, s.area, s.latency, s.edp());
  return out;
}

std::string to_json(const AdcSearch& search) {
  Json json;
  json["schema"] = kAdcSchema;
  json["network"] = search.network;
  json["arch"] = search.arch;
  json["images"] = search.images;
  json["images_streamed"] = search.images_streamed;
  json["lossless_top1"] = search.lossless_top1;
  json["float_top1"] = search.float_top1;
  json["max_loss_points"] = search.max_loss;
  json["objective"] = search.objective;
  json["slice_widths"] = search.slice_widths;
  json["settings"] = Json::array();
  for (const AdcSetting& s : search.tried) json["settings"].push_back(setting(s));
  json["best"] = search.best ? setting(search.tried[*search.best]) : Json(nullptr);
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace bitline::result
