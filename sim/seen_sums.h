// SPDX-License-Identifier: Apache-2.0
// ADC resolutions from the sums that calibration inputs make (adc.resolution.percentile_of: sums).
#pragma once

#include <span>
#include <vector>

#include "sim/images.h"
#include "sim/mapping.h"
#include "sim/simulate.h"

namespace bitline::sim {

/// Windows of each layer that are looked at, over all images: evenly spaced in each.
inline constexpr std::int64_t kSeenWindows = 1024;

/// Whether resolutions of this machine follow from sums.
[[nodiscard]] bool wants_sums(const arch::Arch& arch);

/// Runs `images` with converters that never clip, and gives every layer of `mapping` the resolutions that the
/// sums then ask for. Layers on the same crossbars are seen together. The result does not depend on the
/// number of threads.
void resolve_by_sums(Mapping& mapping, std::span<const quantize::Inputs> images);

/// Slices a network with the ranges (and, where wanted, the sums) of the images at `calibration`; without
/// any, policy percentile of sums is a base::ConfigError.
[[nodiscard]] Mapping slice_network(const MappingRequest& request, const std::string& calibration,
                                    const Normalisation& normalisation);

}  // namespace bitline::sim
