// SPDX-License-Identifier: Apache-2.0
#include "mapper/onnx/tensor_proto.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "mapper/tensor/half.h"

namespace bitline::onnx {

namespace {

using ::onnx::TensorProto;
using tensor::Data;

[[noreturn]] void fail(const std::string& what) {
  throw std::invalid_argument(what);
}

void require_count(std::int64_t found, std::int64_t expected, const tensor::Shape& shape) {
  if (found == expected) return;
  fail("shape " + tensor::to_string(shape) + " needs " + std::to_string(expected) +
       " values, but the file holds " + std::to_string(found));
}

/// From raw data, little-endian elements of type S.
template <class S, class T, class Convert>
Data from_raw(const RawData& raw, const tensor::Shape& shape, Convert convert) {
  const auto count = static_cast<std::size_t>(tensor::element_count(shape));
  if (raw.size() % sizeof(S) != 0)
    fail("raw data of " + std::to_string(raw.size()) + " bytes is no whole number of values");
  require_count(static_cast<std::int64_t>(raw.size() / sizeof(S)), static_cast<std::int64_t>(count), shape);
  std::vector<T> values(count);
  if constexpr (std::is_same_v<S, T>) {
    raw.read(0, values.data(), raw.size());
  } else {
    constexpr std::size_t kPiece = 1 << 14;
    std::vector<S> stored(std::min(count, kPiece));
    for (std::size_t first = 0; first < count; first += stored.size()) {
      stored.resize(std::min(stored.size(), count - first));
      raw.read(first * sizeof(S), stored.data(), stored.size() * sizeof(S));
      for (std::size_t i = 0; i < stored.size(); ++i) values[first + i] = static_cast<T>(convert(stored[i]));
    }
  }
  return values;
}

/// From one of the typed fields, whose elements S stand for type E.
template <class E, class T, class Field, class Convert>
Data from_field(const Field& field, const tensor::Shape& shape, Convert convert) {
  require_count(field.size(), tensor::element_count(shape), shape);
  std::vector<T> values;
  values.reserve(static_cast<std::size_t>(field.size()));
  for (const auto stored : field) {
    if constexpr (std::is_integral_v<E>) {
      if (!std::in_range<E>(stored))
        fail("value " + std::to_string(stored) + " does not fit its element type");
    }
    values.push_back(static_cast<T>(convert(static_cast<E>(stored))));
  }
  return values;
}

template <class E, class T, class Field, class Convert = std::identity>
Data read(const std::optional<RawData>& raw, const Field& field, const tensor::Shape& shape,
          Convert convert = {}) {
  return raw ? from_raw<E, T>(*raw, shape, convert) : from_field<E, T>(field, shape, convert);
}

// Element types that Debian's onnx does not name yet (operator set 21).
constexpr int kUint4 = 21;
constexpr int kInt4 = 22;

/// Two values in a byte, the first in its low half.
Data read_nibbles(const TensorProto& proto, const std::optional<RawData>& raw, const tensor::Shape& shape,
                  bool is_signed) {
  const std::int64_t count = tensor::element_count(shape);
  const std::int64_t bytes = count / 2 + count % 2;
  const std::int64_t found =
      raw ? static_cast<std::int64_t>(raw->size()) : static_cast<std::int64_t>(proto.int32_data_size());
  if (found != bytes) {
    fail("shape " + tensor::to_string(shape) + " needs " + std::to_string(bytes) +
         " bytes of two values, but the file holds " + std::to_string(found));
  }
  std::vector<std::uint8_t> stored(proto.int32_data().begin(), proto.int32_data().end());
  if (raw) {
    stored.resize(raw->size());
    raw->read(0, stored.data(), stored.size());
  }
  std::vector<std::int8_t> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const int code = static_cast<int>(stored[i / 2]) >> (i % 2 == 0 ? 0 : 4) & 15;
    values[i] = static_cast<std::int8_t>(is_signed && code > 7 ? code - 16 : code);
  }
  return values;
}

Data read_data(const TensorProto& proto, const std::optional<RawData>& raw, const tensor::Shape& shape) {
  switch (proto.data_type()) {
    case TensorProto::FLOAT:
      return read<float, float>(raw, proto.float_data(), shape);
    case TensorProto::DOUBLE:
      return read<double, float>(raw, proto.double_data(), shape);
    case TensorProto::FLOAT16:
      return read<std::uint16_t, float>(raw, proto.int32_data(), shape, tensor::half_to_float);
    case TensorProto::BFLOAT16:
      return read<std::uint16_t, float>(raw, proto.int32_data(), shape, tensor::bfloat16_to_float);
    case TensorProto::INT64:
      return read<std::int64_t, std::int64_t>(raw, proto.int64_data(), shape);
    case TensorProto::INT32:
      return read<std::int32_t, std::int32_t>(raw, proto.int32_data(), shape);
    case TensorProto::INT16:
      return read<std::int16_t, std::int32_t>(raw, proto.int32_data(), shape);
    case TensorProto::UINT16:
      return read<std::uint16_t, std::int32_t>(raw, proto.int32_data(), shape);
    case TensorProto::INT8:
      return read<std::int8_t, std::int8_t>(raw, proto.int32_data(), shape);
    case TensorProto::UINT8:
    case TensorProto::BOOL:
      return read<std::uint8_t, std::uint8_t>(raw, proto.int32_data(), shape);
    case kUint4:
    case kInt4:
      return read_nibbles(proto, raw, shape, proto.data_type() == kInt4);
    case TensorProto::UINT32:
      return read<std::uint32_t, std::int64_t>(raw, proto.uint64_data(), shape);
    case TensorProto::UINT64:
      return read<std::uint64_t, std::int64_t>(raw, proto.uint64_data(), shape, [](std::uint64_t value) {
        if (!std::in_range<std::int64_t>(value))
          fail("value " + std::to_string(value) + " has more than 63 bits");
        return value;
      });
    default:
      break;
  }
  const auto type = static_cast<TensorProto::DataType>(proto.data_type());
  fail("element type " +
       (TensorProto::DataType_IsValid(type) ? TensorProto::DataType_Name(type)
                                            : std::to_string(proto.data_type())) +
       " is not supported");
}

}  // namespace

