// SPDX-License-Identifier: Apache-2.0
// Tables of what every operation of the DARTS space costs on a machine, for searches that cannot ask about
// every network. How rows add up to a network is in README.md of this folder.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/analytic/activity.h"
#include "workloads/darts.h"

namespace bitline::lut {

inline constexpr const char* kSchema = "bitline.lut/1";

struct Request {
  std::string arch;                    ///< path
  std::vector<std::string> overrides;  ///< "key=value"
  analytic::ActivityFactors activity;
  /// A network: every operation that a cell of it can have, and its other parts.
  std::optional<workloads::DartsShape> network;
  /// Otherwise each operation x stride x channels x resolution.
  std::vector<std::int64_t> channels, resolutions;
};

/// What a part adds to a network. SI units; areas in mm2.
struct PartCost {
  double latency = 0;   ///< alone: interval + delay
  double interval = 0;  ///< its busiest layer's work for an image
  double delay = 0;     ///< by which the end of an image leaves it later than the end of its input comes
  double energy = 0;    ///< dynamic, per image
  std::int64_t crossbars = 0;
  double area = 0;  ///< its crossbars' share of the chip's area
};

struct Row {
  std::string part;  ///< an operation of the space, or the name of another part
  std::int64_t stride = 1;
  std::int64_t channels_in = 0, channels_out = 0;
  std::int64_t resolution = 0;  ///< of its inputs
  PartCost cost;
};

/// A cell's parts that are the same whatever its genotype, as indices of Table::fixed.
struct CellParts {
  workloads::DartsCell cell;
  std::size_t preprocess0 = 0, preprocess1 = 0, add = 0, concat = 0;
};

struct Table {
  std::string version, arch;
  std::string config_sha256;  ///< of the resolved machine, as in a result
  std::vector<std::string> overrides;
  std::vector<std::pair<std::string, double>> activity;
  double chip_area = 0;     ///< mm2
  double static_power = 0;  ///< W, of the chip
  std::int64_t chip_crossbars = 0;
  std::vector<Row> operations;
  std::vector<Row> fixed;  ///< empty without a network
  std::optional<workloads::DartsShape> network;
  std::size_t stem = 0, classifier = 0;  ///< indices of `fixed`
  std::vector<CellParts> cells;
};

/// Throws base::ConfigError, MappingError (an operation that does not fit), and base::UsageError for shapes
/// that the space does not have and machines whose copies of a layer depend on the rest of the network.
[[nodiscard]] Table make_table(const Request& request);

[[nodiscard]] nlohmann::ordered_json table_json(const Table& table);
/// A line per row of `operations` and `fixed`.
[[nodiscard]] std::string table_csv(const Table& table);

}  // namespace bitline::lut
