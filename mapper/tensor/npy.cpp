// SPDX-License-Identifier: Apache-2.0
// NumPy's `.npy` format: a magic string, a version, a Python dictionary literal with the element type, the
// order and the shape, then the elements (numpy/lib/format.py describes it).
#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <string_view>

#include "mapper/tensor/half.h"
#include "mapper/tensor/tensor.h"
#include "models/base/errors.h"
#include "models/base/files.h"

namespace bitline::tensor {

namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMaxRank = 32;  // NumPy's own limit
constexpr const char* kTypes =
    "little-endian bool, int8 to int64, uint8 to uint32, float16, float32, float64";

struct Header {
  std::string type;  ///< "<f4"
  bool fortran_order = false;
  Shape shape;
};

/// Reads the dictionary literal of the header.
class HeaderParser {
 public:
  HeaderParser(std::string_view text, const std::string& path) : text_(text), path_(path) {}

  Header parse() {
    Header header;
    bool has_type = false;
    bool has_order = false;
    bool has_shape = false;
    expect('{');
    while (!accept('}')) {
      const std::string key = quoted();
      expect(':');
      if (key == "descr" && !has_type) {
        header.type = quoted();
        has_type = true;
      } else if (key == "fortran_order" && !has_order) {
        header.fortran_order = boolean();
        has_order = true;
      } else if (key == "shape" && !has_shape) {
        header.shape = tuple();
        has_shape = true;
      } else {
        fail("unexpected key '" + key.substr(0, 32) + "' in the header");
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    if (!has_type || !has_order || !has_shape) fail("the header lacks descr, fortran_order or shape");
    return header;
  }

 private:
  [[noreturn]] void fail(const std::string& given) const { throw base::UsageError({path_, given, "", ""}); }
  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
  }
  bool accept(char c) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail(std::string("damaged header, '") + c + "' expected at byte " + std::to_string(at_));
  }
  std::string quoted() {
    skip_space();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '\'' && quote != '"')
      fail("damaged header, or a structured element type; allowed: " + std::string(kTypes));
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) fail("damaged header, unterminated string");
    std::string result(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return result;
  }
  bool boolean() {
    skip_space();
    for (const std::string_view word : {std::string_view("True"), std::string_view("False")}) {
      if (text_.substr(at_, word.size()) == word) {
        at_ += word.size();
        return word == "True";
      }
    }
    fail("damaged header, True or False expected");
  }
  std::int64_t number() {
    skip_space();
    std::int64_t value = 0;
    const std::size_t first = at_;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      if (__builtin_mul_overflow(value, 10, &value) ||
          __builtin_add_overflow(value, text_[at_] - '0', &value)) {
        fail("a dimension of more than 63 bits");
      }
    }
    if (at_ == first) fail("damaged header, a non-negative dimension expected");
    return value;
  }
  Shape tuple() {
    Shape shape;
    expect('(');
    while (!accept(')')) {
      if (shape.size() == kMaxRank) fail("more than " + std::to_string(kMaxRank) + " dimensions");
      shape.push_back(number());
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return shape;
  }

  std::string_view text_;
  const std::string& path_;
  std::size_t at_ = 0;
};

/// Splits a file into header text and data.
std::pair<std::string_view, std::string_view> split(std::string_view bytes, const std::string& path) {
  const auto fail = [&](const std::string& given) {
    throw base::UsageError({path, given, "a NumPy .npy file", ""});
  };
  if (bytes.size() < 10 || bytes.substr(0, kMagic.size()) != kMagic) fail("is not a NumPy file");
  const int version = static_cast<unsigned char>(bytes[6]);
  if (version < 1 || version > 3) fail("has format version " + std::to_string(version) + " (known: 1 to 3)");
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  std::uint32_t length = 0;
  if (bytes.size() < 8 + length_bytes) fail("is truncated in its header");
  std::memcpy(&length, bytes.data() + 8, length_bytes);
  const std::size_t start = 8 + length_bytes;
  if (bytes.size() - start < length) fail("is truncated in its header");
  return {bytes.substr(start, length), bytes.substr(start + length)};
}

/// Elements of stored type S as values of type T.
template <class S, class T, class Convert>
Data convert(std::string_view bytes, std::size_t count, Convert convert_one) {
  std::vector<T> values(count);
  if constexpr (std::is_same_v<S, T>) {
    if (count != 0) std::memcpy(values.data(), bytes.data(), count * sizeof(S));
  } else {
    for (std::size_t i = 0; i < count; ++i) {
      S stored;
      std::memcpy(&stored, bytes.data() + i * sizeof(S), sizeof(S));
      values[i] = convert_one(stored);
    }
  }
  return values;
}
template <class S, class T>
Data convert(std::string_view bytes, std::size_t count) {
  return convert<S, T>(bytes, count, [](S stored) { return static_cast<T>(stored); });
}

