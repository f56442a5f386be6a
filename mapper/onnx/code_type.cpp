// SPDX-License-Identifier: Apache-2.0
#include "mapper/onnx/code_type.h"

#include <onnx/onnx_pb.h>

#include <array>

namespace bitline::onnx {
namespace {

using ::onnx::TensorProto;

template <class T>
void append(std::string& raw, std::int64_t code) {
  const T value = static_cast<T>(code);
  raw.append(reinterpret_cast<const char*>(&value), sizeof value);
}

}  // namespace

std::optional<CodeType> code_type(const graph::Grid& grid) {
  constexpr std::array<CodeType, 4> kTypes{{{TensorProto::UINT8, 0, 255},
                                            {TensorProto::INT8, -128, 127},
                                            {TensorProto::UINT16, 0, 65535},
                                            {TensorProto::INT16, -32768, 32767}}};
  for (const CodeType& type : kTypes)
    if (type.low <= grid.low && grid.high <= type.high && (grid.low < 0 || type.low == 0)) return type;
  return std::nullopt;
}

void append_code(std::string& raw, int type, std::int64_t code) {
  switch (type) {
    case TensorProto::UINT8:
      return append<std::uint8_t>(raw, code);
    case TensorProto::INT8:
      return append<std::int8_t>(raw, code);
    case TensorProto::UINT16:
      return append<std::uint16_t>(raw, code);
    default:
      return append<std::int16_t>(raw, code);
  }
}

}  // namespace bitline::onnx
