// SPDX-License-Identifier: Apache-2.0
#include "mapper/onnx/external_data.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <stdexcept>
#include <system_error>

#include "models/base/errors.h"

namespace bitline::onnx {

namespace {

namespace fs = std::filesystem;

std::int64_t whole_number(const std::string& key, const std::string& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0)
    throw std::invalid_argument(key + " '" + text + "' of its external data is not a whole number");
  return value;
}

/// Whether `path`, links followed, lies in `folder`.
bool lies_inside(const fs::path& folder, const fs::path& path) {
  std::error_code error;
  const fs::path root = fs::weakly_canonical(folder, error);
  if (error) return false;
  const fs::path target = fs::weakly_canonical(path, error);
  if (error) return false;
  return std::mismatch(root.begin(), root.end(), target.begin(), target.end()).first == root.end();
}

}  // namespace

const MappedFile& ExternalData::file(const std::string& location) {
  std::unique_ptr<MappedFile>& known = files_[location];
  if (known) return *known;
  const fs::path given(location);
  const fs::path path = folder_ / given;
  if (given.empty() || given.is_absolute() || !lies_inside(folder_, path)) {
    throw std::invalid_argument("its data lie in '" + location +
                                "', outside of the model's folder; give a relative path inside it");
  }
  try {
    known = std::make_unique<MappedFile>(path.string(), std::numeric_limits<std::int64_t>::max());
  } catch (const base::Error& error) {
    throw std::invalid_argument("the file of its data, '" + location + "', " +
                                error.problems().front().given);
  }
  return *known;
}

std::optional<RawData> ExternalData::find(::onnx::TensorProto& tensor) {
  if (tensor.data_location() != ::onnx::TensorProto::EXTERNAL && tensor.external_data_size() == 0)
    return std::nullopt;
  if (folder_.empty()) {
    throw std::invalid_argument(
        "its data lie in another file, and the model was not read from a file; save it with its weights "
        "inside");
  }
  std::string location;
  std::int64_t offset = 0;
  std::int64_t length = -1;
  for (const auto& entry : tensor.external_data()) {
    if (entry.key() == "location") location = entry.value();
    if (entry.key() == "offset") offset = whole_number("offset", entry.value());
    if (entry.key() == "length") length = whole_number("length", entry.value());
  }
  const MappedFile& data = file(location);
  const auto size = static_cast<std::int64_t>(data.bytes().size());
  const std::int64_t first = std::min(offset, size);
  if (length < 0) length = size - first;
  if (length > size - first) {
    throw std::invalid_argument("its " + std::to_string(length) + " bytes from byte " +
                                std::to_string(offset) + " on are not all in '" + location + "', which has " +
                                std::to_string(size) + " bytes");
  }
  tensor.clear_external_data();
  tensor.clear_data_location();
  return RawData(data.bytes().substr(static_cast<std::size_t>(first), static_cast<std::size_t>(length)),
                 data.descriptor(), static_cast<std::size_t>(first));
}

}  // namespace bitline::onnx
