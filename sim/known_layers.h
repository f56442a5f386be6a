// SPDX-License-Identifier: Apache-2.0
// What is known of the layers of networks on one machine, whatever network they were met in: a search that
// changes one edge pays for its layers alone. What depends on the rest of a network (where a layer lies, when
// its windows open, what packets wait for) is no part of it.
#pragma once

#include <array>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <tuple>
#include <utility>

#include "mapper/graph/graph.h"
#include "mapper/place/partition.h"
#include "mapper/quantize/quantize.h"
#include "models/arch/arch.h"
#include "sim/analytic/activity.h"

namespace bitline::sim {

/// For any thread. Nothing that it gives depends on what it was asked before.
class KnownLayers {
 public:
  /// `most`: layers that are kept; beyond, all are forgotten.
  explicit KnownLayers(arch::LoadedArch machine, std::size_t most = std::size_t{1} << 14)
      : machine_(std::move(machine)), most_(most) {}

  [[nodiscard]] const arch::LoadedArch& machine() const { return machine_; }

  /// A layer's slices without cells, and its crossbars; equal shapes and bits share them. `parts` is null
  /// where it cannot be cut: place() says why.
  struct Cut {
    std::shared_ptr<const slice::SlicedLayer> sliced;
    std::shared_ptr<const place::Partition> parts;
  };
  [[nodiscard]] Cut cut(const graph::Node& node, const quantize::LayerQuant& quant) const;

  /// analytic::expected_activity() of a layer that cut() gave.
  [[nodiscard]] std::shared_ptr<const engine::LayerActivity> activity(
      const place::LayerPlacement& placement, const std::shared_ptr<const slice::SlicedLayer>& sliced,
      analytic::InputKind kind, double inside, const analytic::ActivityFactors& factors,
      std::int64_t images) const;

  /// Since it was made.
  struct Counts {
    std::int64_t cuts_asked = 0, cuts_made = 0;              ///< cut()
    std::int64_t activities_asked = 0, activities_made = 0;  ///< activity()
  };
  [[nodiscard]] Counts counts() const;

 private:
  using Shape = std::tuple<int, int, int, int, arch::WeightScheme, int, bool, std::int64_t, bool>;
  using Use = std::tuple<std::shared_ptr<const slice::SlicedLayer>, std::int64_t, analytic::InputKind, double,
                         std::array<double, std::size(analytic::kFactors)>, std::int64_t>;
  [[nodiscard]] Cut make(const graph::Node& node, const quantize::LayerQuant& quant) const;
  void forget_if_full() const;

  arch::LoadedArch machine_;
  std::size_t most_;
  mutable std::mutex mutex_;
  mutable std::map<Shape, Cut> cuts_;
  mutable std::map<Use, std::shared_ptr<const engine::LayerActivity>> activities_;
  mutable Counts counts_;
};

}  // namespace bitline::sim
