// SPDX-License-Identifier: Apache-2.0
// A dense array in host memory, row-major (NCHW for images).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace bitline::tensor {

using Shape = std::vector<std::int64_t>;

/// Product of the dimensions (1 for a scalar). Throws std::overflow_error if it does not fit 63 bits.
[[nodiscard]] std::int64_t element_count(const Shape& shape);
/// "1x3x224x224"
[[nodiscard]] std::string to_string(std::span<const std::int64_t> shape);

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

/// Where the elements of a `.npy` file lie that holds float32 in C order.
struct StoredFloats {
  Shape shape;
  std::int64_t offset = 0;  ///< of the first element, in bytes
};
/// None for every other file, damaged ones included (load_npy() tells why).
[[nodiscard]] std::optional<StoredFloats> stored_floats(const std::string& path);

/// Writes a `.npy` file of `parts` tensors of equal shape and type, joined along their first axis (scalars
/// along a new one), part by part in any order. The file has its name only after finish(). Throws
/// base::UsageError if unwritable. For one thread at a time.
class NpyWriter {
 public:
  NpyWriter(const std::string& path, std::int64_t parts, const Tensor& like);
  NpyWriter(const NpyWriter&) = delete;
  NpyWriter& operator=(const NpyWriter&) = delete;
  ~NpyWriter();
  void write(std::int64_t index, const Tensor& tensor);
  /// After every part has been written.
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bitline::tensor
