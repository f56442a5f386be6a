// SPDX-License-Identifier: Apache-2.0
// The message of an ONNX file, without the bytes of its initializers: those stay where they are until their
// tensor is made (protobuf alone would hold a second copy of all weights).
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mapper/onnx/raw_data.h"

namespace onnx {
class ModelProto;
}  // namespace onnx

namespace bitline::onnx {

/// A file's bytes, mapped.
class MappedFile {
 public:
  /// The largest message that protobuf reads.
  static constexpr std::int64_t kLargestMessage = std::numeric_limits<std::int32_t>::max();

  /// Throws base::UsageError if it cannot be read, base::NetworkError if it is empty or has more than `most`
  /// bytes.
  explicit MappedFile(const std::string& path, std::int64_t most = kLargestMessage);
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();
  [[nodiscard]] std::string_view bytes() const { return {static_cast<const char*>(data_), size_}; }
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  int descriptor_ = -1;
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

/// `raw_data` of each initializer of the graph, in order; none where the message holds the values itself.
using RawInitializers = std::vector<std::optional<RawData>>;

/// Reads `bytes` (all of the file `descriptor`; -1: they are in memory) into `model`. They must outlive what
/// is returned. Throws base::NetworkError naming `name`.
[[nodiscard]] RawInitializers read_model(std::string_view bytes, int descriptor, const std::string& name,
                                         ::onnx::ModelProto& model);

}  // namespace bitline::onnx
