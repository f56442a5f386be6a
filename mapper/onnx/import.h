// SPDX-License-Identifier: Apache-2.0
// From an ONNX file to the typed network. Operator sets up to 23 of the default domain, any IR version; node
// order in the file does not matter. Which operators there are: operators.cpp.
//
// What the importer does beside translating nodes: a symbolic leading dimension of a network input becomes 1;
// nodes whose inputs are all constant are evaluated; Identity and Dropout disappear; BatchNormalization and
// the addition of a per-channel constant go into the convolution or linear layer before them where nothing
// else reads its result; nodes that no network output needs are left out. Shapes declared in the file for
// other values than network inputs are not read.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "mapper/graph/graph.h"
#include "mapper/tensor/tensor.h"

namespace bitline::onnx {

struct ImportOptions {
  /// A network input with a fixed leading dimension N > 1: true keeps it (shapes then carry N), false refuses
  /// it.
  bool allow_fixed_batch = true;
  /// Sizes of symbolic dimensions of network inputs, by name; a leading one that is not here becomes 1.
  std::map<std::string, std::int64_t> dimensions;
  /// Leaves float weights of convolutions, matrix products and batch normalisations where they are: their
  /// tensors have a shape, and no elements. A file may then lack them, and is not refused for values that are
  /// not finite. Read all the same where a value of the graph depends on them.
  bool shapes_only = false;
  /// Network inputs to be taken as constants (for files that pass weights as inputs).
  std::map<std::string, tensor::Tensor> constants;
  /// Most elements of any one value (2^28: 1 GiB of float).
  std::int64_t max_value_elements = std::int64_t{1} << 28;
  /// Most inner steps (multiply-accumulates, elements moved) of all nodes that are evaluated at import
  /// together.
  std::int64_t max_folded_operations = std::int64_t{1} << 30;
  /// Most elements of all computed values and rewritten constants together.
  std::int64_t max_total_elements = std::int64_t{1} << 30;
};

/// Reads an ONNX file of at most 2 GiB. Memory is bounded by the file's size and the limits in `options`.
/// Throws base::UsageError if the file cannot be read, else base::NetworkError with every problem found:
/// damaged file, unsupported operators (all of them, by name and type), shapes that do not fit, weights that
/// are missing or not finite, cycles.
[[nodiscard]] graph::Graph import_onnx(const std::string& path, const ImportOptions& options = {});
/// The same from memory; `name` stands for the file in messages.
[[nodiscard]] graph::Graph import_onnx_bytes(std::string_view bytes, const std::string& name,
                                             const ImportOptions& options = {});

/// Reads one serialised TensorProto (`.pb`). Throws base::UsageError naming the file and the fault.
[[nodiscard]] tensor::Tensor load_tensor_pb(const std::string& path);

}  // namespace bitline::onnx
