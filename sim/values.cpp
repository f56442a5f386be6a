// SPDX-License-Identifier: Apache-2.0
#include "sim/values.h"

#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <mutex>

#include "models/base/errors.h"

namespace bitline::sim {
namespace {

/// Calls body(i) for every image. A thread that waits inside one image helps that image only, so that no more
/// images are in memory than there are threads.
template <class Body>
void for_each_image(std::size_t count, const Body& body) {
  tbb::parallel_for(tbb::blocked_range<std::size_t>(0, count, 1),
                    [&](const tbb::blocked_range<std::size_t>& range) {
                      for (std::size_t i = range.begin(); i != range.end(); ++i)
                        tbb::this_task_arena::isolate([&] { body(i); });
                    });
}

}  // namespace

std::vector<engine::ImageResult> run_images(const engine::NetworkFunction& network, const Images& images,
                                            std::int64_t kept, const Deadline& deadline,
                                            const Progress& progress) {
  std::vector<engine::ImageResult> results(images.size());
  std::mutex mutex;
  std::int64_t done = 0;
  for_each_image(images.size(), [&](std::size_t i) {
    deadline.check("the computation of values");
    const bool keep = static_cast<std::int64_t>(i) < kept;
    results[i] = network.run(images[i], {keep, keep});
    if (!progress) return;
    const std::lock_guard lock(mutex);
    progress("values", ++done, static_cast<std::int64_t>(images.size()));
  });
  deadline.check("the computation of values");
  return results;
}

std::vector<std::vector<tensor::Tensor>> run_reference(const reference::Executor& executor,
                                                       const Images& images, const Deadline& deadline) {
  std::vector<std::vector<tensor::Tensor>> outputs(images.size());
  for_each_image(images.size(), [&](std::size_t i) {
    deadline.check("the float32 reference");
    outputs[i] = executor.run(images[i]);
  });
  return outputs;
}

result::Accuracy accuracy(const std::vector<engine::ImageResult>& values,
                          const std::vector<std::vector<tensor::Tensor>>& reference,
                          const std::vector<std::int64_t>& labels) {
  std::int64_t top1 = 0;
  std::int64_t top5 = 0;
  std::int64_t float_top1 = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::int64_t rank = rank_of(values[i].outputs.front(), labels[i]);
    top1 += rank < 1 ? 1 : 0;
    top5 += rank < 5 ? 1 : 0;
    float_top1 += rank_of(reference[i].front(), labels[i]) < 1 ? 1 : 0;
  }
  const auto images = static_cast<std::int64_t>(labels.size());
  const auto share = [images](std::int64_t n) {
    return static_cast<double>(n) / static_cast<double>(images);
  };
  return {share(top1), share(top5), share(float_top1), images};
}

tensor::Tensor join_images(const std::vector<const tensor::Tensor*>& images) {
  BITLINE_CHECK(!images.empty());
  tensor::Tensor joined{images.front()->shape, std::vector<float>{}};
  const auto count = static_cast<std::int64_t>(images.size());
  if (joined.shape.empty())
    joined.shape = {count};
  else
    joined.shape.front() *= count;
  auto& values = joined.as<float>();
  values.reserve(static_cast<std::size_t>(joined.size()));
  for (const tensor::Tensor* image : images) {
    const auto& part = image->as<float>();
    values.insert(values.end(), part.begin(), part.end());
  }
  return joined;
}

std::int64_t classes(const graph::Graph& graph) {
  return tensor::element_count(graph.shape(graph.outputs.front()));
}

}  // namespace bitline::sim
