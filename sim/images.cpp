// SPDX-License-Identifier: Apache-2.0
#include "sim/images.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <system_error>

#include "mapper/onnx/import.h"
#include "models/base/errors.h"
#include "sim/images_source.h"

namespace bitline::sim {
namespace {

namespace fs = std::filesystem;
using tensor::Shape;
using tensor::Tensor;

/// splitmix64 (Steele, Lea and Flood, OOPSLA 2014): the same sequence on every machine. Each draw adds a
/// constant to the state, so that any image can be drawn by itself.
class RandomSource final : public Images::Source {
 public:
  RandomSource(const graph::Graph& graph, std::uint64_t seed) : seed_(seed) {
    for (const graph::ValueId input : graph.inputs) shapes_.push_back(graph.shape(input));
    for (const Shape& shape : shapes_) elements_ += static_cast<std::uint64_t>(tensor::element_count(shape));
  }
  quantize::Inputs read(std::int64_t index) const override {
    std::uint64_t state = seed_ + static_cast<std::uint64_t>(index) * elements_ * kStep;
    quantize::Inputs inputs;
    for (const Shape& shape : shapes_) {
      std::vector<float> values(static_cast<std::size_t>(tensor::element_count(shape)));
      for (float& v : values) v = uniform(state += kStep);
      inputs.push_back({shape, std::move(values)});
    }
    return inputs;
  }

 private:
  static constexpr std::uint64_t kStep = 0x9e3779b97f4a7c15U;
  /// In [0, 1), a multiple of 2^-24.
  static float uniform(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return static_cast<float>((z ^ (z >> 31)) >> 40) * 0x1p-24F;
  }

