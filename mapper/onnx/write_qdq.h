// SPDX-License-Identifier: Apache-2.0
// A float model as a QDQ model: QuantizeLinear and DequantizeLinear before the layers with weights, integer
// weights before a DequantizeLinear, everything else as in the file.
//
// Codes of fewer bits than their type are held by a Clip on the codes (the QCDQ form), so that every runtime
// computes with the same codes. What the importer folds into a layer (BatchNormalization, the addition of a
// constant) is in its weights and bias, and leaves the file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mapper/graph/graph.h"

namespace bitline::onnx {

/// What to write for one conv or linear node of the imported network.
struct QdqLayer {
  std::string node;                  ///< its name
  std::string output;                ///< name of the value that it makes
  tensor::Shape shape;               ///< of its weight in the network
  std::optional<graph::Grid> input;  ///< one scale; none: stays as in the file
  std::optional<graph::Grid>
      weights;                      ///< one scale, or one per output; low and high: of the bits; none: stays
  std::vector<std::int32_t> codes;  ///< of the weights, [output][row]
  std::shared_ptr<const tensor::Tensor> bias;  ///< null: none
};

/// `model`: a serialised ONNX model, `name` for messages, `folder` where its external data lie (empty: none).
/// The result holds these data, and its local functions are inlined. Equal calls give equal bytes. Up to 8
/// bits the model must have operator set 13 or newer; for more bits it needs 21, to which files of operators
/// that did not change are lifted. Throws base::NetworkError naming every layer that cannot be written: not a
/// Conv, ConvTranspose, Gemm or MatMul of the main graph, or of an older operator set.
[[nodiscard]] std::string write_qdq(std::string_view model, const std::string& name,
                                    const std::filesystem::path& folder, std::span<const QdqLayer> layers);

}  // namespace bitline::onnx
