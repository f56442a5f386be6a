// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "models/base/errors.h"

namespace onnx {
class ModelProto;
}  // namespace onnx

namespace bitline::onnx {

/// Replaces the nodes that call a function of the model by the nodes of the function, as often as there are
/// calls in these. Values and nodes of a body are named after the calling node: "<node>/<name>". Returns what
/// is wrong, each with the element of the model: functions that call themselves, missing inputs, another
/// operator set, and more than 2^20 nodes in all.
[[nodiscard]] std::vector<base::Problem> inline_functions(::onnx::ModelProto& model);

}  // namespace bitline::onnx
