// SPDX-License-Identifier: Apache-2.0
#include "mapper/onnx/model_reader.h"

#include <fcntl.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/wire_format_lite.h>
#include <onnx/onnx_pb.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "models/base/errors.h"

namespace bitline::onnx {

namespace {

using google::protobuf::MessageLite;
using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

void require_size(std::int64_t size, const std::string& name,
                  std::int64_t most = MappedFile::kLargestMessage) {
  if (size == 0) throw base::NetworkError({name, "is empty", "an ONNX model", ""});
  if (size > most) {
    throw base::NetworkError({name, "has " + std::to_string(size) + " bytes", "less than 2 GiB", ""});
  }
}

[[noreturn]] void fail_to_read(const std::string& path, const std::string& what) {
  throw base::UsageError({path, what, "", ""});
}

CodedInputStream stream_of(std::string_view bytes) {
  return CodedInputStream(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                          static_cast<int>(bytes.size()));
}

/// Adds the fields of a serialised message to `message`.
bool merge(std::string_view bytes, MessageLite& message) {
  CodedInputStream input = stream_of(bytes);
  return message.MergePartialFromCodedStream(&input) && input.ConsumedEntireMessage();
}

/// Gives each value of the length-delimited field `special` to `take` and adds all other fields to `message`;
/// false if the bytes are no message or `take` says so.
template <class Take>
bool read_message(std::string_view bytes, int special, MessageLite& message, const Take& take) {
  const std::uint32_t wanted = WireFormatLite::MakeTag(special, WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
  CodedInputStream input = stream_of(bytes);
  std::size_t others = 0;  // first byte of the fields before that are not in `message` yet
  for (;;) {
    const auto at = static_cast<std::size_t>(input.CurrentPosition());
    const std::uint32_t tag = input.ReadTag();
    if (tag == 0) return input.ConsumedEntireMessage() && merge(bytes.substr(others), message);
    if (tag != wanted) {
      if (!WireFormatLite::SkipField(&input, tag)) return false;
      continue;
    }
    std::uint32_t size = 0;
    if (!input.ReadVarint32(&size)) return false;
    const auto first = static_cast<std::size_t>(input.CurrentPosition());
    if (bytes.size() - first < size || !input.Skip(static_cast<int>(size))) return false;
    if (!merge(bytes.substr(others, at - others), message) || !take(bytes.substr(first, size))) return false;
    others = first + size;
  }
}

}  // namespace

MappedFile::MappedFile(const std::string& path, std::int64_t most)
    : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  if (descriptor_ < 0) fail_to_read(path, std::string("cannot be read: ") + std::strerror(errno));
  struct stat status {};
  const bool regular = ::fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode);
  if (regular && status.st_size > 0 && status.st_size <= most) {
    size_ = static_cast<std::size_t>(status.st_size);
    data_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor_, 0);
  }
  const int error = errno;
  try {
    if (!regular) fail_to_read(path, "is not a regular file");
    require_size(status.st_size, path, most);
    if (data_ == MAP_FAILED) fail_to_read(path, std::string("cannot be read: ") + std::strerror(error));
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

MappedFile::~MappedFile() {
  ::munmap(data_, size_);
  ::close(descriptor_);
}

RawInitializers read_model(std::string_view bytes, int descriptor, const std::string& name,
                           ::onnx::ModelProto& model) {
  require_size(static_cast<std::int64_t>(bytes.size()), name);
  const google::protobuf::LogSilencer quiet;
  RawInitializers raw;
  const auto take_raw = [&](std::string_view data) {
    raw.back().emplace(data, descriptor, static_cast<std::size_t>(data.data() - bytes.data()));
    return true;
  };
  const auto take_initializer = [&](std::string_view tensor) {
    raw.emplace_back();
    return read_message(tensor, ::onnx::TensorProto::kRawDataFieldNumber,
                        *model.mutable_graph()->add_initializer(), take_raw);
  };
  const auto take_graph = [&](std::string_view graph) {
    return read_message(graph, ::onnx::GraphProto::kInitializerFieldNumber, *model.mutable_graph(),
                        take_initializer);
  };
  if (!read_message(bytes, ::onnx::ModelProto::kGraphFieldNumber, model, take_graph)) {
    throw base::NetworkError({name, "is not an ONNX model, or is truncated or damaged", "an ONNX model", ""});
  }
  return raw;
}

}  // namespace bitline::onnx
