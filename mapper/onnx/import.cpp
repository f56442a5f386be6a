// SPDX-License-Identifier: Apache-2.0
#include "mapper/onnx/import.h"

#include <google/protobuf/stubs/logging.h>
#include <onnx/onnx_pb.h>

#include <filesystem>
#include <limits>

#include "mapper/onnx/external_data.h"
#include "mapper/onnx/importer.h"
#include "mapper/onnx/model_reader.h"
#include "mapper/onnx/tensor_proto.h"
#include "mapper/onnx/unread.h"
#include "models/base/errors.h"
#include "models/base/files.h"

namespace bitline::onnx {

namespace {

/// What `import` gives with the weights unread if the options say so, unless values are needed.
template <class Import>
graph::Graph with_weights_as_needed(const ImportOptions& options, const Import& import) {
  if (options.shapes_only) {
    try {
      return import(options);
    } catch (const NeedsValues&) {
    }
  }
  ImportOptions all = options;
  all.shapes_only = false;
  return import(all);
}

graph::Graph read_onnx(const MappedFile& file, const std::string& path, const ImportOptions& options) {
  ::onnx::ModelProto model;
  const RawInitializers raw = read_model(file.bytes(), file.descriptor(), path, model);
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  ExternalData external(folder.empty() ? "." : folder);
  return import_model(model, {raw, external}, path, options);
}

}  // namespace

graph::Graph import_onnx(const std::string& path, const ImportOptions& options) {
  const MappedFile file(path);
  return with_weights_as_needed(options,
                                [&](const ImportOptions& chosen) { return read_onnx(file, path, chosen); });
}

graph::Graph import_onnx_bytes(std::string_view bytes, const std::string& name,
                               const ImportOptions& options) {
  return with_weights_as_needed(options, [&](const ImportOptions& chosen) {
    ::onnx::ModelProto model;
    const RawInitializers raw = read_model(bytes, -1, name, model);
    ExternalData external({});
    return import_model(model, {raw, external}, name, chosen);
  });
}

tensor::Tensor load_tensor_pb(const std::string& path) {
  const std::string bytes = base::read_file(path, std::numeric_limits<std::int32_t>::max());
  const google::protobuf::LogSilencer quiet;
  ::onnx::TensorProto proto;
  if (!proto.ParseFromString(bytes)) {
    throw base::UsageError({path, "is not an ONNX TensorProto, or is truncated or damaged", "", ""});
  }
  try {
    return take_tensor(proto, {});
  } catch (const std::invalid_argument& error) {
    throw base::UsageError({path, error.what(), "", ""});
  }
}

}  // namespace bitline::onnx