  std::uint64_t seed_;
  std::vector<Shape> shapes_;
  std::uint64_t elements_ = 0;  ///< of one image
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

/// One number per channel, of `given` numbers.
std::vector<float> per_channel(const std::vector<double>& given, std::size_t channels, float none,
                               const char* option) {
  if (given.empty()) return std::vector<float>(channels, none);
  if (given.size() != 1 && given.size() != channels)
    refuse(option, fmt::format("{} numbers", given.size()),
           channels == 1 ? "one number" : fmt::format("one number, or {}, one per channel", channels));
  std::vector<float> numbers(channels, static_cast<float>(given.front()));
  if (given.size() == channels)
    std::transform(given.begin(), given.end(), numbers.begin(),
                   [](double v) { return static_cast<float>(v); });
  return numbers;
}

}  // namespace

void refuse(const std::string& where, std::string given, std::string allowed, std::string remedy) {
  throw base::UsageError(base::Problem{where, std::move(given), std::move(allowed), std::move(remedy)});
}

PiecewiseFile::PiecewiseFile(const fs::path& path, std::string where) : where_(std::move(where)) {
  file_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status {};
  if (file_ < 0 || ::fstat(file_, &status) != 0) {
    const std::string reason = std::generic_category().message(errno);
    if (file_ >= 0) ::close(file_);
    refuse(where_, "cannot be read: " + reason, "a file that can be read");
  }
  size_ = status.st_size;
}

PiecewiseFile::~PiecewiseFile() {
  ::close(file_);
}

void PiecewiseFile::read(std::int64_t offset, std::span<std::uint8_t> bytes) const {
  while (!bytes.empty()) {
    const ::ssize_t got = ::pread(file_, bytes.data(), bytes.size(), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) refuse(where_, fmt::format("ends at byte {}", offset), "the whole file");
    bytes = bytes.subspan(static_cast<std::size_t>(got));
    offset += got;
  }
}

Normaliser::Normaliser(const Normalisation& given, const Shape& shape, double scale)
    : channels_(shape.size() >= 3 ? static_cast<std::size_t>(shape[1]) : 1),
      plane_(1),
      scale_(static_cast<float>(given.scale == 0 ? scale : given.scale)),
      mean_(per_channel(given.mean, channels_, 0, "--mean")),
      deviation_(per_channel(given.deviation, channels_, 1, "--std")) {
  const std::size_t inner =
      shape.empty()
          ? 1
          : static_cast<std::size_t>(tensor::element_count(shape) / std::max<std::int64_t>(1, shape.front()));
  plane_ = std::max<std::size_t>(1, inner / std::max<std::size_t>(1, channels_));
  const auto positive = [](float v) { return std::isfinite(v) && v > 0; };
  if (!positive(scale_)) refuse("--scale", fmt::format("{}", given.scale), "a number above 0");
  if (!std::all_of(deviation_.begin(), deviation_.end(), positive))
    refuse("--std", fmt::format("{}", given.deviation.front()), "numbers above 0");
  if (!std::all_of(mean_.begin(), mean_.end(), [](float v) { return std::isfinite(v); }))
    refuse("--mean", "a number that is not finite", "finite numbers");
}

void Normaliser::apply(std::span<float> values) const {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t channel = i / plane_ % channels_;
    values[i] = (values[i] / scale_ - mean_[channel]) / deviation_[channel];
  }
}

const graph::Value& ReadRequest::only_input(const std::string& format) const {
  if (graph.inputs.size() != 1)
    refuse(where(), fmt::format("is {} for a network of {} inputs", format, graph.inputs.size()),
           "a folder with one .npy or .pb file per input");
  return graph.values[static_cast<std::size_t>(graph.inputs.front())];
}

bool is_array(const fs::path& path) {
  return path.extension() == ".npy" || path.extension() == ".pb";
}

Tensor load_array(const fs::path& path, const std::string& option) {
  const std::string where = option + " " + path.string();
  std::error_code error;
  if (!fs::is_regular_file(path, error)) refuse(where, "there is no such file", "a file of images or labels");
  if (!is_array(path))
    refuse(
        where, "unknown kind of file '" + path.extension().string() + "'",
        "a .npy, .pb, CIFAR-10 .bin or IDX file, or a folder of arrays or of one folder of PNG or JPEG files "
        "per class",
        path.extension() == ".gz" ? "decompress it" : "");
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

std::vector<quantize::Inputs> Images::first(std::int64_t count) const {
  std::vector<quantize::Inputs> images;
  for (std::int64_t i = 0; i < std::min(count, count_); ++i) images.push_back(source_->read(i));
  return images;
}

Images load_images(const graph::Graph& graph, const std::string& path, const std::string& option,
                   const Normalisation& normalisation) {
  const ReadRequest request{graph, path, option, normalisation};
  std::error_code error;
  if (fs::is_directory(request.path, error))
    return has_class_folders(request.path) ? open_class_folders(request) : open_arrays(request);
  if (fs::is_regular_file(request.path, error) && !is_array(request.path)) {
    if (request.path.extension() == ".bin") return open_cifar(request);
    if (is_idx(request.path)) return open_idx(request);
  }
  return open_arrays(request);
}

Images random_images(const graph::Graph& graph, std::int64_t count, std::uint64_t seed) {
  std::int64_t elements = 0;
  for (const graph::ValueId input : graph.inputs) elements += tensor::element_count(graph.shape(input));
  constexpr std::int64_t kMostElements = std::int64_t{1} << 28;
  if (elements > 0 && count > kMostElements / elements)
    refuse("--batch", fmt::format("{} random images", count),
           fmt::format("at most {} of this network (1 GiB)", kMostElements / elements),
           "give images with --input");
  return {count, std::make_shared<const RandomSource>(graph, seed)};
}

void check_labels(const std::vector<std::int64_t>& labels, std::int64_t classes, const std::string& where) {
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (labels[i] < 0 || labels[i] >= classes)
      refuse(where, fmt::format("label {} at element {}", labels[i], i),
             fmt::format("0 to {}, the network has {} outputs", classes - 1, classes));
}

std::vector<std::int64_t> load_labels(const std::string& path, std::int64_t images, std::int64_t classes) {
  const std::string where = "--labels " + path;
  std::vector<std::int64_t> labels;
  if (!is_array(path) && is_idx(path)) {
    labels = load_idx_labels(path, "--labels");
  } else {
    const Tensor array = load_array(path, "--labels");
    auto integers = as_integers<std::int64_t, std::int32_t, std::int8_t, std::uint8_t>(array);
    if (!integers)
      refuse(where, fmt::format("is {}", type_name(array)), "integers", "convert it with y.astype('int64')");
    labels = std::move(*integers);
  }
  if (static_cast<std::int64_t>(labels.size()) != images)
    refuse(where, fmt::format("has {} labels for {} images", labels.size(), images), "one label per image");
  check_labels(labels, classes, where);
  return labels;
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
