// SPDX-License-Identifier: Apache-2.0
// The arrays a user gives: images for the network's inputs, and labels.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mapper/graph/graph.h"
#include "mapper/quantize/quantize.h"

namespace bitline::sim {

/// One entry per image, each with one float tensor per network input (of exactly its shape).
using Images = std::vector<quantize::Inputs>;

/// Reads the images of `graph` from `path`: a `.npy` or a TensorProto `.pb` of float32 with the images along
/// the first axis, or a folder of such files: for a network of one input all of them, joined in the order of
/// their names; for several inputs one per input, named like it (characters that cannot be in a file name as
/// '_') or `input_<index>`. Throws base::UsageError naming `option`, the file, and the shapes or types where
/// they do not fit, for values that are not finite and for arrays without images.
[[nodiscard]] Images load_images(const graph::Graph& graph, const std::string& path,
                                 const std::string& option);

/// `count` images of values uniform in [0, 1): the same for the same seed, everywhere. Throws
/// base::UsageError where they would take more than 1 GiB.
[[nodiscard]] Images random_images(const graph::Graph& graph, std::int64_t count, std::uint64_t seed);

/// Labels: a `.npy` or `.pb` of integers, one per image, in [0, classes). Throws base::UsageError.
[[nodiscard]] std::vector<std::int64_t> load_labels(const std::string& path, std::int64_t images,
                                                    std::int64_t classes);

/// `name` with every character that is not a letter, digit, '.', '-' or '_' replaced by '_'; never empty and
/// never a path. How names of values become names of files.
[[nodiscard]] std::string file_name(const std::string& name);

/// Position of the label among the scores, 0 for the highest; equal scores rank by index.
[[nodiscard]] std::int64_t rank_of(const tensor::Tensor& scores, std::int64_t label);

}  // namespace bitline::sim
