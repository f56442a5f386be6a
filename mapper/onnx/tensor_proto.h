// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "mapper/graph/grid.h"
#include "mapper/tensor/tensor.h"

namespace onnx {
class TensorProto;
}  // namespace onnx

namespace bitline::onnx {

/// The values of a TensorProto in the types of tensor::Data. Allocates no more than the message holds and
/// frees the message's copy. Throws std::invalid_argument saying what is wrong with it.
[[nodiscard]] tensor::Tensor take_tensor(::onnx::TensorProto& proto);

/// The range of the integers of an element type of TensorProto; null: no integer of up to 32 bits.
[[nodiscard]] std::shared_ptr<const graph::Grid> code_range(int data_type);

}  // namespace bitline::onnx
