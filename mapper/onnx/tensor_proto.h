// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "mapper/graph/grid.h"
#include "mapper/onnx/raw_data.h"
#include "mapper/tensor/tensor.h"

namespace onnx {
class TensorProto;
}  // namespace onnx

namespace bitline::onnx {

/// The values of a TensorProto in the types of tensor::Data; `raw`: its raw_data, where that is not in the
/// message. Allocates no more than there are values and frees the message's copy. Throws
/// std::invalid_argument saying what is wrong with it.
[[nodiscard]] tensor::Tensor take_tensor(::onnx::TensorProto& proto, const std::optional<RawData>& raw);

/// The range of the integers of an element type of TensorProto; null: no integer of up to 32 bits.
[[nodiscard]] std::shared_ptr<const graph::Grid> code_range(int data_type);

}  // namespace bitline::onnx
