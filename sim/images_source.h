// SPDX-License-Identifier: Apache-2.0
// What the readers of image formats share. Only for sim/images*.cpp.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "sim/images.h"

namespace bitline::sim {

[[noreturn]] void refuse(const std::string& where, std::string given, std::string allowed,
                         std::string remedy = {});

/// A file that is read in pieces, from any thread.
class PiecewiseFile {
 public:
  /// Throws base::UsageError naming `where` if it cannot be opened.
  PiecewiseFile(const std::filesystem::path& path, std::string where);
  PiecewiseFile(const PiecewiseFile&) = delete;
  PiecewiseFile& operator=(const PiecewiseFile&) = delete;
  ~PiecewiseFile();
  [[nodiscard]] std::int64_t size() const { return size_; }
  [[nodiscard]] const std::string& where() const { return where_; }
  /// Throws base::UsageError if the file has become shorter.
  void read(std::int64_t offset, std::span<std::uint8_t> bytes) const;

 private:
  std::string where_;
  int file_ = -1;
  std::int64_t size_ = 0;
};

/// A Normalisation for one network input.
class Normaliser {
 public:
  /// `shape` of the input ([N, C, ...]; C channels where it has three dimensions or more, else one);
  /// `scale` where none is given. Throws base::UsageError where the numbers do not fit.
  Normaliser(const Normalisation& given, const tensor::Shape& shape, double scale);
  void apply(std::span<float> values) const;

 private:
  std::size_t channels_;
  std::size_t plane_;  ///< values of one channel
  float scale_;
  std::vector<float> mean_;
  std::vector<float> deviation_;
};

/// What a reader needs beside the path.
struct ReadRequest {
  const graph::Graph& graph;
  std::filesystem::path path;
  std::string option;
  const Normalisation& normalisation;
  [[nodiscard]] std::string where() const { return option + " " + path.string(); }
  /// The only input of the network. Throws base::UsageError where there are several.
  [[nodiscard]] const graph::Value& only_input(const std::string& format) const;
};

[[nodiscard]] bool is_array(const std::filesystem::path& path);
/// A `.npy` or `.pb` file as it is. Throws base::UsageError.
[[nodiscard]] tensor::Tensor load_array(const std::filesystem::path& path, const std::string& option);
[[nodiscard]] const char* type_name(const tensor::Tensor& t);

/// Files of arrays, in order; or a folder of them.
[[nodiscard]] Images open_arrays(const ReadRequest& request);
[[nodiscard]] Images open_cifar(const ReadRequest& request);
[[nodiscard]] Images open_idx(const ReadRequest& request);
[[nodiscard]] Images open_class_folders(const ReadRequest& request);

/// Starts like an IDX file: two zero bytes, a known element type, 1 to 4 dimensions.
[[nodiscard]] bool is_idx(const std::filesystem::path& path);
/// The integers of a one-dimensional IDX file. Throws base::UsageError.
[[nodiscard]] std::vector<std::int64_t> load_idx_labels(const std::filesystem::path& path,
                                                        const std::string& option);
/// A folder that has folders with PNG or JPEG files.
[[nodiscard]] bool has_class_folders(const std::filesystem::path& folder);

}  // namespace bitline::sim
