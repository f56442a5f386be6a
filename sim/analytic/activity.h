// SPDX-License-Identifier: Apache-2.0
// What inputs make the crossbars do, as far as it depends on the inputs: expected, from stated factors.
#pragma once

#include <cstdint>
#include <vector>

#include "mapper/place/program.h"
#include "mapper/slice/sliced_layer.h"
#include "sim/engine/layer_function.h"

namespace bitline::analytic {

/// Shares between 0 and 1. Defaults: measured by mode `cycle` on the networks of the fidelity sample
/// (README.md: how, and the spread).
struct ActivityFactors {
  double input = 0.5;         ///< of a layer on the network's input: rows driven with a non-zero chunk
  double nonnegative = 0.22;  ///< the same where no input can be negative (after ReLU), per bit of a chunk
  double with_sign = 0.40;    ///< the same of signed inputs
  double zero_reads = 0.0;  ///< reads of which all rows are zero (ima.gate_zero_chunks makes no conversions)
  double mean_level =
      0.5;  ///< cell level of driven cells as a share of the highest (device.read_energy ohmic)
};

struct NamedFactor {
  const char* name;
  double ActivityFactors::*member;
};
inline constexpr NamedFactor kFactors[] = {{"input", &ActivityFactors::input},
                                           {"nonnegative", &ActivityFactors::nonnegative},
                                           {"signed", &ActivityFactors::with_sign},
                                           {"zero_reads", &ActivityFactors::zero_reads},
                                           {"mean_level", &ActivityFactors::mean_level}};

/// Where a layer's inputs come from.
enum class InputKind { network, nonnegative, with_sign };

/// The activity of `images` images in a layer; `inside`: share of its inputs that are not padding.
/// Conversions are exact unless zero chunks are gated; none is taken to clip.
[[nodiscard]] engine::LayerActivity expected_activity(const place::LayerPlacement& placement,
                                                      const slice::SlicedLayer& layer, InputKind kind,
                                                      double inside, const ActivityFactors& factors,
                                                      bool gate_zero_chunks, std::int64_t images);

}  // namespace bitline::analytic
