// SPDX-License-Identifier: Apache-2.0
// Formats of 8-bit pixels: CIFAR-10 (records of a label and 3x32x32 bytes), IDX (LeCun's format of MNIST: a
// magic number, big-endian dimensions, bytes) and folders of PNG or JPEG files, one per class.
#include <fmt/format.h>
#include <stb/stb_image.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <limits>

#include "models/base/errors.h"
#include "models/base/files.h"
#include "sim/images_source.h"

namespace bitline::sim {
namespace {

namespace fs = std::filesystem;
using tensor::Shape;

constexpr double kPixelScale = 255;
constexpr std::int64_t kLargestImageFile = std::int64_t{1} << 28;

std::vector<float> to_floats(std::span<const std::uint8_t> bytes) {
  return {bytes.begin(), bytes.end()};
}

/// Whether an item of dimensions `stored` can be an input: its dimensions but for ones, or flat.
bool fits(Shape stored, const Shape& wanted) {
  std::erase(stored, 1);
  Shape inner = wanted;
  std::erase(inner, 1);
  return inner == stored || inner == Shape{tensor::element_count(stored)};
}

/// Records of equal length in one file.
class RecordSource final : public Images::Source {
 public:
  RecordSource(std::shared_ptr<const PiecewiseFile> file, std::int64_t first, std::int64_t stride,
               const Shape& shape, const Normalisation& normalisation)
      : file_(std::move(file)),
        first_(first),
        stride_(stride),
        shape_(shape),
        normaliser_(normalisation, shape, kPixelScale) {}
  quantize::Inputs read(std::int64_t index) const override {
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(tensor::element_count(shape_)));
    file_->read(first_ + index * stride_, bytes);
    std::vector<float> values = to_floats(bytes);
    normaliser_.apply(values);
    return {{shape_, std::move(values)}};
  }

 private:
  std::shared_ptr<const PiecewiseFile> file_;
  std::int64_t first_;   ///< byte of the first image's pixels
  std::int64_t stride_;  ///< bytes from one image to the next
  Shape shape_;
  Normaliser normaliser_;
};

constexpr std::uint8_t kUnsignedBytes = 8;

/// Dimensions of an IDX file of bytes whose length fits them. Throws base::UsageError.
Shape idx_shape(const PiecewiseFile& file) {
  std::array<std::uint8_t, 4> magic{};
  file.read(0, magic);
  if (magic[2] != kUnsignedBytes)
    refuse(file.where(), fmt::format("is an IDX file of element type 0x{:02x}", magic[2]),
           "unsigned bytes (0x08)");
  Shape shape;
  std::int64_t elements = 1;
  const std::int64_t header = 4 + 4 * std::int64_t{magic[3]};
  for (std::int64_t d = 0; d < magic[3] && 8 + 4 * d <= file.size(); ++d) {
    std::array<std::uint8_t, 4> bytes{};
    file.read(4 + 4 * d, bytes);
    shape.push_back(std::int64_t{bytes[0]} << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3]);
    if (__builtin_mul_overflow(elements, shape.back(), &elements))
      refuse(file.where(), "has dimensions beyond 63 bits", "an IDX file");
  }
  if (std::ssize(shape) != magic[3] || file.size() - header != elements)
    refuse(file.where(),
           fmt::format("says {} bytes of {}, and has {}", elements, tensor::to_string(shape),
                       std::max<std::int64_t>(0, file.size() - header)),
           "a whole IDX file", "the file is truncated or damaged");
  return shape;
}

std::string extension(const fs::path& path) {
  std::string text = path.extension().string();
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

bool is_picture(const fs::path& path) {
  const std::string kind = extension(path);
  return kind == ".png" || kind == ".jpg" || kind == ".jpeg";
}

/// The entries of a folder but for hidden ones, by name. Throws base::UsageError.
std::vector<fs::path> entries(const fs::path& folder, const std::string& option) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    if (!it->path().filename().string().starts_with('.')) found.push_back(it->path());
  if (error)
    refuse(option + " " + folder.string(), "cannot be read: " + error.message(), "a folder of images");
  std::sort(found.begin(), found.end());
  return found;
}

