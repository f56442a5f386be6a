// SPDX-License-Identifier: Apache-2.0
// Bytes of a tensor where they lie: in memory or in an open file. Large weights go from the file to their
// tensor in one copy.
#pragma once

#include <cstddef>
#include <string_view>

namespace bitline::onnx {

class RawData {
 public:
  /// `memory` must outlive this.
  explicit RawData(std::string_view memory) : memory_(memory) {}
  /// `memory` is the mapped file `descriptor` from `offset` on; it is not touched, but says how much there
  /// is.
  RawData(std::string_view memory, int descriptor, std::size_t offset)
      : memory_(memory), descriptor_(descriptor), offset_(offset) {}

  [[nodiscard]] std::size_t size() const { return memory_.size(); }
  /// Copies `count` bytes from byte `first` on. Throws std::invalid_argument if the file cannot be read (any
  /// more).
  void read(std::size_t first, void* to, std::size_t count) const;

 private:
  std::string_view memory_;
  int descriptor_ = -1;
  std::size_t offset_ = 0;
};

}  // namespace bitline::onnx
