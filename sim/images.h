// SPDX-License-Identifier: Apache-2.0
// The images a user gives, read one at a time, and their labels. Formats: README.md of this folder.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mapper/graph/graph.h"
#include "mapper/quantize/quantize.h"

namespace bitline::sim {

/// How stored values become the network's inputs: x = (v / scale - mean[channel]) / deviation[channel], in
/// float32 and this order (that of torchvision).
struct Normalisation {
  double scale = 0;               ///< 0: 255 for formats of 8-bit pixels, 1 for arrays of floats
  std::vector<double> mean;       ///< one number or one per channel; empty: 0
  std::vector<double> deviation;  ///< the same; empty: 1
};

/// Images of one network, read when asked for: memory does not grow with their number (but for arrays that
/// are not float32 in C order, and `.pb` files, which are held as they are).
class Images {
 public:
  /// Where the images come from. read() may be called from several threads.
  class Source {
   public:
    Source() = default;
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;
    virtual ~Source() = default;
    /// One float tensor per network input, of exactly its shape. Throws base::UsageError.
    [[nodiscard]] virtual quantize::Inputs read(std::int64_t index) const = 0;
  };

  Images(std::int64_t count, std::shared_ptr<const Source> source,
         std::optional<std::vector<std::int64_t>> labels = std::nullopt)
      : count_(count), source_(std::move(source)), labels_(std::move(labels)) {}
  [[nodiscard]] std::int64_t count() const { return count_; }
  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(count_); }
  [[nodiscard]] quantize::Inputs operator[](std::size_t index) const {
    return source_->read(static_cast<std::int64_t>(index));
  }
  /// The first `count` of them (all, where there are fewer), in memory.
  [[nodiscard]] std::vector<quantize::Inputs> first(std::int64_t count) const;
  /// One per image, where the format has them.
  [[nodiscard]] const std::optional<std::vector<std::int64_t>>& labels() const { return labels_; }

 private:
  std::int64_t count_;
  std::shared_ptr<const Source> source_;
  std::optional<std::vector<std::int64_t>> labels_;
};

/// Opens the images of `graph` at `path`:
/// - a `.npy` or a TensorProto `.pb` of float32 with the images along the first axis, or a folder of such
///   files: for a network of one input all of them, joined in the order of their names; for several inputs
///   one per input, named like it (characters that cannot be in a file name as '_') or `input_<index>`;
/// - a `.bin` of CIFAR-10, an IDX file, a folder with one folder of PNG or JPEG files per class.
/// Throws base::UsageError naming `option`, the file, and the shapes or types where they do not fit, for
/// values that are not finite and for files without images.
[[nodiscard]] Images load_images(const graph::Graph& graph, const std::string& path,
                                 const std::string& option, const Normalisation& normalisation = {});

/// The same from one array for each network input, given as "name=file" in any order. All that is wrong with
/// names is told at once.
[[nodiscard]] Images load_named_images(const graph::Graph& graph, const std::vector<std::string>& named,
                                       const std::string& option, const Normalisation& normalisation = {});

/// `count` images of values uniform in [0, 1): the same for the same seed, everywhere. Throws
/// base::UsageError where they have more than 2^28 values.
[[nodiscard]] Images random_images(const graph::Graph& graph, std::int64_t count, std::uint64_t seed);

/// Labels: a `.npy`, `.pb` or IDX file of integers, one per image, in [0, classes). Throws base::UsageError.
[[nodiscard]] std::vector<std::int64_t> load_labels(const std::string& path, std::int64_t images,
                                                    std::int64_t classes);
/// Throws base::UsageError for a label that is not in [0, classes).
void check_labels(const std::vector<std::int64_t>& labels, std::int64_t classes, const std::string& where);

/// `name` with every character that is not a letter, digit, '.', '-' or '_' replaced by '_'; never empty and
/// never a path. How names of values become names of files.
[[nodiscard]] std::string file_name(const std::string& name);

/// Position of the label among the scores, 0 for the highest; equal scores rank by index.
[[nodiscard]] std::int64_t rank_of(const tensor::Tensor& scores, std::int64_t label);

}  // namespace bitline::sim
