// SPDX-License-Identifier: Apache-2.0
// Mode `analytic`: from a machine and a network to a result by equations, without inputs, values or
// simulation. Any number of calls in a process, from any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "sim/analytic/activity.h"
#include "sim/assemble.h"
#include "sim/known_layers.h"
#include "sim/mapping.h"
#include "sim/result/result.h"

namespace bitline::sim {

struct AnalyticRequest {
  MappingRequest files;
  std::int64_t batch = 1;  ///< images streamed one after another
  analytic::ActivityFactors activity;
  std::uint64_t seed = 1;  ///< no figure depends on it; kept in the provenance
};

/// Throws base::ConfigError, NetworkError, MappingError, and base::UsageError for a batch below 1 or factors
/// that are no shares.
[[nodiscard]] result::Result analyse(const AnalyticRequest& request);

/// What a result of mode analytic states about itself; `activity`: "given" or "measured".
[[nodiscard]] result::Estimate estimate_of(const std::string& activity, const place::Program& program,
                                           const result::Result& r);

/// The same of a loaded machine and an imported network; leaves the files' names and hashes in the provenance
/// to the caller.
[[nodiscard]] result::Result analyse(const arch::LoadedArch& machine,
                                     const std::shared_ptr<const graph::Graph>& graph, std::int64_t batch,
                                     const analytic::ActivityFactors& activity);
/// The same, bit by bit, with what is known of layers from other networks.
[[nodiscard]] result::Result analyse(const KnownLayers& known,
                                     const std::shared_ptr<const graph::Graph>& graph, std::int64_t batch,
                                     const analytic::ActivityFactors& activity, Rows rows = Rows::all);

}  // namespace bitline::sim
