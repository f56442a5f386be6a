// SPDX-License-Identifier: Apache-2.0
// Runs side by side: ratios to a baseline, what changed in machine and network, and where the energy went,
// component by component and layer by layer.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/result/result.h"
#include "tools/compare/figures.h"

namespace bitline::compare {

struct Run {
  std::string label;  ///< short and unique: the name of its folder, with as many parents as it takes
  std::string file;   ///< of the result
  result::Result result;
};

/// One value per run; none where the run has no such thing.
using Values = std::vector<std::optional<double>>;

/// A figure of every run.
struct FigureRow {
  const Figure* figure;
  Values values;
};

/// Something that is not the same in all runs, as text.
struct Difference {
  std::string key;
  std::vector<std::optional<std::string>> values;
  std::vector<std::string> sources;  ///< of a key of the machine: where each value comes from
};

struct ComponentRow {
  std::string name;
  Values energy;  ///< J an image
  Values area;    ///< mm2
};

struct LayerRow {
  std::string name;  ///< "name#2" where a run has a second one
  std::vector<std::string> op;
  Values energy;   ///< J an image
  Values latency;  ///< s, all streamed images
  Values crossbars;
  std::vector<std::string> adc_bits;  ///< "8/8/7", one per slice
};

struct Comparison {
  std::vector<Run> runs;
  std::size_t baseline = 0;
  std::vector<FigureRow> figures;        ///< those that any run has
  std::vector<Difference> settings;      ///< network, mode, images, seed, ... that differ
  std::vector<Difference> config;        ///< keys of the resolved machine that differ
  std::vector<ComponentRow> components;  ///< those with energy or area in any run, the most energy first
  std::vector<LayerRow> layers;          ///< in pipeline order
};

/// Reads each path (as result::read_result). Throws base::UsageError with the problems of all.
[[nodiscard]] std::vector<Run> read_runs(const std::vector<std::string>& paths);

/// At least two runs; `baseline` is an index. Throws base::UsageError for fewer.
[[nodiscard]] Comparison compare(std::vector<Run> runs, std::size_t baseline);

/// value / baseline; none where one is missing or the baseline is 0.
[[nodiscard]] std::optional<double> ratio(const std::optional<double>& value,
                                          const std::optional<double>& baseline);
/// What a part adds to the run's energy over the baseline's, as a share of the baseline's total: these sum to
/// the change of the total. A part that is missing has no energy.
[[nodiscard]] double energy_change(const Comparison& c, const Values& energy, std::size_t run);

/// At most 80 columns; many runs in blocks under each other.
[[nodiscard]] std::string to_text(const Comparison& c);
/// "bitline.compare/1", see README.md of this folder.
[[nodiscard]] std::string to_json(const Comparison& c);
/// A page that opens offline (tools/report). Throws base::UsageError where it cannot be written.
void write_html(const std::string& path, const Comparison& c);
/// One row per value: table, name, figure, unit, run, value, baseline, ratio.
[[nodiscard]] std::string to_csv(const Comparison& c);

}  // namespace bitline::compare