/// Whether every chunk of a PNG file lies inside it (other files have none). The decoder takes memory for
/// what a chunk claims before it reads it.
bool chunks_lie_inside(const std::string& bytes) {
  constexpr std::size_t kSignature = 8, kHead = 8, kChecksum = 4;  // head: length and type
  if (!bytes.starts_with("\x89PNG")) return true;
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i]));
  };
  for (std::size_t at = kSignature; at + kHead <= bytes.size();) {
    const std::size_t length = byte(at) << 24 | byte(at + 1) << 16 | byte(at + 2) << 8 | byte(at + 3);
    if (length > bytes.size() - at - kHead) return false;
    at += kHead + length + kChecksum;
  }
  return true;
}

struct Size {
  int channels = 0, height = 0, width = 0;
};

/// One file per image, decoded when it is read.
class PictureSource final : public Images::Source {
 public:
  PictureSource(std::vector<fs::path> files, const Shape& shape, std::string option,
                const Normalisation& normalisation)
      : files_(std::move(files)),
        shape_(shape),
        size_{static_cast<int>(shape[1]), static_cast<int>(shape[2]), static_cast<int>(shape[3])},
        option_(std::move(option)),
        normaliser_(normalisation, shape, kPixelScale) {}

  quantize::Inputs read(std::int64_t index) const override {
    const fs::path& path = files_[static_cast<std::size_t>(index)];
    const std::string where = option_ + " " + path.string();
    const std::string bytes = base::read_file(path.string(), kLargestImageFile);
    const auto* data = reinterpret_cast<const stbi_uc*>(bytes.data());
    const auto length = static_cast<int>(bytes.size());
    int width = 0;
    int height = 0;
    int channels = 0;
    if (stbi_info_from_memory(data, length, &width, &height, &channels) == 0)
      refuse(where, std::string("is damaged: ") + stbi_failure_reason(), "a PNG or JPEG file");
    if (width != size_.width || height != size_.height)
      refuse(where, fmt::format("is {} pixels wide and {} high", width, height),
             fmt::format("{} wide and {} high, the network's input", size_.width, size_.height),
             "resize or crop the images beforehand");
    if (!chunks_lie_inside(bytes))
      refuse(where, "is damaged: a chunk is longer than the file", "a PNG or JPEG file");
    const std::unique_ptr<stbi_uc, void (*)(void*)> pixels(
        stbi_load_from_memory(data, length, &width, &height, &channels, size_.channels), stbi_image_free);
    if (pixels == nullptr)
      refuse(where, std::string("is damaged: ") + stbi_failure_reason(), "a PNG or JPEG file");
    std::vector<float> values = planes(pixels.get());
    normaliser_.apply(values);
    return {{shape_, std::move(values)}};
  }

 private:
  /// From pixels with their channels side by side to one plane per channel.
  std::vector<float> planes(const stbi_uc* pixels) const {
    const std::size_t plane = static_cast<std::size_t>(size_.height) * static_cast<std::size_t>(size_.width);
    const auto channels = static_cast<std::size_t>(size_.channels);
    std::vector<float> values(plane * channels);
    for (std::size_t p = 0; p < plane; ++p)
      for (std::size_t c = 0; c < channels; ++c) values[c * plane + p] = pixels[p * channels + c];
    return values;
  }

  std::vector<fs::path> files_;
  Shape shape_;
  Size size_;
  std::string option_;
  Normaliser normaliser_;
};

}  // namespace

Images open_cifar(const ReadRequest& request) {
  constexpr std::int64_t kPixels = 3 * 32 * 32;
  constexpr std::int64_t kRecord = 1 + kPixels;
  const graph::Value& input = request.only_input("a CIFAR-10 file");
  const auto file = std::make_shared<const PiecewiseFile>(request.path, request.where());
  if (file->size() == 0 || file->size() % kRecord != 0)
    refuse(request.where(), fmt::format("has {} bytes", file->size()),
           "CIFAR-10 in its binary version: a multiple of 3073 bytes");
  if (!fits({3, 32, 32}, input.shape))
    refuse(request.where(), "holds images of 3x32x32",
           fmt::format("{} for the network's input '{}'", tensor::to_string(input.shape), input.name));
  std::vector<std::int64_t> labels;
  for (std::int64_t at = 0; at < file->size(); at += kRecord) {
    std::array<std::uint8_t, 1> label{};
    file->read(at, label);
    if (label[0] > 9)
      refuse(request.where(), fmt::format("label {} in record {}", label[0], labels.size()), "0 to 9");
    labels.push_back(label[0]);
  }
  const std::int64_t count = std::ssize(labels);
  return {count, std::make_shared<const RecordSource>(file, 1, kRecord, input.shape, request.normalisation),
          std::move(labels)};
}

