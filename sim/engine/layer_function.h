// SPDX-License-Identifier: Apache-2.0
// The bit-exact function of one crossbar layer: every conversion of every column, or the integer matrix
// product where no conversion can clip. See README.md of this folder for the equations and how counts are
// made.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "mapper/place/program.h"
#include "mapper/slice/sliced_layer.h"
#include "models/base/actions.h"

namespace bitline::engine {

/// What the data made a layer do. `counts` holds the data-dependent actions: cell_read, dac_drive,
/// sample_hold, shift_add, conversions, clipped, gated, cell_level_sum; the others stay 0.
struct LayerActivity {
  base::ActionCounts counts;
  std::vector<std::int64_t> conversions_per_slice;
  /// [slice][resolution]: the same by bits, for energy; sums to counts.conversions over slices.
  std::vector<std::array<std::int64_t, base::kMaxAdcBits + 1>> slice_conversions;
  std::vector<std::int64_t> clipped_per_slice;
  std::int64_t windows = 0;  ///< MVMs run
  LayerActivity& operator+=(const LayerActivity& other);
  friend bool operator==(const LayerActivity&, const LayerActivity&) = default;
};

/// Where a layer's integer inputs come from: positions are output pixels in raster order (of all images).
class InputSource {
 public:
  virtual ~InputSource() = default;
  [[nodiscard]] virtual std::int64_t positions() const = 0;
  /// Writes rows [0, groups*rows_per_group) (group-major) of `count` positions from `first` on to `out`,
  /// position-major. Called from several threads at once.
  virtual void gather(std::int64_t first, int count, std::int32_t* out) const = 0;
};

/// Takes the integer sums of positions [first, first+count): y is [count][outputs]. Called from several
/// threads at once, each position once.
class OutputSink {
 public:
  virtual ~OutputSink() = default;
  virtual void store(std::int64_t first, int count, const std::int64_t* y) = 0;
};

/// One layer, prepared for the vector kernels. Immutable after construction; run() may be called
/// concurrently.
class LayerFunction {
 public:
  /// `drive_sets`: what activity is counted for (may be empty: values only). `gate_zero_chunks`: ima.*.
  LayerFunction(std::shared_ptr<const slice::SlicedLayer> layer, std::vector<place::DriveSet> drive_sets,
                bool gate_zero_chunks);
  ~LayerFunction();
  LayerFunction(LayerFunction&&) noexcept;
  LayerFunction& operator=(LayerFunction&&) noexcept;

  [[nodiscard]] const slice::SlicedLayer& sliced() const;
  /// Runs all positions of `source` (parallel over positions; the result does not depend on threads).
  LayerActivity run(const InputSource& source, OutputSink& sink) const;
  /// The same on a matrix: x [positions][groups*rows_per_group], y [positions][outputs].
  LayerActivity run(std::span<const std::int32_t> x, std::span<std::int64_t> y) const;
  /// (group, block, slice, array) sets with columns that are converted one by one because they can clip or
  /// round.
  [[nodiscard]] std::int64_t converting_sets() const;
  /// The columns of all these sets.
  [[nodiscard]] std::int64_t converting_columns() const;
  /// Bytes held by the prepared weights.
  [[nodiscard]] std::int64_t bytes() const;

 private:
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

/// Names of the instruction sets that the kernels are compiled for and this machine has, best first.
[[nodiscard]] std::vector<std::string> supported_targets();
/// For tests and benchmarks: use only this one of supported_targets() from now on (empty: the best again).
void force_target(const std::string& name);

}  // namespace bitline::engine
