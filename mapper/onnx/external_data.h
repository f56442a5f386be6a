// SPDX-License-Identifier: Apache-2.0
// Tensors whose data lie in files beside the model.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "mapper/onnx/model_reader.h"
#include "mapper/onnx/raw_data.h"

namespace onnx {
class TensorProto;
}  // namespace onnx

namespace bitline::onnx {

class ExternalData {
 public:
  /// `folder` of the model; empty: there is none, and every external tensor is a fault.
  explicit ExternalData(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// Where the data of an external tensor lie, as long as this lives; the tensor then counts as one whose
  /// data are known. None for a tensor that holds them itself. Throws std::invalid_argument for files outside
  /// of the folder (links are followed), for missing and for short ones.
  [[nodiscard]] std::optional<RawData> find(::onnx::TensorProto& tensor);

 private:
  [[nodiscard]] const MappedFile& file(const std::string& location);

  std::filesystem::path folder_;
  std::map<std::string, std::unique_ptr<MappedFile>> files_;
};

}  // namespace bitline::onnx
