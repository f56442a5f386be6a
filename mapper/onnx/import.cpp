// SPDX-License-Identifier: Apache-2.0
#include "mapper/onnx/import.h"

#include <fcntl.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <google/protobuf/stubs/logging.h>
#include <onnx/onnx_pb.h>
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

template <class Parse>
graph::Graph parse_and_import(const std::string& name, const ImportOptions& options, Parse parse) {
  const google::protobuf::LogSilencer quiet;
  ::onnx::ModelProto model;
  if (!parse(model)) {
    throw base::NetworkError({name, "is not an ONNX model, or is truncated or damaged", "an ONNX model", ""});
  }
  return import_model(model, name, options);
}

}  // namespace

graph::Graph import_onnx(const std::string& path, const ImportOptions& options) {
  const auto fail = [&](const std::string& what) { throw base::UsageError({path, what, "", ""}); };
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) fail(std::string("cannot be read: ") + std::strerror(errno));
  google::protobuf::io::FileInputStream stream(fd, 1 << 20);
  stream.SetCloseOnDelete(true);
  struct stat status {};
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) fail("is not a regular file");
  require_size(status.st_size, path);
  return parse_and_import(path, options, [&](::onnx::ModelProto& model) { return model.ParseFromZeroCopyStream(&stream); });
}

graph::Graph import_onnx_bytes(std::string_view bytes, const std::string& name, const ImportOptions& options) {
  require_size(static_cast<std::int64_t>(bytes.size()), name);
  return parse_and_import(name, options, [&](::onnx::ModelProto& model) {
    return model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  });
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
