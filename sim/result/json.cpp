// SPDX-License-Identifier: Apache-2.0
#include "sim/result/json.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "models/base/errors.h"

namespace bitline::result {
namespace {

using Json = nlohmann::ordered_json;

/// An object with room for `keys`: where an ordered one grows, it copies all that it holds.
Json object(std::size_t keys) {
  Json json = Json::object();
  json.get_ref<Json::object_t&>().reserve(keys);
  return json;
}

/// Every double passes here: JSON has no NaN or infinity, and none may hide as null.
Json number(double value) {
  BITLINE_CHECK(std::isfinite(value));
  return value;
}
Json number(const std::optional<double>& value) {
  return value ? number(*value) : Json(nullptr);
}

Json breakdown(const Breakdown& parts) {
  Json json = object(parts.size());
  for (const auto& [name, value] : parts) json[name] = number(value);
  return json;
}

Json energy(const EnergyUse& use) {
  return {{"total", number(use.total)},
          {"dynamic", number(use.dynamic)},
          {"static", number(use.fixed)},
          {"by_component", breakdown(use.by_component)}};
}

Json slice(const SliceResult& s) {
  return {{"width", s.width},
          {"nonzero_ratio", number(s.nonzero_ratio)},
          {"max_column_sum", s.max_column_sum ? Json(*s.max_column_sum) : Json(nullptr)},
          {"adc_bits", s.adc_bits},
          {"conversions", s.conversions},
          {"clipped", s.clipped}};
}

Json pruned(const Pruned& p) {
  return {{"rows_before", p.rows_before},
          {"cols_before", p.cols_before},
          {"crossbars_before", p.crossbars_before},
          {"nearly_empty",
           {{"rows", p.nearly_empty_rows},
            {"columns", p.nearly_empty_columns},
            {"weights", p.nearly_empty_weights},
            {"crossbars_without", p.crossbars_without}}}};
}

Json placement(const std::vector<TilePart>& parts) {
  Json json = {{"tiles", Json::array()}, {"crossbars", Json::array()}, {"imas", Json::array()}};
  for (const TilePart& part : parts) {
    json["tiles"].push_back(part.tile);
    json["crossbars"].push_back(part.crossbars);
    json["imas"].push_back(part.imas);
  }
  return json;
}

/// A digit of base 36 for each: two strings instead of hundreds of lines.
Json waits(const Waits& w) {
  const auto digits = [](const std::vector<int>& shares) {
    std::string text;
    for (const int share : shares) text += "0123456789abcdefghijklmnopqrstuvwxyz"[share];
    return text;
  };
  return {{"first_bin", w.first_bin}, {"input", digits(w.input)}, {"output", digits(w.output)}};
}

Json machine(const Machine& m) {
  return {{"tiles", m.tiles},
          {"mesh_width", m.mesh_width},
          {"tile_imas", m.tile_imas},
          {"ima_crossbars", m.ima_crossbars},
          {"tile_macs_per_s", number(m.tile_macs_per_s)},
          {"tile_bytes_per_s", number(m.tile_bytes_per_s)}};
}

Json layer(const LayerResult& l) {
  Json slices = Json::array();
  for (const SliceResult& s : l.slices) slices.push_back(slice(s));
  Json json = {{"name", l.name},
               {"op", l.op},
               {"crossbars", l.crossbars},
               {"replicas", l.replicas},
               {"rows", l.rows},
               {"cols", l.cols},
               {"imas", l.imas},
               {"tiles", l.tiles},
               {"cell_utilization", number(l.cell_utilization)},
               {"zero_weights", number(l.zero_weights)},
               {"slices", std::move(slices)},
               {"start_s", number(l.start)},
               {"latency_s", number(l.latency)},
               {"busy_s", number(l.busy)},
               {"stalls_s",
                {{"input", number(l.stalls.input)},
                 {"output", number(l.stalls.output)},
                 {"bus", number(l.stalls.bus)},
                 {"noc", number(l.stalls.noc)},
                 {"adc", number(l.stalls.adc)}}},
               {"energy_j", energy(l.energy)},
               {"operators", l.operators},
               {"inputs", l.inputs},
               {"macs", l.macs},
               {"bus_bytes", number(l.bus_bytes)},
               {"placement", placement(l.placement)}};
  if (l.waits) json["waits"] = waits(*l.waits);
  if (l.pruned) json["pruned"] = pruned(*l.pruned);
  return json;
}

Json part(const PartUse& p) {
  return {{"name", p.name},
          {"used", p.used},
          {"utilization", number(p.utilization)},
          {"busiest", number(p.busiest)},
          {"requests", p.requests},
          {"stalls", p.stalls},
          {"stalled_s", number(p.stalled)}};
}

Json spread(const Spread& s) {
  Json interval = nullptr;
  if (s.low) interval = {number(*s.low), number(*s.high)};
  return {{"mean", number(s.mean)}, {"deviation", number(s.deviation)}, {"ci95", std::move(interval)}};
}

Json device(const DeviceResult& d) {
  Json json;
  json["effects"] = d.effects;
  if (!d.fault_map_sha256.empty()) json["fault_map_sha256"] = d.fault_map_sha256;
  if (d.ideal_top1) {
    json["ideal_top1"] = number(d.ideal_top1);
    json["top1"] = spread(d.top1());
  }
  json["output_rms_error"] = spread(d.over(&ChipResult::output_error));
  json["column_sum_rms_error"] = spread(d.over(&ChipResult::column_sum_error));
  json["layers"] = Json::array();
  for (const auto& [name, error] : d.layers)
    json["layers"].push_back({{"name", name}, {"column_sum_rms_error", number(error)}});
  json["chips"] = Json::array();
  for (const ChipResult& c : d.chips) {
    Json chip = {{"seed", c.seed},
                 {"stuck_cells", c.stuck_cells},
                 {"column_sum_rms_error", number(c.column_sum_error)},
                 {"output_rms_error", number(c.output_error)}};
    if (c.top1) chip["top1"] = number(c.top1);
    json["chips"].push_back(std::move(chip));
  }
  return json;
}

Json provenance(const Provenance& p) {
  Json config = object(p.config.size());
  for (const Provenance::Constant& c : p.config) config[c.key] = {{"value", c.value}, {"source", c.source}};
  return {{"version", p.version},
          {"mode", p.mode},
          {"network", p.network},
          {"network_sha256", p.network_sha256},
          {"arch", p.arch},
          {"config_sha256", p.config_sha256},
          {"overrides", p.overrides},
          {"config", std::move(config)},
          {"seed", p.seed},
          {"inputs", p.inputs},
          {"calibration", p.calibration},
          {"images_streamed", p.images_streamed},
          {"images_evaluated", p.images_evaluated}};
}

Json reprogramming(const Reprogramming& r) {
  return {{"phases", r.phases},
          {"write_latency_s", number(r.time)},
          {"write_energy_j", number(r.energy)},
          {"cells_written", r.cells},
          {"weight_bytes", r.weight_bytes},
          {"stored_bytes", r.stored_bytes},
          {"writes_per_cell", r.writes_per_cell},
          {"endurance_writes", number(r.endurance)},
          {"lifetime_s", number(r.lifetime)}};
}

Json latency(const Latency& l) {
  return {{"image", number(l.image)}, {"interval", number(l.interval)}, {"total", number(l.total)}};
}

Json wall_time(const WallTime& w) {
  return {{"prepare", number(w.prepare)},
          {"values", number(w.values)},
          {"timing", number(w.timing)},
          {"total", number(w.total)}};
}

}  // namespace

std::string to_json(const Result& r) {
  constexpr std::size_t kMostKeys = 32;
  Json json = object(kMostKeys);
  json["schema"] = kSchema;
  json["latency_s"] = latency(r.latency);
  json["cycles"] = r.cycles;
  json["throughput_ips"] = number(r.throughput_ips);
  json["energy_j"] = energy(r.energy);
  json["chips"] = r.chips;
  json["area_mm2"] = {{"total", number(r.area_mm2)}, {"by_component", breakdown(r.area_by_component)}};
  json["power_w"] = number(r.power_w);
  json["macs"] = {{"crossbars", r.crossbar_macs}, {"digital", r.digital_macs}};
  json["tops"] = number(r.tops);
  json["tops_per_w"] = number(r.tops_per_w);
  json["tops_per_mm2"] = number(r.tops_per_mm2);
  json["adc"] = {{"conversions", r.conversions}, {"clipped", r.clipped}, {"gated", r.gated}};
  json["crossbars"] = {{"used", r.crossbars_used},
                       {"available", r.crossbars_available},
                       {"cell_utilization", number(r.cell_utilization)}};
  if (r.grouped)
    json["crossbars"]["grouped"] = {{"mapping", r.grouped->mapping},
                                    {"layers", r.grouped->layers},
                                    {"packed", r.grouped->packed},
                                    {"dense", r.grouped->dense},
                                    {"digital", 0}};
  json["noc"] = {{"placement", r.noc.placement},
                 {"bytes", r.noc.bytes},
                 {"hop_bytes", r.noc.hop_bytes},
                 {"between_chips", r.noc.between_chips}};
  if (r.reprogramming) json["reprogramming"] = reprogramming(*r.reprogramming);
  json["machine"] = machine(r.machine);
  json["parts"] = Json::array();
  for (const PartUse& p : r.parts) json["parts"].push_back(part(p));
  json["waits_bin_s"] = number(r.waits_bin);
  json["layers"] = Json::array();
  for (const LayerResult& l : r.layers) json["layers"].push_back(layer(l));
  if (r.estimate)
    json["estimate"] = {{"activity", r.estimate->activity},
                        {"factors", breakdown(r.estimate->factors)},
                        {"expected_error",
                         {{"latency", number(r.estimate->latency_error)},
                          {"interval", number(r.estimate->interval_error)},
                          {"energy", number(r.estimate->energy_error)}}}};
  if (r.accuracy) {
    json["accuracy"] = {{"top1", number(r.accuracy->top1)},
                        {"top5", number(r.accuracy->top5)},
                        {"float_top1", number(r.accuracy->float_top1)},
                        {"images", r.accuracy->images}};
    if (!r.accuracy->confusion.empty()) json["accuracy"]["confusion"] = r.accuracy->confusion;
  }
  if (r.device) json["device"] = device(*r.device);
  json["provenance"] = provenance(r.provenance);
  json["wall_time_s"] = wall_time(r.wall_time);
  // A file name may hold any bytes; JSON holds UTF-8 only.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace bitline::result
