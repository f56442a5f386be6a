// SPDX-License-Identifier: Apache-2.0
// What inputs make the crossbars do, as far as it depends on the inputs: expected, from stated factors.
#pragma once

#include <cstdint>
#include <vector>

#include "mapper/place/program.h"
#include "mapper/slice/sliced_layer.h"
#include "sim/engine/layer_function.h"

namespace bitline::analytic {

/// Not given: as measured (README.md), for the layer's bits and the machine's converters.
inline constexpr double kMeasured = -1;

/// Shares between 0 and 1, or kMeasured.
struct ActivityFactors {
  double input = 0.5;              ///< of a layer on the network's input: ones among the bits that drive rows
  double nonnegative = kMeasured;  ///< the same where no input can be negative (after ReLU)
  double with_sign = kMeasured;    ///< the same of signed inputs
  double depthwise = kMeasured;    ///< the same of signed inputs that a grouped convolution made
  double zero_reads = 0.0;  ///< reads of which all rows are zero (ima.gate_zero_chunks makes no conversions)
  double mean_level =
      0.5;  ///< cell level of driven cells as a share of the highest (device.read_energy ohmic)
};

struct NamedFactor {
  const char* name;
  double ActivityFactors::*member;
};
inline constexpr NamedFactor kFactors[] = {
    {"input", &ActivityFactors::input},           {"nonnegative", &ActivityFactors::nonnegative},
    {"signed", &ActivityFactors::with_sign},      {"depthwise", &ActivityFactors::depthwise},
    {"zero_reads", &ActivityFactors::zero_reads}, {"mean_level", &ActivityFactors::mean_level}};

/// Where a layer's inputs come from.
enum class InputKind { network, nonnegative, with_sign, depthwise };

/// Bits by which conversions of the machine are short of the largest sum that they can meet, in the least
/// significant slice; 0 where the resolution follows from the weights, or where low bits are dropped instead.
[[nodiscard]] int missing_bits(const arch::Arch& arch);

/// The factor as it is taken for inputs of `bits` bits.
[[nodiscard]] double share_of_ones(const ActivityFactors& factors, InputKind kind, int bits, int missing);

/// The activity of `images` images in a layer; `inside`: share of its inputs that are not padding; `missing`:
/// missing_bits().
/// Conversions are exact unless zero chunks are gated; none is taken to clip.
[[nodiscard]] engine::LayerActivity expected_activity(const place::LayerPlacement& placement,
                                                      const slice::SlicedLayer& layer, InputKind kind,
                                                      double inside, const ActivityFactors& factors,
                                                      int missing, bool gate_zero_chunks,
                                                      std::int64_t images);

}  // namespace bitline::analytic
