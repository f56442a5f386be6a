// SPDX-License-Identifier: Apache-2.0
#include "sim/images.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>

#include "mapper/onnx/import.h"
#include "models/base/errors.h"

namespace bitline::sim {
namespace {

namespace fs = std::filesystem;
using tensor::Shape;
using tensor::Tensor;

[[noreturn]] void refuse(const std::string& where, std::string given, std::string allowed,
                         std::string remedy = {}) {
  throw base::UsageError(base::Problem{where, std::move(given), std::move(allowed), std::move(remedy)});
}

bool is_array(const fs::path& path) {
  return path.extension() == ".npy" || path.extension() == ".pb";
}

Tensor load_array(const fs::path& path, const std::string& option) {
  const std::string where = option + " " + path.string();
  std::error_code error;
  if (!fs::is_regular_file(path, error)) refuse(where, "there is no such file", "a .npy or .pb file");
  if (!is_array(path))
    refuse(where, "unknown kind of file '" + path.extension().string() + "'",
           "a .npy or .pb file, or a folder of them");
  try {
    return path.extension() == ".npy" ? tensor::load_npy(path.string()) : onnx::load_tensor_pb(path.string());
  } catch (const base::UsageError& fault) {
    std::vector<base::Problem> problems = fault.problems();
    for (base::Problem& problem : problems) problem.where = option + " " + problem.where;
    throw base::UsageError(std::move(problems));
  }
}

const char* type_name(const Tensor& t) {
  constexpr const char* kNames[] = {"float32", "int64", "int32", "int8", "uint8", "float64"};
  static_assert(std::variant_size_v<tensor::Data> == std::size(kNames));
  return kNames[t.data.index()];
}

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

/// Checks `array` against a network input and appends its images.
void append_images(const Tensor& array, const graph::Value& input, const std::string& where,
                   std::vector<Tensor>& images) {
  if (!array.holds<float>())
    refuse(where, fmt::format("is {}", type_name(array)), "float32", "convert it with x.astype('float32')");
  const std::optional<std::int64_t> count = images_in(array.shape, input.shape);
  if (!count)
    refuse(where, "has shape " + tensor::to_string(array.shape),
           fmt::format("{} for the network's input '{}'", batched(input.shape), input.name));
  if (*count == 0)
    refuse(where, "holds no image (shape " + tensor::to_string(array.shape) + ")", "at least one");
  const std::vector<float>& values = array.as<float>();
  const auto bad = std::find_if(values.begin(), values.end(), [](float v) { return !std::isfinite(v); });
  if (bad != values.end())
    refuse(where, fmt::format("has the value {} at element {}", *bad, bad - values.begin()),
           "finite numbers");
  const auto size = static_cast<std::ptrdiff_t>(tensor::element_count(input.shape));
  for (std::int64_t i = 0; i < *count; ++i) {
    const auto first = values.begin() + i * size;
    images.push_back({input.shape, std::vector<float>(first, first + size)});
  }
}

std::vector<fs::path> arrays_of(const fs::path& folder, const std::string& option) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    if (is_array(it->path())) files.push_back(it->path());
  if (error)
    refuse(option + " " + folder.string(), "cannot be read: " + error.message(), "a folder of arrays");
  if (files.empty()) refuse(option + " " + folder.string(), "has no .npy or .pb file", "a folder of arrays");
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

/// [input][image]
std::vector<std::vector<Tensor>> load_columns(const graph::Graph& graph, const fs::path& path,
                                              const std::string& option) {
  std::vector<std::vector<Tensor>> columns(graph.inputs.size());
  std::error_code error;
  const bool folder = fs::is_directory(path, error);
  if (!folder && graph.inputs.size() > 1)
    refuse(option + " " + path.string(),
           fmt::format("is one file for a network of {} inputs", graph.inputs.size()),
           "a folder with one file per input");
  const std::vector<fs::path> files = folder ? arrays_of(path, option) : std::vector<fs::path>{path};
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const graph::Value& input = graph.values[static_cast<std::size_t>(graph.inputs[i])];
    const bool all = columns.size() == 1;
    for (const fs::path& file :
         all ? files : std::vector<fs::path>{file_of_input(files, graph, i, option + " " + path.string())})
      append_images(load_array(file, option), input, option + " " + file.string(), columns[i]);
    if (columns[i].size() != columns[0].size())
      refuse(option + " " + path.string(),
             fmt::format("has {} images for input '{}' and {} for the first input", columns[i].size(),
                         input.name, columns[0].size()),
             "as many for each input");
  }
  return columns;
}

/// splitmix64 (Steele, Lea and Flood, OOPSLA 2014): the same sequence on every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  /// Uniform in [0, 1), a multiple of 2^-24.
  float next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return static_cast<float>((z ^ (z >> 31)) >> 40) * 0x1p-24F;
  }

 private:
  std::uint64_t state_;
};

