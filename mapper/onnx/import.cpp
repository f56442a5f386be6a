// SPDX-License-Identifier: Apache-2.0
#include "mapper/onnx/import.h"

#include <fcntl.h>
#include <google/protobuf/stubs/logging.h>
#include <onnx/onnx_pb.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <limits>

#include "mapper/onnx/importer.h"
#include "mapper/onnx/tensor_proto.h"
#include "models/base/errors.h"
#include "models/base/files.h"

namespace bitline::onnx {

namespace {

/// The largest message that protobuf reads.
constexpr std::int64_t kLargestFile = std::numeric_limits<std::int32_t>::max();

void require_size(std::int64_t size, const std::string& name) {
  if (size == 0) throw base::NetworkError({name, "is empty", "an ONNX model", ""});
  if (size > kLargestFile) {
    throw base::NetworkError({name, "has " + std::to_string(size) + " bytes", "less than 2 GiB", ""});
  }
}

[[noreturn]] void fail_to_read(const std::string& path, const std::string& what) {
  throw base::UsageError({path, what, "", ""});
}

/// A file's contents without a copy of them.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) fail_to_read(path, std::string("cannot be read: ") + std::strerror(errno));
    struct stat status {};
    const bool regular = ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    // Mapped at once (MAP_POPULATE), so only when the size is known to be acceptable.
    if (regular && status.st_size > 0 && status.st_size <= kLargestFile) {
      size_ = static_cast<std::size_t>(status.st_size);
      data_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    }
    const int error = errno;
    ::close(fd);
    if (!regular) fail_to_read(path, "is not a regular file");
    require_size(status.st_size, path);
    if (data_ == MAP_FAILED) fail_to_read(path, std::string("cannot be read: ") + std::strerror(error));
  }
  ~MappedFile() {
    if (size_ > 0) ::munmap(data_, size_);
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  [[nodiscard]] std::string_view bytes() const { return {static_cast<const char*>(data_), size_}; }

 private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

void parse(std::string_view bytes, const std::string& name, ::onnx::ModelProto& model) {
  require_size(static_cast<std::int64_t>(bytes.size()), name);
  const google::protobuf::LogSilencer quiet;
  if (!model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    throw base::NetworkError({name, "is not an ONNX model, or is truncated or damaged", "an ONNX model", ""});
  }
}

}  // namespace

graph::Graph import_onnx(const std::string& path, const ImportOptions& options) {
  ::onnx::ModelProto model;
  parse(MappedFile(path).bytes(), path, model);
  return import_model(model, path, options);
}

graph::Graph import_onnx_bytes(std::string_view bytes, const std::string& name,
                               const ImportOptions& options) {
  ::onnx::ModelProto model;
  parse(bytes, name, model);
  return import_model(model, name, options);
}

tensor::Tensor load_tensor_pb(const std::string& path) {
  const std::string bytes = base::read_file(path, kLargestFile);
  const google::protobuf::LogSilencer quiet;
  ::onnx::TensorProto proto;
  if (!proto.ParseFromString(bytes)) {
    throw base::UsageError({path, "is not an ONNX TensorProto, or is truncated or damaged", "", ""});
  }
  try {
    return take_tensor(proto);
  } catch (const std::invalid_argument& error) {
    throw base::UsageError({path, error.what(), "", ""});
  }
}

}  // namespace bitline::onnx
