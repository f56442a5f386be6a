// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "mapper/onnx/import.h"
#include "models/base/errors.h"
#include "sim/images_source.h"

namespace bitline::sim {
namespace {

namespace fs = std::filesystem;
using tensor::Shape;
using tensor::Tensor;

/// How many images `given` holds for a network input of shape `wanted`; none if the shapes do not fit.
std::optional<std::int64_t> images_in(const Shape& given, const Shape& wanted) {
  if (given == wanted) return 1;
  if (wanted.empty()) return std::nullopt;
  const Shape inner(wanted.begin() + 1, wanted.end());
  if (wanted.front() == 1 && given == inner) return 1;
  if (given.size() != wanted.size() || !std::equal(inner.begin(), inner.end(), given.begin() + 1))
    return std::nullopt;
  if (given.front() % wanted.front() != 0) return std::nullopt;
  return given.front() / wanted.front();
}

std::string batched(const Shape& wanted) {
  if (wanted.empty()) return "a scalar";
  std::string out = wanted.front() == 1 ? "N" : fmt::format("(a multiple of {})", wanted.front());
  for (std::size_t d = 1; d < wanted.size(); ++d) out += fmt::format("x{}", wanted[d]);
  return out;
}

std::vector<fs::path> arrays_of(const fs::path& folder, const std::string& option) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    if (is_array(it->path())) files.push_back(it->path());
  if (error)
    refuse(option + " " + folder.string(), "cannot be read: " + error.message(), "a folder of arrays");
  if (files.empty())
    refuse(option + " " + folder.string(), "has no .npy or .pb file",
           "a folder of arrays, or one with a folder of PNG or JPEG files per class");
  std::sort(files.begin(), files.end());
  return files;
}

/// The file of a folder that belongs to input `index`.
fs::path file_of_input(const std::vector<fs::path>& files, const graph::Graph& graph, std::size_t index,
                       const std::string& where) {
  const std::string& name = graph.values[static_cast<std::size_t>(graph.inputs[index])].name;
  for (const std::string& stem : {file_name(name), fmt::format("input_{}", index)})
    for (const fs::path& file : files)
      if (file.stem() == stem) return file;
  refuse(where, fmt::format("has no file for the network's input '{}'", name),
         fmt::format("{}.npy or input_{}.npy (or .pb)", file_name(name), index));
}

/// The images of one file for one input.
class ArrayFile {
 public:
  virtual ~ArrayFile() = default;
  [[nodiscard]] virtual std::vector<float> read(std::int64_t first, std::size_t count) const = 0;
};

/// Float32 in C order: read where it lies.
class StoredFloats final : public ArrayFile {
 public:
  StoredFloats(const fs::path& path, const std::string& where, std::int64_t offset)
      : file_(path, where), offset_(offset) {}
  std::vector<float> read(std::int64_t first, std::size_t count) const override {
    std::vector<float> values(count);
    file_.read(offset_ + first * static_cast<std::int64_t>(sizeof(float)),
               {reinterpret_cast<std::uint8_t*>(values.data()), count * sizeof(float)});
    return values;
  }

 private:
  PiecewiseFile file_;
  std::int64_t offset_;
};

/// Any other array: converted when it is loaded.
class HeldFloats final : public ArrayFile {
 public:
  explicit HeldFloats(std::vector<float> values) : values_(std::move(values)) {}
  std::vector<float> read(std::int64_t first, std::size_t count) const override {
    const auto begin = values_.begin() + first;
    return {begin, begin + static_cast<std::ptrdiff_t>(count)};
  }

 private:
  std::vector<float> values_;
};

struct OpenArray {
  std::unique_ptr<const ArrayFile> file;
  std::int64_t images = 0;
};

void require_finite(const ArrayFile& file, std::int64_t elements, const std::string& where) {
  constexpr std::int64_t kPiece = std::int64_t{1} << 18;
  for (std::int64_t first = 0; first < elements; first += kPiece) {
    const std::vector<float> part =
        file.read(first, static_cast<std::size_t>(std::min(kPiece, elements - first)));
    const auto bad = std::find_if(part.begin(), part.end(), [](float v) { return !std::isfinite(v); });
    if (bad != part.end())
      refuse(where, fmt::format("has the value {} at element {}", *bad, first + (bad - part.begin())),
             "finite numbers");
  }
}

/// Opens `path` and checks it against a network input.
OpenArray open_array(const fs::path& path, const std::string& option, const graph::Value& input) {
  const std::string where = option + " " + path.string();
  OpenArray open;
  Shape shape;
  if (const auto stored = tensor::stored_floats(path.string())) {
    shape = stored->shape;
    open.file = std::make_unique<StoredFloats>(path, where, stored->offset);
  } else {
    Tensor array = load_array(path, option);
    if (!array.holds<float>())
      refuse(where, fmt::format("is {}", type_name(array)), "float32", "convert it with x.astype('float32')");
    shape = array.shape;
    open.file = std::make_unique<HeldFloats>(std::move(array.as<float>()));
  }
  const std::optional<std::int64_t> count = images_in(shape, input.shape);
  if (!count)
    refuse(where, "has shape " + tensor::to_string(shape),
           fmt::format("{} for the network's input '{}'", batched(input.shape), input.name));
  if (*count == 0) refuse(where, "holds no image (shape " + tensor::to_string(shape) + ")", "at least one");
  require_finite(*open.file, tensor::element_count(shape), where);
  open.images = *count;
  return open;
}

/// The files of one network input, one after another.
class InputColumn {
 public:
  InputColumn(const Shape& shape, const Normalisation& normalisation)
      : shape_(shape), normaliser_(normalisation, shape, 1) {}
  void add(OpenArray array) {
    count_ += array.images;
    ends_.push_back(count_);
    files_.push_back(std::move(array.file));
  }
  [[nodiscard]] std::int64_t count() const { return count_; }
  [[nodiscard]] Tensor read(std::int64_t index) const {
    const auto at =
        static_cast<std::size_t>(std::upper_bound(ends_.begin(), ends_.end(), index) - ends_.begin());
    const std::int64_t size = tensor::element_count(shape_);
    const std::int64_t start = at == 0 ? 0 : ends_[at - 1];
    std::vector<float> values = files_[at]->read((index - start) * size, static_cast<std::size_t>(size));
    normaliser_.apply(values);
    return {shape_, std::move(values)};
  }

