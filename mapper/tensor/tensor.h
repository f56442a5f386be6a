// SPDX-License-Identifier: Apache-2.0
// A dense array in host memory, row-major (NCHW for images).
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace bitline::tensor {

using Shape = std::vector<std::int64_t>;

/// Product of the dimensions (1 for a scalar). Throws std::overflow_error if it does not fit 63 bits.
[[nodiscard]] std::int64_t element_count(const Shape& shape);
/// "1x3x224x224"
[[nodiscard]] std::string to_string(const Shape& shape);

/// Element storage. Files of other types load as: bool as uint8; float16 and double as float; int16 and
/// uint16 as int32; uint32 as int64.
using Data = std::variant<std::vector<float>, std::vector<std::int64_t>, std::vector<std::int32_t>,
                          std::vector<std::int8_t>, std::vector<std::uint8_t>, std::vector<double>>;

struct Tensor {
  Shape shape;
  Data data;

  [[nodiscard]] std::int64_t size() const { return element_count(shape); }
  template <class T>
  [[nodiscard]] const std::vector<T>& as() const {
    return std::get<std::vector<T>>(data);
  }
  template <class T>
  [[nodiscard]] std::vector<T>& as() {
    return std::get<std::vector<T>>(data);
  }
  template <class T>
  [[nodiscard]] bool holds() const {
    return std::holds_alternative<std::vector<T>>(data);
  }
};

/// Reads a NumPy `.npy` file (C or Fortran order, versions 1-3, little endian). Throws base::UsageError
/// naming the file and the fault; memory is bounded by the file's size, not by what its header claims.
[[nodiscard]] Tensor load_npy(const std::string& path);
/// Writes version 1.0, C order, to a temporary name that is then renamed. Throws base::UsageError if
/// unwritable.
void save_npy(const std::string& path, const Tensor& tensor);

}  // namespace bitline::tensor