template <class... Types>
std::optional<std::vector<std::int64_t>> as_integers(const Tensor& t) {
  std::optional<std::vector<std::int64_t>> out;
  const auto take = [&]<class T>(const T*) {
    if (t.holds<T>()) out.emplace(t.as<T>().begin(), t.as<T>().end());
  };
  (take(static_cast<const Types*>(nullptr)), ...);
  return out;
}

}  // namespace

Images load_images(const graph::Graph& graph, const std::string& path, const std::string& option) {
  std::vector<std::vector<Tensor>> columns = load_columns(graph, path, option);
  Images images(columns.empty() ? 0 : columns.front().size());
  for (std::size_t i = 0; i < images.size(); ++i)
    for (std::vector<Tensor>& column : columns) images[i].push_back(std::move(column[i]));
  return images;
}

Images random_images(const graph::Graph& graph, std::int64_t count, std::uint64_t seed) {
  std::int64_t elements = 0;
  for (const graph::ValueId input : graph.inputs) elements += tensor::element_count(graph.shape(input));
  constexpr std::int64_t kMostElements = std::int64_t{1} << 28;
  if (elements > 0 && count > kMostElements / elements)
    refuse("--batch", fmt::format("{} random images", count),
           fmt::format("at most {} of this network (1 GiB)", kMostElements / elements),
           "give images with --input");
  Random random(seed);
  Images images(static_cast<std::size_t>(count));
  for (quantize::Inputs& image : images) {
    for (const graph::ValueId input : graph.inputs) {
      std::vector<float> values(static_cast<std::size_t>(tensor::element_count(graph.shape(input))));
      for (float& v : values) v = random.next();
      image.push_back({graph.shape(input), std::move(values)});
    }
  }
  return images;
}

std::vector<std::int64_t> load_labels(const std::string& path, std::int64_t images, std::int64_t classes) {
  const std::string where = "--labels " + path;
  const Tensor array = load_array(path, "--labels");
  auto labels = as_integers<std::int64_t, std::int32_t, std::int8_t, std::uint8_t>(array);
  if (!labels)
    refuse(where, fmt::format("is {}", type_name(array)), "integers", "convert it with y.astype('int64')");
  if (static_cast<std::int64_t>(labels->size()) != images)
    refuse(where, fmt::format("has {} labels for {} images", labels->size(), images), "one label per image");
  for (std::size_t i = 0; i < labels->size(); ++i)
    if ((*labels)[i] < 0 || (*labels)[i] >= classes)
      refuse(where, fmt::format("label {} at element {}", (*labels)[i], i),
             fmt::format("0 to {}, the network has {} outputs", classes - 1, classes));
  return *labels;
}

std::string file_name(const std::string& name) {
  std::string out = name;
  for (char& c : out) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.';
    if (!plain) c = '_';
  }
  if (out.find_first_not_of('.') == std::string::npos) out.insert(0, 1, '_');
  return out;
}

std::int64_t rank_of(const Tensor& scores, std::int64_t label) {
  const std::vector<float>& values = scores.as<float>();
  const auto at = static_cast<std::size_t>(label);
  std::int64_t rank = 0;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (values[i] > values[at] || (values[i] == values[at] && i < at)) ++rank;
  return rank;
}

}  // namespace bitline::sim
