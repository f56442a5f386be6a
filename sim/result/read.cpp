// SPDX-License-Identifier: Apache-2.0
#include "sim/result/read.h"

#include <filesystem>
#include <system_error>

#include "models/base/files.h"
#include "sim/result/json_reader.h"

namespace bitline::result {
namespace {

/// A confusion matrix of 1000 classes and a thousand layers take a few MiB.
constexpr std::int64_t kLargestFile = std::int64_t{256} << 20;
/// Of a file that is something else altogether, the first tell enough.
constexpr std::size_t kMostProblems = 10;

// Defined after the functions that they call.
template <class T>
void read_list(const Reader& at, std::vector<T>& list);
template <class T>
void read_optional(const Reader& at, std::optional<T>& value);

void read(const Reader& at, Latency& l) {
  at["image"].to(l.image);
  at["interval"].to(l.interval);
  at["total"].to(l.total);
}

void read(const Reader& at, EnergyUse& e) {
  at["total"].to(e.total);
  at["dynamic"].to(e.dynamic);
  at["static"].to(e.fixed);
  at["by_component"].to(e.by_component);
}

void read(const Reader& at, SliceResult& s) {
  at["width"].to(s.width);
  at["nonzero_ratio"].to(s.nonzero_ratio);
  at["max_column_sum"].to(s.max_column_sum);
  at["adc_bits"].to(s.adc_bits);
  at["conversions"].to(s.conversions);
  at["clipped"].to(s.clipped);
}

void read(const Reader& at, Pruned& p) {
  at["rows_before"].to(p.rows_before);
  at["cols_before"].to(p.cols_before);
  at["crossbars_before"].to(p.crossbars_before);
  const Reader few = at["nearly_empty"];
  few["rows"].to(p.nearly_empty_rows);
  few["columns"].to(p.nearly_empty_columns);
  few["weights"].to(p.nearly_empty_weights);
  few["crossbars_without"].to(p.crossbars_without);
}

/// Where a layer lies: three columns.
void read(const Reader& at, std::vector<TilePart>& parts) {
  std::vector<int> tiles;
  std::vector<std::int64_t> crossbars, imas;
  at["tiles"].to(tiles);
  at["crossbars"].to(crossbars);
  at["imas"].to(imas);
  if (crossbars.size() != tiles.size() || imas.size() != tiles.size())
    return at.refuse("as many crossbars and imas as tiles");
  for (std::size_t i = 0; i < tiles.size(); ++i) parts.push_back({tiles[i], crossbars[i], imas[i]});
}

std::vector<int> digits(const Reader& at) {
  std::string text;
  at.to(text);
  std::vector<int> shares;
  for (const char c : text) {
    const bool letter = c >= 'a' && c <= 'z';
    if (!letter && (c < '0' || c > '9')) at.refuse("digits of base 36: 0 to 9, a to z");
    shares.push_back(letter ? c - 'a' + 10 : c - '0');
  }
  return shares;
}

void read(const Reader& at, Waits& w) {
  at["first_bin"].to(w.first_bin);
  w.input = digits(at["input"]);
  w.output = digits(at["output"]);
  if (w.input.size() != w.output.size()) at.refuse("as many digits of input as of output");
}

void read(const Reader& at, Machine& m) {
  at["tiles"].to(m.tiles);
  at["mesh_width"].to(m.mesh_width);
  at["tile_imas"].to(m.tile_imas);
  at["ima_crossbars"].to(m.ima_crossbars);
  at["tile_macs_per_s"].to(m.tile_macs_per_s);
  at["tile_bytes_per_s"].to(m.tile_bytes_per_s);
}

/// What version 0.1.0 wrote only later: where and when. Absent from its older results.
void read_map(const Reader& at, LayerResult& l) {
  if (const Reader operators = at.find("operators")) operators.to(l.operators);
  if (const Reader inputs = at.find("inputs")) inputs.to(l.inputs);
  if (const Reader macs = at.find("macs")) macs.to(l.macs);
  if (const Reader bytes = at.find("bus_bytes")) bytes.to(l.bus_bytes);
  if (const Reader placement = at.find("placement")) read(placement, l.placement);
  read_optional(at.find("waits"), l.waits);
}

void read(const Reader& at, LayerResult& l) {
  at["name"].to(l.name);
  at["op"].to(l.op);
  at["crossbars"].to(l.crossbars);
  at["replicas"].to(l.replicas);
  at["rows"].to(l.rows);
  at["cols"].to(l.cols);
  at["imas"].to(l.imas);
  at["tiles"].to(l.tiles);
  at["cell_utilization"].to(l.cell_utilization);
  at["zero_weights"].to(l.zero_weights);
  read_optional(at.find("pruned"), l.pruned);
  read_list(at["slices"], l.slices);
  at["start_s"].to(l.start);
  at["latency_s"].to(l.latency);
  at["busy_s"].to(l.busy);
  const Reader stalls = at["stalls_s"];
  stalls["input"].to(l.stalls.input);
  stalls["output"].to(l.stalls.output);
  stalls["bus"].to(l.stalls.bus);
  stalls["noc"].to(l.stalls.noc);
  stalls["adc"].to(l.stalls.adc);
  read(at["energy_j"], l.energy);
  read_map(at, l);
}

void read(const Reader& at, PartUse& p) {
  at["name"].to(p.name);
  at["used"].to(p.used);
  at["utilization"].to(p.utilization);
  at["busiest"].to(p.busiest);
  at["requests"].to(p.requests);
  at["stalls"].to(p.stalls);
  at["stalled_s"].to(p.stalled);
}

void read(const Reader& at, Grouped& g) {
  at["mapping"].to(g.mapping);
  at["layers"].to(g.layers);
  at["packed"].to(g.packed);
  at["dense"].to(g.dense);
}

void read(const Reader& at, NocTraffic& n) {
  at["placement"].to(n.placement);
  at["bytes"].to(n.bytes);
  at["hop_bytes"].to(n.hop_bytes);
  at["between_chips"].to(n.between_chips);
}

void read(const Reader& at, Reprogramming& r) {
  at["phases"].to(r.phases);
  at["write_latency_s"].to(r.time);
  at["write_energy_j"].to(r.energy);
  at["cells_written"].to(r.cells);
  at["weight_bytes"].to(r.weight_bytes);
  at["stored_bytes"].to(r.stored_bytes);
  at["writes_per_cell"].to(r.writes_per_cell);
  at["endurance_writes"].to(r.endurance);
  at["lifetime_s"].to(r.lifetime);
}

void read(const Reader& at, Estimate& e) {
  at["activity"].to(e.activity);
  at["factors"].to(e.factors);
  const Reader error = at["expected_error"];
  error["latency"].to(e.latency_error);
  error["interval"].to(e.interval_error);
  error["energy"].to(e.energy_error);
}

void read(const Reader& at, Accuracy& a) {
  at["top1"].to(a.top1);
  at["top5"].to(a.top5);
  at["float_top1"].to(a.float_top1);
  at["images"].to(a.images);
  if (const Reader confusion = at.find("confusion")) confusion.to(a.confusion);
}

void read(const Reader& at, ChipResult& c) {
  at["seed"].to(c.seed);
  at["stuck_cells"].to(c.stuck_cells);
  at["column_sum_rms_error"].to(c.column_sum_error);
  at["output_rms_error"].to(c.output_error);
  at.find("top1").to(c.top1);
}

/// The spreads follow from the chips.
void read(const Reader& at, DeviceResult& d) {
  at["effects"].to(d.effects);
  if (const Reader map = at.find("fault_map_sha256")) map.to(d.fault_map_sha256);
  at.find("ideal_top1").to(d.ideal_top1);
  at["layers"].each([&](const Reader& item) {
    auto& [name, error] = d.layers.emplace_back();
    item["name"].to(name);
    item["column_sum_rms_error"].to(error);
  });
  read_list(at["chips"], d.chips);
}

void read(const Reader& at, Provenance& p) {
  at["version"].to(p.version);
  at["mode"].to(p.mode);
  at["network"].to(p.network);
  at["network_sha256"].to(p.network_sha256);
  at["arch"].to(p.arch);
  at["config_sha256"].to(p.config_sha256);
  at["overrides"].to(p.overrides);
  at["config"].members([&](const std::string& key, const Reader& constant) {
    Provenance::Constant& c = p.config.emplace_back();
    c.key = key;
    constant["value"].to(c.value);
    constant["source"].to(c.source);
  });
  at["seed"].to(p.seed);
  at["inputs"].to(p.inputs);
  at["calibration"].to(p.calibration);
  at["images_streamed"].to(p.images_streamed);
  at["images_evaluated"].to(p.images_evaluated);
}

void read(const Reader& at, WallTime& w) {
  at["prepare"].to(w.prepare);
  at["values"].to(w.values);
  at["timing"].to(w.timing);
  at["total"].to(w.total);
}

/// Calls read() on every item of a list.
template <class T>
void read_list(const Reader& at, std::vector<T>& list) {
  at.each([&](const Reader& item) { read(item, list.emplace_back()); });
}

/// Calls read() where the place is there.
template <class T>
void read_optional(const Reader& at, std::optional<T>& value) {
  if (at) read(at, value.emplace());
}

void read(const Reader& at, Result& r) {
  read(at["latency_s"], r.latency);
  at["cycles"].to(r.cycles);
  at["throughput_ips"].to(r.throughput_ips);
  read(at["energy_j"], r.energy);
  at["chips"].to(r.chips);
  at["area_mm2"]["total"].to(r.area_mm2);
  at["area_mm2"]["by_component"].to(r.area_by_component);
  at["power_w"].to(r.power_w);
  at["macs"]["crossbars"].to(r.crossbar_macs);
  at["macs"]["digital"].to(r.digital_macs);
  at["tops"].to(r.tops);
  at["tops_per_w"].to(r.tops_per_w);
  at["tops_per_mm2"].to(r.tops_per_mm2);
  at["adc"]["conversions"].to(r.conversions);
  at["adc"]["clipped"].to(r.clipped);
  if (const Reader gated = at["adc"].find("gated")) gated.to(r.gated);  // absent from older results
  const Reader crossbars = at["crossbars"];
  crossbars["used"].to(r.crossbars_used);
  crossbars["available"].to(r.crossbars_available);
  crossbars["cell_utilization"].to(r.cell_utilization);
  read_optional(crossbars.find("grouped"), r.grouped);
  read(at["noc"], r.noc);
  read_optional(at.find("reprogramming"), r.reprogramming);
  if (const Reader machine = at.find("machine")) read(machine, r.machine);
  read_list(at["parts"], r.parts);
  at.find("waits_bin_s").to(r.waits_bin);
  read_list(at["layers"], r.layers);
  read_optional(at.find("estimate"), r.estimate);
  read_optional(at.find("accuracy"), r.accuracy);
  read_optional(at.find("device"), r.device);
  read(at["provenance"], r.provenance);
  read(at["wall_time_s"], r.wall_time);
}

Json parsed(std::string_view text, const std::string& where) {
  try {
    return Json::parse(text);
  } catch (const Json::exception& error) {
    const std::string_view what(error.what());
    throw base::UsageError(base::Problem{where, "is no JSON: " + std::string(what.substr(what.find(']') + 1)),
                                         "a result.json of bitline run", ""});
  }
}

void check_schema(const Json& json, const std::string& where) {
  const auto found = json.is_object() ? json.find("schema") : json.end();
  const bool named = json.is_object() && found != json.end() && found->is_string();
  if (named && *found == kSchema) return;
  throw base::UsageError(base::Problem{
      where, named ? "has the schema '" + found->get<std::string>() + "'" : "has no schema, so is no result",
      kSchema, "write it with bitline run --out"});
}

}  // namespace

Result from_json(std::string_view text, const std::string& where) {
  const Json json = parsed(text, where);
  check_schema(json, where);
  Faults faults{where, {}};
  Result result;
  read(Reader(&json, "", faults), result);
  if (faults.problems.size() > kMostProblems) faults.problems.resize(kMostProblems);
  if (!faults.problems.empty()) throw base::UsageError(std::move(faults.problems));
  return result;
}

std::string result_file(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) return path;
  return (std::filesystem::path(path) / "result.json").string();
}

Result read_result(const std::string& path) {
  const std::string file = result_file(path);
  std::error_code error;
  if (!std::filesystem::exists(file, error))
    throw base::UsageError(base::Problem{path, file == path ? "does not exist" : "has no result.json",
                                         "a result.json, or the folder of a run's --out",
                                         "make one with bitline run --out"});
  return from_json(base::read_file(file, kLargestFile), file);
}

}  // namespace bitline::result
