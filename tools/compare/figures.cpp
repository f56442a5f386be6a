// SPDX-License-Identifier: Apache-2.0
#include "tools/compare/figures.h"

#include <fmt/format.h>

#include <cmath>

#include "sim/result/text.h"

namespace bitline::compare {
namespace {

using result::Result;
using Value = std::optional<double>;

double images(const Result& r) {
  return static_cast<double>(r.provenance.images_streamed);
}

Value ratio(std::int64_t part, std::int64_t whole) {
  if (whole == 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

Value top1(const Result& r) {
  return r.accuracy ? Value(r.accuracy->top1) : std::nullopt;
}
Value top5(const Result& r) {
  return r.accuracy ? Value(r.accuracy->top5) : std::nullopt;
}
Value float_top1(const Result& r) {
  return r.accuracy ? Value(r.accuracy->float_top1) : std::nullopt;
}
/// Over the simulated chips; the accuracy above is of the first.
Value chips_top1(const Result& r) {
  return r.device && r.device->ideal_top1 ? Value(r.device->top1().mean) : std::nullopt;
}
Value loss(const Result& r) {
  return r.accuracy ? Value(r.accuracy->float_top1 - r.accuracy->top1) : std::nullopt;
}

}  // namespace

const std::vector<Figure>& figures() {
  using enum Kind;
  using enum Better;
  static const std::vector<Figure> kFigures = {
      {"top1", "accuracy, top-1", "", share, higher, top1},
      {"top5", "accuracy, top-5", "", share, higher, top5},
      {"float_top1", "float32, top-1", "", share, neither, float_top1},
      {"top1_loss", "lost to float32", "", share, lower, loss},
      {"chips_top1", "chips' mean, top-1", "", share, higher, chips_top1},
      {"latency_image_s", "latency of an image", "s", quantity, lower,
       [](const Result& r) { return Value(r.latency.image); }},
      {"latency_interval_s", "interval", "s", quantity, lower,
       [](const Result& r) { return Value(r.latency.interval); }},
      {"throughput_ips", "throughput", "images/s", quantity, higher,
       [](const Result& r) { return Value(r.throughput_ips); }},
      {"energy_j", "energy per image", "J", quantity, lower,
       [](const Result& r) { return Value(r.energy.total); }},
      {"energy_dynamic_j", "  dynamic", "J", quantity, lower,
       [](const Result& r) { return Value(r.energy.dynamic); }},
      {"energy_static_j", "  static", "J", quantity, lower,
       [](const Result& r) { return Value(r.energy.fixed); }},
      {"edp_js", "energy x latency", "Js", quantity, lower,
       [](const Result& r) { return Value(r.energy.total * r.latency.image); }},
      {"power_w", "mean power", "W", quantity, lower, [](const Result& r) { return Value(r.power_w); }},
      {"area_mm2", "chip area", "mm2", area, lower, [](const Result& r) { return Value(r.area_mm2); }},
      {"ops", "performance", "OPS", quantity, higher, [](const Result& r) { return Value(r.tops * 1e12); }},
      {"ops_per_w", "  per watt", "OPS/W", quantity, higher,
       [](const Result& r) { return r.tops_per_w ? Value(*r.tops_per_w * 1e12) : std::nullopt; }},
      {"ops_per_mm2", "  per mm2", "OPS/mm2", quantity, higher,
       [](const Result& r) { return r.tops_per_mm2 ? Value(*r.tops_per_mm2 * 1e12) : std::nullopt; }},
      {"crossbars", "crossbars", "", count, lower,
       [](const Result& r) { return Value(static_cast<double>(r.crossbars_used)); }},
      {"cell_utilization", "cells that hold a weight", "", share, higher,
       [](const Result& r) { return Value(r.cell_utilization); }},
      {"chips", "chips", "", count, lower,
       [](const Result& r) { return Value(static_cast<double>(r.chips)); }},
      {"conversions", "conversions an image", "", count, lower,
       [](const Result& r) { return Value(static_cast<double>(r.conversions) / images(r)); }},
      {"clipped_share", "  clipped", "", share, lower,
       [](const Result& r) { return ratio(r.clipped, r.conversions); }},
      {"noc_bytes", "network bytes an image", "", count, lower,
       [](const Result& r) { return Value(static_cast<double>(r.noc.bytes)); }},
      {"noc_hop_bytes", "  hop-bytes", "", count, lower,
       [](const Result& r) { return Value(static_cast<double>(r.noc.hop_bytes)); }},
      {"macs", "multiply-adds an image", "", count, neither,
       [](const Result& r) { return Value(static_cast<double>(r.crossbar_macs + r.digital_macs)); }},
  };
  return kFigures;
}

std::string text(const Figure& figure, const std::optional<double>& value) {
  if (!value) return "-";
  switch (figure.kind) {
    case Kind::quantity:
      return result::si(*value, figure.unit);
    case Kind::area:
      return fmt::format("{:.4g} {}", *value, figure.unit);
    case Kind::count:
      return result::count(std::llround(*value));
    case Kind::share:
      return fmt::format("{:.2f} %", 100 * *value);
  }
  return "";
}

}  // namespace bitline::compare
