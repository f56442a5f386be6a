// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "tools/lut/lut.h"

namespace bitline::lut {
namespace {

using Json = nlohmann::ordered_json;

double edp(const PartCost& cost) {
  return cost.energy * cost.latency;
}

Json row_json(const Row& row) {
  const PartCost& c = row.cost;
  return {{"part", row.part},
          {"stride", row.stride},
          {"channels_in", row.channels_in},
          {"channels_out", row.channels_out},
          {"resolution", row.resolution},
          {"latency_s", c.latency},
          {"interval_s", c.interval},
          {"delay_s", c.delay},
          {"energy_j", c.energy},
          {"edp_js", edp(c)},
          {"crossbars", c.crossbars},
          {"area_mm2", c.area}};
}

Json rows_json(const std::vector<Row>& rows) {
  Json list = Json::array();
  for (const Row& row : rows) list.push_back(row_json(row));
  return list;
}

Json network_json(const Table& table) {
  Json cells = Json::array();
  for (const CellParts& parts : table.cells)
    cells.push_back({{"reduction", parts.cell.reduction},
                     {"channels", parts.cell.channels},
                     {"resolution", parts.cell.resolution},
                     {"preprocess0", parts.preprocess0},
                     {"preprocess1", parts.preprocess1},
                     {"add", parts.add},
                     {"concat", parts.concat}});
  return {{"layers", table.network->layers},
          {"channels", table.network->channels},
          {"classes", table.network->classes},
          {"resolution", table.network->resolution},
          {"stem", table.stem},
          {"classifier", table.classifier},
          {"cells", std::move(cells)}};
}

}  // namespace

Json table_json(const Table& table) {
  Json json = {{"schema", kSchema},
               {"space", "darts"},
               {"primitives", workloads::darts_operations()},
               {"version", table.version},
               {"arch", table.arch},
               {"config_sha256", table.config_sha256},
               {"overrides", table.overrides},
               {"activity", Json::object()},
               {"chip",
                {{"area_mm2", table.chip_area},
                 {"static_power_w", table.static_power},
                 {"crossbars", table.chip_crossbars}}},
               {"operations", rows_json(table.operations)}};
  for (const auto& [name, value] : table.activity) json["activity"][name] = value;
  if (!table.network) return json;
  json["fixed"] = rows_json(table.fixed);
  json["network"] = network_json(table);
  return json;
}

std::string table_csv(const Table& table) {
  std::string csv =
      "kind,part,stride,channels_in,channels_out,resolution,latency_s,interval_s,delay_s,energy_j,edp_js,"
      "crossbars,area_mm2\n";
  const auto add = [&](const char* kind, const std::vector<Row>& rows) {
    for (const Row& r : rows)
      csv += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{}\n", kind, r.part, r.stride, r.channels_in,
                         r.channels_out, r.resolution, r.cost.latency, r.cost.interval, r.cost.delay,
                         r.cost.energy, edp(r.cost), r.cost.crossbars, r.cost.area);
  };
  add("operation", table.operations);
  add("fixed", table.fixed);
  return csv;
}

}  // namespace bitline::lut
