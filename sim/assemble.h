// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "sim/cycle/runner.h"
#include "sim/engine/engine.h"
#include "sim/mapping.h"
#include "sim/result/result.h"

namespace bitline::sim {

/// Applies the costs: figures of time, energy, area and use from what was counted. `values` are the
/// activities of the streamed images. Leaves accuracy, provenance and wall time to the caller.
[[nodiscard]] result::Result assemble(const Mapping& mapping, const cycle::CycleResult& timed,
                                      std::span<const engine::ImageResult> values);

/// What of a result is wanted: everything, or the figures of the whole network without rows (of layers and of
/// parts), traffic and waits, which are left empty.
enum class Rows { all, none };

/// The same from the activity of each layer in all streamed images together.
[[nodiscard]] result::Result assemble(
    const Mapping& mapping, const cycle::CycleResult& timed,
    const std::vector<std::shared_ptr<const engine::LayerActivity>>& activities, Rows rows = Rows::all);

/// A breakdown in the order of arch::Component, every component named.
template <class Q>
[[nodiscard]] result::Breakdown breakdown(const arch::ByComponent<Q>& parts, double factor = 1.0) {
  result::Breakdown out;
  for (std::size_t c = 0; c < arch::kComponents; ++c)
    out.emplace_back(arch::to_string(static_cast<arch::Component>(c)), parts.values[c].value() * factor);
  return out;
}

}  // namespace bitline::sim
