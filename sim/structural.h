// SPDX-License-Identifier: Apache-2.0
// Feeds a structural simulation with the integers of real windows, collects what its crossbars made of them,
// and compares that with the engine: the two compute the same conversions along separate ways.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/cycle/runner.h"
#include "sim/engine/engine.h"
#include "sim/mapping.h"

namespace bitline::sim {

class StructuralCheck {
 public:
  /// All arguments outlive the check; `values` are those of the streamed images, with inputs and sums kept.
  StructuralCheck(const Mapping& mapping, const engine::NetworkFunction& network,
                  const std::vector<engine::ImageResult>& values);

  /// For cycle::CycleOptions::structural.
  [[nodiscard]] const cycle::StructuralData& data() const { return data_; }

  /// Throws std::logic_error naming the first layer, window and output whose sum, or the layer whose action
  /// counts, are not the engine's.
  void compare(const cycle::CycleResult& timed) const;

 private:
  void take(const cycle::MvmId& id, std::span<const int> outputs, std::span<const std::int64_t> values);
  [[nodiscard]] std::int64_t weight_sum(std::size_t layer, int group, int output) const;
  [[nodiscard]] std::size_t node_groups(std::size_t layer) const;
  void compare_sums(std::size_t layer) const;
  [[nodiscard]] std::int64_t windows(std::size_t layer) const;
  [[nodiscard]] std::vector<std::int32_t> rows(std::size_t layer, std::int64_t window) const;

  const Mapping& mapping_;
  const engine::NetworkFunction& network_;
  const std::vector<engine::ImageResult>& values_;
  std::vector<std::vector<std::int64_t>> sums_;  ///< [layer][window * outputs + output]
  cycle::StructuralData data_;
};

}  // namespace bitline::sim
