// SPDX-License-Identifier: Apache-2.0
#include "sim/result/csv.h"

#include <fmt/format.h>

#include <iterator>

namespace bitline::result {
namespace {

double find(const Breakdown& parts, const std::string& name) {
  for (const auto& [key, value] : parts)
    if (key == name) return value;
  return 0.0;
}

/// An empty cell where there is none.
template <class T>
std::string optional(const std::optional<T>& value) {
  return value ? fmt::format("{}", *value) : "";
}

}  // namespace

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string layers_csv(const Result& r) {
  std::string out =
      "name,op,crossbars,replicas,rows,cols,imas,tiles,cell_utilization,adc_bits,conversions,clipped,start_s,"
      "latency_s,busy_s,stall_input_s,stall_output_s,stall_bus_s,stall_noc_s,stall_adc_s,macs,bus_bytes,"
      "energy_j,dynamic_j,"
      "static_j";
  auto to = std::back_inserter(out);
  for (const auto& [name, value] : r.energy.by_component) fmt::format_to(to, ",{}", csv_cell(name + "_j"));
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
                   csv_cell(l.name), l.op, l.crossbars, l.replicas, l.rows, l.cols, l.imas, l.tiles,
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
    fmt::format_to(to, "{},{},{}\n", csv_cell(name), energy, find(r.area_by_component, name));
  for (const auto& [name, area] : r.area_by_component) {
    bool listed = false;
    for (const auto& part : r.energy.by_component) listed = listed || part.first == name;
    if (!listed) fmt::format_to(to, "{},0,{}\n", csv_cell(name), area);
  }
  fmt::format_to(to, "total,{},{}\n", r.energy.total, r.area_mm2);
  return out;
}

std::string chips_csv(const DeviceResult& device) {
  std::string out = "seed,stuck_cells,column_sum_rms_error,output_rms_error,top1\n";
  for (const ChipResult& c : device.chips)
    fmt::format_to(std::back_inserter(out), "{},{},{},{},{}\n", c.seed, c.stuck_cells, c.column_sum_error,
                   c.output_error, optional(c.top1));
  return out;
}

std::string slices_csv(const Result& r) {
  std::string out = "layer,slice,width,nonzero_ratio,max_column_sum,adc_bits,conversions,clipped\n";
  for (const LayerResult& l : r.layers)
    for (std::size_t s = 0; s < l.slices.size(); ++s) {
      const SliceResult& slice = l.slices[s];
      fmt::format_to(std::back_inserter(out), "{},{},{},{},{},{},{},{}\n", csv_cell(l.name), s, slice.width,
                     optional(slice.nonzero_ratio), optional(slice.max_column_sum), slice.adc_bits,
                     slice.conversions, slice.clipped);
    }
  return out;
}

std::string parts_csv(const Result& r) {
  std::string out = "part,used,utilization,busiest,requests,stalls,stalled_s\n";
  for (const PartUse& p : r.parts)
    fmt::format_to(std::back_inserter(out), "{},{},{},{},{},{},{}\n", csv_cell(p.name), p.used, p.utilization,
                   p.busiest, p.requests, p.stalls, p.stalled);
  return out;
}

std::string config_csv(const Result& r) {
  std::string out = "key,value,source\n";
  for (const Provenance::Constant& c : r.provenance.config)
    out += csv_cell(c.key) + "," + csv_cell(c.value) + "," + csv_cell(c.source) + "\n";
  return out;
}

std::string confusion_csv(const Result& r) {
  std::string out = "label,predicted,images\n";
  if (!r.accuracy) return out;
  const auto& matrix = r.accuracy->confusion;
  for (std::size_t label = 0; label < matrix.size(); ++label)
    for (std::size_t predicted = 0; predicted < matrix[label].size(); ++predicted)
      if (matrix[label][predicted] != 0)
        fmt::format_to(std::back_inserter(out), "{},{},{}\n", label, predicted, matrix[label][predicted]);
  return out;
}

std::vector<NamedTable> csv_tables(const Result& r) {
  std::vector<NamedTable> tables = {{"layers.csv", layers_csv(r)},
                                    {"components.csv", components_csv(r)},
                                    {"slices.csv", slices_csv(r)},
                                    {"config.csv", config_csv(r)}};
  if (!r.parts.empty()) tables.push_back({"parts.csv", parts_csv(r)});
  if (r.accuracy && !r.accuracy->confusion.empty()) tables.push_back({"confusion.csv", confusion_csv(r)});
  if (r.device) tables.push_back({"chips.csv", chips_csv(*r.device)});
  return tables;
}

}  // namespace bitline::result