tensor::Tensor take_tensor(TensorProto& proto, const std::optional<RawData>& raw) {
  if (proto.data_location() == TensorProto::EXTERNAL || proto.external_data_size() != 0) {
    fail("its data lie in another file");
  }
  if (proto.has_segment()) fail("segmented tensors are not supported");
  if (proto.dims_size() > 64) fail("has " + std::to_string(proto.dims_size()) + " dimensions");
  tensor::Tensor result;
  result.shape.assign(proto.dims().begin(), proto.dims().end());
  try {
    static_cast<void>(result.size());
  } catch (const std::overflow_error& error) {
    fail(error.what());
  }
  const bool inside = !raw && proto.has_raw_data();
  result.data = read_data(proto, inside ? RawData(proto.raw_data()) : raw, result.shape);
  const std::unique_ptr<std::string> freed(proto.release_raw_data());  // Clear() alone keeps the memory
  proto.Clear();
  return result;
}

std::shared_ptr<const graph::Grid> code_range(int data_type) {
  const auto range = [](std::int64_t low, std::int64_t high) {
    return std::make_shared<const graph::Grid>(
        graph::Grid{.scale = {}, .zero_point = {}, .axis = 0, .low = low, .high = high});
  };
  switch (data_type) {
    case kUint4:
      return range(0, 15);
    case kInt4:
      return range(-8, 7);
    case TensorProto::UINT8:
      return range(0, UINT8_MAX);
    case TensorProto::INT8:
      return range(INT8_MIN, INT8_MAX);
    case TensorProto::UINT16:
      return range(0, UINT16_MAX);
    case TensorProto::INT16:
      return range(INT16_MIN, INT16_MAX);
    case TensorProto::INT32:
      return range(INT32_MIN, INT32_MAX);
    default:
      return nullptr;
  }
}

}  // namespace bitline::onnx
