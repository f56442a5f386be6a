// SPDX-License-Identifier: Apache-2.0
// Runs images through the engine and the float reference, several at a time, and keeps of each only what is
// asked for: memory does not grow with the number of images.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mapper/reference/executor.h"
#include "sim/deadline.h"
#include "sim/engine/engine.h"
#include "sim/images.h"
#include "sim/result/result.h"

namespace bitline::sim {

using Progress = std::function<void(const char* phase, std::int64_t done, std::int64_t total)>;
/// The outputs of a network for one image.
using Outputs = std::vector<tensor::Tensor>;

/// What is wanted of the values of all images.
struct ValuesRequest {
  std::int64_t kept = 0;                              ///< results of the first `kept` images are returned
  bool only_kept = false;                             ///< run no other images
  bool kept_integers = false;                         ///< with their integers
  const std::vector<std::int64_t>* labels = nullptr;  ///< one per image: accuracy, with the float reference's
  const reference::Executor* reference = nullptr;     ///< needed with `labels`
  std::string dump_layers;                            ///< folder; empty: none
  bool activity = false;                              ///< the sum over all images is returned
  /// Receives the outputs of every image, one call at a time, in any order; may be empty.
  std::function<void(std::int64_t index, const Outputs& outputs)> outputs;
};
struct Values {
  std::vector<engine::ImageResult> kept;
  std::optional<result::Accuracy> accuracy;
  std::vector<engine::LayerActivity> activity;  ///< by layer, of all images
};

/// Calls body(i) for every image, several at a time. A thread that waits inside one image helps that image
/// only, so that no more images are in memory than there are threads.
void for_each_image(std::size_t count, const std::function<void(std::size_t image)>& body);

/// Every image on the engine; the result does not depend on the number of threads.
[[nodiscard]] Values run_images(const engine::NetworkFunction& network, const Images& images,
                                const ValuesRequest& request, const Deadline& deadline,
                                const Progress& progress);

/// Every image in float32; `take` receives the outputs, one call at a time, in any order.
void run_reference(const reference::Executor& executor, const Images& images,
                   const std::function<void(std::int64_t index, const Outputs& outputs)>& take);

/// Counts how the scores of images rank their labels.
class Score {
 public:
  explicit Score(std::int64_t classes) : classes_(classes) {}
  /// `scores` of the chip and of the float reference for one image.
  void add(std::int64_t label, const tensor::Tensor& scores, const tensor::Tensor& reference);
  /// Of at least one image.
  [[nodiscard]] result::Accuracy accuracy() const;

 private:
  std::int64_t classes_;
  std::int64_t images_ = 0;
  std::int64_t top1_ = 0;
  std::int64_t top5_ = 0;
  std::int64_t float_top1_ = 0;
  std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> confusion_;  ///< (label, prediction)
};

/// Index of the highest score, the first of equal ones.
[[nodiscard]] std::int64_t best_of(const tensor::Tensor& scores);

/// Elements of the first output of one image: the classes that labels may name.
[[nodiscard]] std::int64_t classes(const graph::Graph& graph);

}  // namespace bitline::sim
