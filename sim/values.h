// SPDX-License-Identifier: Apache-2.0
// Runs images through the engine and the float reference, several at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "mapper/reference/executor.h"
#include "sim/deadline.h"
#include "sim/engine/engine.h"
#include "sim/images.h"
#include "sim/result/result.h"

namespace bitline::sim {

using Progress = std::function<void(const char* phase, std::int64_t done, std::int64_t total)>;

/// Every image on the engine; results in the order of the images whatever the number of threads. The first
/// `kept` images keep their integers.
[[nodiscard]] std::vector<engine::ImageResult> run_images(const engine::NetworkFunction& network,
                                                          const Images& images, std::int64_t kept,
                                                          const Deadline& deadline, const Progress& progress);

/// The outputs of every image in float32: [image][output].
[[nodiscard]] std::vector<std::vector<tensor::Tensor>> run_reference(const reference::Executor& executor,
                                                                     const Images& images,
                                                                     const Deadline& deadline);

/// Accuracy of the first output of each image, and of the float reference's.
[[nodiscard]] result::Accuracy accuracy(const std::vector<engine::ImageResult>& values,
                                        const std::vector<std::vector<tensor::Tensor>>& reference,
                                        const std::vector<std::int64_t>& labels);

/// Tensors of equal shape [1, ...] (or of any shape, for outputs without a batch dimension) joined along a
/// first axis of images.
[[nodiscard]] tensor::Tensor join_images(const std::vector<const tensor::Tensor*>& images);

/// Elements of the first output of one image: the classes that labels may name.
[[nodiscard]] std::int64_t classes(const graph::Graph& graph);

}  // namespace bitline::sim