bool is_idx(const fs::path& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return false;
  const PiecewiseFile file(path, path.string());
  if (file.size() < 4) return false;
  std::array<std::uint8_t, 4> magic{};
  file.read(0, magic);
  return magic[0] == 0 && magic[1] == 0 && magic[2] >= 0x08 && magic[2] <= 0x0e && magic[3] >= 1 &&
         magic[3] <= 4;
}

Images open_idx(const ReadRequest& request) {
  const graph::Value& input = request.only_input("an IDX file");
  const auto file = std::make_shared<const PiecewiseFile>(request.path, request.where());
  const Shape shape = idx_shape(*file);
  const Shape item(shape.begin() + 1, shape.end());
  if (item.empty())
    refuse(request.where(), "is an IDX file of one dimension, as labels are", "an IDX file of images");
  if (shape.front() == 0) refuse(request.where(), "holds no image", "at least one");
  if (!fits(item, input.shape))
    refuse(request.where(), "holds images of " + tensor::to_string(item),
           fmt::format("{} for the network's input '{}'", tensor::to_string(input.shape), input.name));
  const std::int64_t header = 4 + 4 * std::ssize(shape);
  return {shape.front(), std::make_shared<const RecordSource>(file, header, tensor::element_count(item),
                                                              input.shape, request.normalisation)};
}

std::vector<std::int64_t> load_idx_labels(const fs::path& path, const std::string& option) {
  const PiecewiseFile file(path, option + " " + path.string());
  const Shape shape = idx_shape(file);
  if (shape.size() != 1)
    refuse(file.where(), fmt::format("is an IDX file of {} dimensions, as images are", shape.size()),
           "an IDX file of labels: one dimension");
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(shape.front()));
  file.read(8, bytes);
  return {bytes.begin(), bytes.end()};
}

bool has_class_folders(const fs::path& folder) {
  std::error_code error;
  bool found = false;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (is_array(it->path())) return false;
    std::error_code inner;
    if (!it->is_directory(inner)) continue;
    for (fs::directory_iterator file(it->path(), inner), last; !found && !inner && file != last;
         file.increment(inner))
      found = is_picture(file->path());
  }
  return found;
}

Images open_class_folders(const ReadRequest& request) {
  const graph::Value& input = request.only_input("a folder of images per class");
  const Shape& shape = input.shape;
  if (shape.size() != 4 || shape[0] != 1 || (shape[1] != 1 && shape[1] != 3) ||
      std::max(shape[2], shape[3]) > std::numeric_limits<int>::max())
    refuse(request.where(), "is a folder of PNG or JPEG files",
           fmt::format("an array for the network's input '{}' of {}; images fit 1x1xHxW and 1x3xHxW",
                       input.name, tensor::to_string(shape)));
  std::vector<fs::path> files;
  std::vector<std::int64_t> labels;
  std::int64_t label = 0;
  for (const fs::path& folder : entries(request.path, request.option)) {
    std::error_code error;
    if (!fs::is_directory(folder, error)) continue;
    for (const fs::path& file : entries(folder, request.option)) {
      if (!is_picture(file))
        refuse(request.option + " " + file.string(), "is not a PNG or JPEG file",
               ".png, .jpg and .jpeg files", "take it out of the folder of its class");
      files.push_back(file);
      labels.push_back(label);
    }
    ++label;
  }
  const std::int64_t count = std::ssize(files);
  return {
      count,
      std::make_shared<const PictureSource>(std::move(files), shape, request.option, request.normalisation),
      std::move(labels)};
}

}  // namespace bitline::sim
