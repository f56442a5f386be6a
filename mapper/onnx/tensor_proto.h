// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "mapper/tensor/tensor.h"

namespace onnx {
class TensorProto;
}  // namespace onnx

namespace bitline::onnx {

/// The values of a TensorProto in the types of tensor::Data. Allocates no more than the message holds and
/// frees the message's copy. Throws std::invalid_argument saying what is wrong with it.
[[nodiscard]] tensor::Tensor take_tensor(::onnx::TensorProto& proto);

}  // namespace bitline::onnx
