// SPDX-License-Identifier: Apache-2.0
// Element types of integer codes in a file. Private to the folder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "mapper/graph/grid.h"

namespace bitline::onnx {

/// An integer type of codes (TensorProto::DataType) and its range.
struct CodeType {
  int type;
  std::int64_t low, high;
  [[nodiscard]] bool is_wide() const { return high - low > 255; }
};

/// The smallest type that holds codes of the grid: uint8, int8, uint16 or int16; none beyond 16 bits.
[[nodiscard]] std::optional<CodeType> code_type(const graph::Grid& grid);

/// Appends `code` as `type` stores it in raw_data.
void append_code(std::string& raw, int type, std::int64_t code);

}  // namespace bitline::onnx
