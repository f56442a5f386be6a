// SPDX-License-Identifier: Apache-2.0
#include "tools/lut/lut.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "models/arch/arch_loader.h"
#include "models/base/errors.h"
#include "sim/result/result.h"
#include "sim/result/sha256.h"
#include "tools/lut/measure.h"

namespace bitline::lut {
namespace {

using workloads::DartsCell;
using workloads::DartsPart;
using workloads::DartsPartKind;

constexpr std::int64_t kImageChannels = 3;
constexpr std::int64_t kMostChannels = 65536, kMostResolution = 4096;

void check_copies(const arch::Arch& machine) {
  const arch::MappingParams& mapping = machine.mapping;
  const bool alike = mapping.replication == arch::Replication::none ||
                     (mapping.replication == arch::Replication::per_layer && mapping.replicas.size() == 1);
  if (alike) return;
  throw base::UsageError({"mapping.replication", "gives each layer its own number of copies",
                          "none, or per_layer with one number: a row of a table knows no other layers",
                          "--set mapping.replication=none"});
}

void check_sizes(const Request& request) {
  std::vector<base::Problem> problems;
  const auto check = [&](const char* what, std::int64_t value, std::int64_t factor, std::int64_t most) {
    if (value < 1 || value > most || value % factor != 0)
      problems.push_back({fmt::format("--{}", what), std::to_string(value),
                          fmt::format("a multiple of {} up to {}", factor, most), ""});
  };
  if (request.network) {
    check("layers", request.network->layers, 1, 1000);
    check("channels", request.network->channels, 1, kMostChannels);
    check("resolution", request.network->resolution, 4, kMostResolution);
    check("classes", request.network->classes, 1, kMostChannels);
  } else {
    if (request.channels.empty() || request.resolutions.empty())
      problems.push_back({"--channels, --resolution", "is missing", "at least one number each", ""});
    // FactorizedReduce makes half of the channels twice.
    for (const std::int64_t c : request.channels) check("channels", c, 2, kMostChannels);
    for (const std::int64_t r : request.resolutions) check("resolution", r, 2, kMostResolution);
  }
  if (!problems.empty()) throw base::UsageError(std::move(problems));
}

class Maker {
 public:
  Maker(const arch::LoadedArch& machine, const analytic::ActivityFactors& activity)
      : measure_(machine, activity) {}

  /// All operations of this shape, once.
  void add_operations(std::int64_t stride, std::int64_t channels, std::int64_t resolution) {
    for (const std::string& name : workloads::darts_operations()) {
      Row row{name, stride, channels, channels, resolution, {}};
      if (find(table_.operations, row) < table_.operations.size()) continue;
      // An edge that is not there, or whose ends are one.
      if (name != "none" && !(name == "skip_connect" && stride == 1))
        row.cost = measure_.cost({DartsPartKind::operation, name, stride, channels, channels, resolution});
      table_.operations.push_back(std::move(row));
    }
  }

  /// The index of another part; measured when first asked for.
  std::size_t fixed(const std::string& name, const DartsPart& part) {
    Row row{name, 1, part.channels_in, part.channels_out, part.resolution, {}};
    if (part.kind == DartsPartKind::preprocess_halved) row.stride = 2;
    const std::size_t index = find(table_.fixed, row);
    if (index == table_.fixed.size()) {
      row.cost = measure_.cost(part);
      table_.fixed.push_back(std::move(row));
    }
    return index;
  }

  void add_network(const workloads::DartsShape& shape) {
    table_.network = shape;
    const std::int64_t stem_channels = workloads::kDartsStemMultiplier * shape.channels;
    table_.stem =
        fixed("stem", {DartsPartKind::stem, "", 1, kImageChannels, stem_channels, shape.resolution});
    for (const DartsCell& cell : workloads::darts_cells(shape)) add_cell(cell);
    const DartsCell& last = table_.cells.back().cell;
    const std::int64_t side = last.resolution / (last.reduction ? 2 : 1);
    table_.classifier = fixed("classifier", {DartsPartKind::classifier, "", 1,
                                             workloads::kDartsNodes * last.channels, shape.classes, side});
  }

  Table finish() {
    table_.chip_area = measure_.chip_area();
    table_.static_power = measure_.static_power();
    table_.chip_crossbars = measure_.chip_crossbars();
    return std::move(table_);
  }

 private:
  static std::size_t find(const std::vector<Row>& rows, const Row& row) {
    const auto key = [](const Row& r) {
      return std::tie(r.part, r.stride, r.channels_in, r.channels_out, r.resolution);
    };
    const auto it = std::find_if(rows.begin(), rows.end(), [&](const Row& r) { return key(r) == key(row); });
    return static_cast<std::size_t>(it - rows.begin());
  }

  void add_cell(const DartsCell& cell) {
    const std::int64_t nodes_side = cell.resolution / (cell.reduction ? 2 : 1);
    CellParts parts{cell};
    parts.preprocess0 =
        cell.halved ? fixed("preprocess_halved", {DartsPartKind::preprocess_halved, "", 1, cell.channels_in0,
                                                  cell.channels, 2 * cell.resolution})
                    : fixed("preprocess", {DartsPartKind::preprocess, "", 1, cell.channels_in0, cell.channels,
                                           cell.resolution});
    parts.preprocess1 = fixed(
        "preprocess", {DartsPartKind::preprocess, "", 1, cell.channels_in1, cell.channels, cell.resolution});
    parts.add = fixed("add", {DartsPartKind::add, "", 1, cell.channels, cell.channels, nodes_side});
    parts.concat = fixed("concat", {DartsPartKind::concat, "", 1, cell.channels, cell.channels, nodes_side});
    if (cell.reduction) add_operations(2, cell.channels, cell.resolution);
    add_operations(1, cell.channels, nodes_side);
    table_.cells.push_back(parts);
  }

  Table table_;
  Measure measure_;
};

}  // namespace

Table make_table(const Request& request) {
  check_sizes(request);
  const arch::LoadedArch machine = arch::load_arch(request.arch, request.overrides);
  check_copies(machine.arch);
  Maker maker(machine, request.activity);
  if (request.network) {
    maker.add_network(*request.network);
  } else {
    for (const std::int64_t channels : request.channels)
      for (const std::int64_t resolution : request.resolutions)
        for (const std::int64_t stride : {1, 2}) maker.add_operations(stride, channels, resolution);
  }
  Table table = maker.finish();
  table.version = result::version();
  table.arch = request.arch;
  table.config_sha256 = result::sha256(arch::resolved_yaml(machine));
  table.overrides = request.overrides;
  for (const analytic::NamedFactor& factor : analytic::kFactors)
    table.activity.emplace_back(factor.name, request.activity.*factor.member);
  return table;
}

}  // namespace bitline::lut