 private:
  Shape shape_;
  Normaliser normaliser_;
  std::vector<std::unique_ptr<const ArrayFile>> files_;
  std::vector<std::int64_t> ends_;  ///< images up to and with each file
  std::int64_t count_ = 0;
};

class ArraySource final : public Images::Source {
 public:
  explicit ArraySource(std::vector<InputColumn> columns) : columns_(std::move(columns)) {}
  quantize::Inputs read(std::int64_t index) const override {
    quantize::Inputs inputs;
    for (const InputColumn& column : columns_) inputs.push_back(column.read(index));
    return inputs;
  }

 private:
  std::vector<InputColumn> columns_;
};

/// `by_input`: the files of each network input, one after another.
Images open_files(const graph::Graph& graph, const std::vector<std::vector<fs::path>>& by_input,
                  const std::string& option, const std::string& where, const Normalisation& normalisation) {
  std::vector<InputColumn> columns;
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
    const graph::Value& input = graph.values[static_cast<std::size_t>(graph.inputs[i])];
    InputColumn column(input.shape, normalisation);
    for (const fs::path& file : by_input[i]) column.add(open_array(file, option, input));
    if (!columns.empty() && column.count() != columns.front().count())
      refuse(where,
             fmt::format("has {} images for input '{}' and {} for the first input", column.count(),
                         input.name, columns.front().count()),
             "as many for each input");
    columns.push_back(std::move(column));
  }
  const std::int64_t count = columns.empty() ? 0 : columns.front().count();
  return {count, std::make_shared<const ArraySource>(std::move(columns))};
}

}  // namespace

Images open_arrays(const ReadRequest& request) {
  const graph::Graph& graph = request.graph;
  std::error_code error;
  const bool folder = fs::is_directory(request.path, error);
  if (!folder && graph.inputs.size() > 1)
    refuse(request.where(), fmt::format("is one file for a network of {} inputs", graph.inputs.size()),
           "a folder with one file per input, or name=file for each of them");
  const std::vector<fs::path> files =
      folder ? arrays_of(request.path, request.option) : std::vector<fs::path>{request.path};
  if (graph.inputs.size() == 1)
    return open_files(graph, {files}, request.option, request.where(), request.normalisation);
  std::vector<std::vector<fs::path>> by_input;
  for (std::size_t i = 0; i < graph.inputs.size(); ++i)
    by_input.push_back({file_of_input(files, graph, i, request.where())});
  return open_files(graph, by_input, request.option, request.where(), request.normalisation);
}

Images load_named_images(const graph::Graph& graph, const std::vector<std::string>& named,
                         const std::string& option, const Normalisation& normalisation) {
  std::map<std::string, std::string> given;
  std::vector<base::Problem> problems;
  std::string names;
  for (const graph::ValueId id : graph.inputs)
    names += (names.empty() ? "" : ", ") + graph.values[static_cast<std::size_t>(id)].name;
  for (const std::string& text : named) {
    const std::size_t equals = text.find('=');
    const std::string name = text.substr(0, equals);
    const bool known = std::any_of(graph.inputs.begin(), graph.inputs.end(), [&](graph::ValueId id) {
      return graph.values[static_cast<std::size_t>(id)].name == name;
    });
    if (equals == std::string::npos || !known)
      problems.push_back({fmt::format("{} {}", option, text), "names no input of the network", names, ""});
    else if (!given.emplace(name, text.substr(equals + 1)).second)
      problems.push_back(
          {fmt::format("{} {}", option, text), "the input is given twice", "each input once", ""});
  }
  std::vector<std::vector<fs::path>> by_input;
  for (const graph::ValueId id : graph.inputs) {
    const std::string& name = graph.values[static_cast<std::size_t>(id)].name;
    if (!given.contains(name))
      problems.push_back({option, fmt::format("the network's input '{}' is not given", name),
                          fmt::format("{} {}=file", option, name), ""});
    else
      by_input.push_back({given.at(name)});
  }
  if (!problems.empty()) throw base::UsageError(std::move(problems));
  return open_files(graph, by_input, option, option, normalisation);
}

}  // namespace bitline::sim
