// SPDX-License-Identifier: Apache-2.0
// A float network as a quantised file: the scales and codes that a run would use, for any ONNX runtime.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/arch/arch.h"
#include "sim/images.h"

namespace bitline::sim {

struct QuantizeRequest {
  std::string network;                  ///< ONNX, float32 or already quantised in part
  std::vector<std::string> dimensions;  ///< NAME=N, of symbolic dimensions
  std::string calibration;              ///< as --calibrate of a run
  Normalisation normalisation;
  arch::PrecisionParams precision;
};

/// What was written for one layer with weights.
struct QuantizedLayer {
  std::string name;
  std::string op;
  int weight_bits = 0;
  int activation_bits = 0;
  bool activation_signed = false;
  double activation_scale = 0;
  double weight_scale = 0;     ///< the largest of its outputs
  std::int64_t weights = 0;    ///< how many
  std::int64_t saturated = 0;  ///< of these, held at the largest code
  double weight_error =
      0;  ///< root of mean squared error / root of mean square; 0 where the network gave codes
};

struct QuantizedNetwork {
  std::string model;  ///< a serialised QDQ model
  std::vector<QuantizedLayer> layers;
};

/// Calibrates `request.network`, quantises every layer with weights and writes it as a QDQ model. What the
/// file says is read back and compared: scales in float32, codes and bits are those of `request.precision`
/// exactly. Throws base::UsageError (arrays), ConfigError (precision) and NetworkError, the last also for
/// layers that cannot be written (onnx::write_qdq) or do not read back the same.
[[nodiscard]] QuantizedNetwork quantize_network(const QuantizeRequest& request);

}  // namespace bitline::sim