struct ElementType {
  const char* name;  ///< without the byte order
  std::size_t size;
  Data (*read)(std::string_view, std::size_t);
};

constexpr ElementType kElementTypes[] = {
    {"f4", 4, convert<float, float>},
    {"f8", 8, convert<double, float>},
    {"f2", 2,
     [](std::string_view bytes, std::size_t count) {
       return convert<std::uint16_t, float>(bytes, count, half_to_float);
     }},
    {"b1", 1, convert<std::uint8_t, std::uint8_t>},
    {"u1", 1, convert<std::uint8_t, std::uint8_t>},
    {"i1", 1, convert<std::int8_t, std::int8_t>},
    {"i2", 2, convert<std::int16_t, std::int32_t>},
    {"u2", 2, convert<std::uint16_t, std::int32_t>},
    {"i4", 4, convert<std::int32_t, std::int32_t>},
    {"u4", 4, convert<std::uint32_t, std::int64_t>},
    {"i8", 8, convert<std::int64_t, std::int64_t>},
};

const ElementType& element_type(const std::string& type, const std::string& path) {
  const auto* found =
      std::find_if(std::begin(kElementTypes), std::end(kElementTypes),
                   [&](const ElementType& t) { return type.size() > 1 && type.substr(1) == t.name; });
  const bool order_known = !type.empty() && (type[0] == '<' || type[0] == '|');
  if (found == std::end(kElementTypes) || !order_known) {
    throw base::UsageError(
        {path, "element type '" + type.substr(0, 32) + "'", kTypes, "convert it with numpy.astype"});
  }
  return *found;
}

/// From column-major to row-major.
template <class T>
std::vector<T> reorder(const std::vector<T>& in, const Shape& shape) {
  std::vector<T> out(in.size());
  std::vector<std::int64_t> index(shape.size(), 0);
  for (T& value : out) {
    std::size_t at = 0;
    for (std::size_t d = shape.size(); d-- > 0;) {
      at = at * static_cast<std::size_t>(shape[d]) + static_cast<std::size_t>(index[d]);
    }
    value = in[at];
    for (std::size_t d = shape.size(); d-- > 0 && ++index[d] == shape[d];) index[d] = 0;
  }
  return out;
}

}  // namespace

Tensor load_npy(const std::string& path) {
  const std::string bytes = base::read_file(path, std::numeric_limits<std::int64_t>::max());
  const auto [text, data] = split(bytes, path);
  const Header header = HeaderParser(text, path).parse();
  const ElementType& type = element_type(header.type, path);
  std::int64_t count = 0;
  try {
    count = element_count(header.shape);
  } catch (const std::overflow_error& error) {
    throw base::UsageError({path, error.what(), "", ""});
  }
  const auto present = static_cast<std::int64_t>(data.size() / type.size);
  if (count != present || data.size() % type.size != 0) {
    throw base::UsageError({path,
                            "the header says shape " + to_string(header.shape) + " of '" + header.type +
                                "', but " + std::to_string(data.size()) + " bytes follow",
                            "", "the file is truncated or damaged"});
  }
  Tensor tensor{header.shape, type.read(data, static_cast<std::size_t>(count))};
  if (header.fortran_order && header.shape.size() > 1) {
    std::visit([&](auto& values) { values = reorder(values, header.shape); }, tensor.data);
  }
  return tensor;
}

std::optional<StoredFloats> stored_floats(const std::string& path) {
  constexpr std::size_t kMostHeader = std::size_t{1} << 16;
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return std::nullopt;
  std::string bytes(kMostHeader, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, file.gcount())));
  try {
    const auto [text, data] = split(bytes, path);
    const Header header = HeaderParser(text, path).parse();
    const std::int64_t offset = data.data() - bytes.data();
    const auto length = static_cast<std::int64_t>(std::filesystem::file_size(path));
    const std::int64_t count = element_count(header.shape);
    const bool row_major = !header.fortran_order || header.shape.size() < 2;
    if (header.type != "<f4" || !row_major || (length - offset) % 4 != 0 || (length - offset) / 4 != count)
      return std::nullopt;
    return StoredFloats{header.shape, offset};
  } catch (const std::exception&) {
    return std::nullopt;  // load_npy() says what is wrong with it
  }
}

}  // namespace bitline::tensor
