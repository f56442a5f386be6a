// SPDX-License-Identifier: Apache-2.0
// Integer codes of weights and activations (semantics and equations: README.md of this folder). Scales and
// divisions are doubles; every rounding is half to even.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "mapper/graph/graph.h"
#include "mapper/reference/executor.h"
#include "models/arch/arch.h"
#include "models/base/errors.h"

namespace bitline::quantize {

/// What a value took during calibration: the extremes, with Calibration::percentile clipped at that
/// percentile of |x| (nearest rank), with Calibration::mse at the magnitude of least squared error
/// (minimum_error.h).
struct Range {
  double min = 0.0;
  double max = 0.0;
};

/// One tensor per Graph::inputs entry: one image.
using Inputs = std::vector<tensor::Tensor>;

/// Runs the float reference on every image and returns the range of each value, indexed by ValueId (values
/// that are constant or never computed: {0, 0}). Images run in parallel; the result does not depend on the
/// number of threads. Throws base::UsageError without images or where a tensor's shape is not the input's,
/// and base::NetworkError naming the value where an activation is not finite.
[[nodiscard]] std::vector<Range> calibrate(const reference::Executor& executor,
                                           std::span<const Inputs> images,
                                           const arch::PrecisionParams::Activations& precision);

/// real = scale * (code - zero_point), code in [min_code(), max_code()].
struct ActivationQuant {
  int bits = 8;
  bool is_signed = false;
  double scale = 1.0;
  std::int64_t zero_point = 0;
  bool symmetric =
      true;  ///< signed codes stop at -(2^(bits-1)-1); false: at -2^(bits-1), as a network may give

  /// 0, or for signed -(2^(bits-1)-1) (not symmetric: -2^(bits-1)).
  [[nodiscard]] std::int64_t min_code() const;
  /// 2^bits-1, or for signed 2^(bits-1)-1.
  [[nodiscard]] std::int64_t max_code() const;
  /// clamp(rint(x/scale) + zero_point). NaN has no code: callers reject it before.
  [[nodiscard]] std::int32_t code(float x) const;
};

/// Unsigned where range.min >= 0 (scale max/(2^bits-1)), else signed symmetric (scale max|x|/(2^(bits-1)-1)).
/// An all-zero range has scale 1. Throws base::ConfigError outside 1..16 bits, or 1 bit for a signed range.
[[nodiscard]] ActivationQuant quantize_range(Range range, int bits);

/// A grid that the network gives, as it is: its scale and zero point, and the bits of its codes.
[[nodiscard]] ActivationQuant given_activations(const graph::Grid& grid);

/// Integer weights of one layer.
struct WeightQuant {
  int bits = 8;
  arch::WeightScheme scheme = arch::WeightScheme::symmetric;
  std::vector<double> scale;        ///< one per output (equal ones where the granularity is the tensor)
  std::vector<std::int32_t> codes;  ///< in the order of the ONNX weight: [output][row]
  std::int64_t saturated = 0;       ///< codes beyond the largest, held at it

  /// Bits of |q|: bits-1 for symmetric, bits for dynamic_fixed_point.
  [[nodiscard]] int magnitude_bits() const {
    return scheme == arch::WeightScheme::symmetric ? bits - 1 : bits;
  }
};

/// `weight`: float [O, ...]. Throws base::ConfigError for bits outside 2..16 (symmetric) or 1..16
/// (dynamic_fixed_point).
[[nodiscard]] WeightQuant quantize_weights(const tensor::Tensor& weight,
                                           const arch::PrecisionParams::Weights& precision);

/// The codes, less their zero points, of weights that the network gives on `grid`; scheme symmetric with the
/// bits of the codes' type, or more where the codes need them (int8's -128, or unsigned codes).
[[nodiscard]] WeightQuant given_weights(const tensor::Tensor& weight, const graph::Grid& grid);

/// Everything that turns one crossbar layer's floats into integers.
struct LayerQuant {
  graph::NodeId node = 0;
  ActivationQuant input;
  WeightQuant weights;
};

/// How the integer sums of one output become real: float((sum + bias in steps) * step), in double.
struct OutputScale {
  double step = 1.0;
  double bias_steps = 0.0;
  [[nodiscard]] float real(std::int64_t sum) const {
    return static_cast<float>((static_cast<double>(sum) + bias_steps) * step);
  }
};
/// Of every output of a conv or linear node.
[[nodiscard]] std::vector<OutputScale> output_scales(const graph::Node& node, const LayerQuant& quant);

/// `precision` with the bits of the layer `name`. Its list of layers is left empty.
[[nodiscard]] arch::PrecisionParams layer_precision(const arch::PrecisionParams& precision,
                                                    const std::string& name);

/// A problem for each of `names`, layers given at the config key `key`, that is no layer of `graph` with
/// weights.
[[nodiscard]] std::vector<base::Problem> unknown_layers(const graph::Graph& graph, const std::string& key,
                                                        std::span<const std::string> names);
/// The names in precision.layers.
[[nodiscard]] std::vector<std::string> layer_names(const arch::PrecisionParams& precision);
/// Throws base::ConfigError naming every row of precision.layers that is no layer of `graph` with weights.
void require_layers(const graph::Graph& graph, const arch::PrecisionParams& precision);

/// The codes of a crossbar node's weights: given by the network, or by `precision`.
[[nodiscard]] WeightQuant quantize_weights(const graph::Node& node, const arch::PrecisionParams& precision);

/// The crossbar layers of `graph` in node order; `ranges` from calibrate(). Grids that the network gives are
/// used as they are, `precision` and `ranges` for everything else. Throws what require_layers does.
[[nodiscard]] std::vector<LayerQuant> quantize(const graph::Graph& graph, std::span<const Range> ranges,
                                               const arch::PrecisionParams& precision);

/// What quantize() gives, with weights of which only bits and scheme are filled in, for layers on no grid of
/// the network's own.
[[nodiscard]] std::vector<LayerQuant> quantize_shapes(const graph::Graph& graph,
                                                      std::span<const Range> ranges,
                                                      const arch::PrecisionParams& precision);

}  // namespace bitline::quantize
