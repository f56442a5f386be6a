// SPDX-License-Identifier: Apache-2.0
#include "sim/result/csv.h"

#include <fmt/format.h>

#include <iterator>

namespace bitline::result {
namespace {

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

double find(const Breakdown& parts, const std::string& name) {
  for (const auto& [key, value] : parts)
    if (key == name) return value;
  return 0.0;
}

}  // namespace

std::string layers_csv(const Result& r) {
  std::string out =
      "name,op,crossbars,replicas,rows,cols,imas,tiles,cell_utilization,adc_bits,conversions,clipped,start_s,"
      "latency_s,busy_s,stall_input_s,stall_output_s,stall_bus_s,stall_noc_s,stall_adc_s,macs,bus_bytes,"
      "energy_j,dynamic_j,"
      "static_j";
  auto to = std::back_inserter(out);
  for (const auto& [name, value] : r.energy.by_component) fmt::format_to(to, ",{}", quoted(name + "_j"));
  out += "\n";
  for (const LayerResult& l : r.layers) {
    std::string bits;
    std::int64_t conversions = 0;
    std::int64_t clipped = 0;
    for (const SliceResult& s : l.slices) {
      bits += fmt::format("{}{}", bits.empty() ? "" : "/", s.adc_bits);
      conversions += s.conversions;
      clipped += s.clipped;
    }
    fmt::format_to(to, "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}",
                   quoted(l.name), l.op, l.crossbars, l.replicas, l.rows, l.cols, l.imas, l.tiles,
                   l.cell_utilization, bits, conversions, clipped, l.start, l.latency, l.busy, l.stalls.input,
                   l.stalls.output, l.stalls.bus, l.stalls.noc, l.stalls.adc, l.macs, l.bus_bytes,
                   l.energy.total, l.energy.dynamic, l.energy.fixed);
    for (const auto& part : r.energy.by_component)
      fmt::format_to(to, ",{}", find(l.energy.by_component, part.first));
    out += "\n";
  }
  return out;
}

std::string components_csv(const Result& r) {
  std::string out = "component,energy_j,area_mm2\n";
  auto to = std::back_inserter(out);
  for (const auto& [name, energy] : r.energy.by_component)
    fmt::format_to(to, "{},{},{}\n", quoted(name), energy, find(r.area_by_component, name));
  for (const auto& [name, area] : r.area_by_component) {
    bool listed = false;
    for (const auto& part : r.energy.by_component) listed = listed || part.first == name;
    if (!listed) fmt::format_to(to, "{},0,{}\n", quoted(name), area);
  }
  fmt::format_to(to, "total,{},{}\n", r.energy.total, r.area_mm2);
  return out;
}

std::string chips_csv(const DeviceResult& device) {
  std::string out = "seed,stuck_cells,column_sum_rms_error,output_rms_error,top1\n";
  for (const ChipResult& c : device.chips)
    fmt::format_to(std::back_inserter(out), "{},{},{},{},{}\n", c.seed, c.stuck_cells, c.column_sum_error,
                   c.output_error, c.top1 ? fmt::format("{}", *c.top1) : "");
  return out;
}

}  // namespace bitline::result
