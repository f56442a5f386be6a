// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "sim/result/result.h"

namespace bitline::result {

/// One row per layer; the energy of each component in a column of its own. RFC 4180 quoting, "\n" line ends,
/// doubles with round-trip precision.
[[nodiscard]] std::string layers_csv(const Result& result);
/// One row per component: energy_j (per streamed image) and area_mm2; the last row, "total", is their sum.
[[nodiscard]] std::string components_csv(const Result& result);
/// One row per simulated chip; top1 is empty without labels.
[[nodiscard]] std::string chips_csv(const DeviceResult& device);
/// One row per slice of every crossbar layer; empty cells where the weights were not read.
[[nodiscard]] std::string slices_csv(const Result& result);
/// One row per kind of contended part.
[[nodiscard]] std::string parts_csv(const Result& result);
/// Every resolved constant: key,value,source.
[[nodiscard]] std::string config_csv(const Result& result);
/// label,predicted,images of every pair that occurs; only the header without a confusion matrix.
[[nodiscard]] std::string confusion_csv(const Result& result);
/// A cell of a CSV file, quoted by RFC 4180 where it must be.
[[nodiscard]] std::string csv_cell(const std::string& text);

struct NamedTable {
  std::string file;  ///< "slices.csv"
  std::string content;
};
/// All tables that the result has rows for.
[[nodiscard]] std::vector<NamedTable> csv_tables(const Result& result);

}  // namespace bitline::result
