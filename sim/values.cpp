// SPDX-License-Identifier: Apache-2.0
#include "sim/values.h"

#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <mutex>

#include "models/base/errors.h"

namespace bitline::sim {

void for_each_image(std::size_t count, const std::function<void(std::size_t image)>& body) {
  tbb::parallel_for(tbb::blocked_range<std::size_t>(0, count, 1),
                    [&](const tbb::blocked_range<std::size_t>& range) {
                      for (std::size_t i = range.begin(); i != range.end(); ++i)
                        tbb::this_task_arena::isolate([&] { body(i); });
                    });
}

namespace {

void add(std::vector<engine::LayerActivity>& sum, const std::vector<engine::LayerActivity>& part) {
  if (sum.empty()) {
    sum = part;
    return;
  }
  for (std::size_t l = 0; l < sum.size(); ++l) sum[l] += part[l];
}

}  // namespace

Values run_images(const engine::NetworkFunction& network, const Images& images, const ValuesRequest& request,
                  const Deadline& deadline, const Progress& progress) {
  BITLINE_CHECK(request.labels == nullptr || request.reference != nullptr);
  Values values;
  values.kept.resize(static_cast<std::size_t>(std::min(request.kept, images.count())));
  std::optional<Score> score;
  if (request.labels != nullptr) score.emplace(classes(network.graph()));
  std::optional<engine::LayerDumper> dumper;
  if (!request.dump_layers.empty()) dumper.emplace(request.dump_layers, network, images.count());
  std::mutex mutex;
  std::int64_t done = 0;
  const std::size_t count = request.only_kept ? values.kept.size() : images.size();
  for_each_image(count, [&](std::size_t i) {
    deadline.check("the computation of values");
    const bool kept = i < values.kept.size();
    const bool integers = dumper || (kept && request.kept_integers);
    const quantize::Inputs image = images[i];
    engine::ImageResult result = network.run(image, {integers, integers});
    Outputs reference;
    if (score) reference = request.reference->run(image);

    const std::lock_guard lock(mutex);
    const auto index = static_cast<std::int64_t>(i);
    if (score) score->add((*request.labels)[i], result.outputs.front(), reference.front());
    if (request.outputs) request.outputs(index, result.outputs);
    if (dumper) dumper->write(index, result);
    if (request.activity) add(values.activity, result.activity);
    if (kept) {
      if (!request.kept_integers)
        for (engine::LayerTrace& trace : result.traces) trace = {};
      values.kept[i] = std::move(result);
    }
    if (progress) progress("values", ++done, static_cast<std::int64_t>(count));
  });
  deadline.check("the computation of values");
  if (dumper) dumper->finish();
  if (score) values.accuracy = score->accuracy();
  return values;
}

void run_reference(const reference::Executor& executor, const Images& images,
                   const std::function<void(std::int64_t index, const Outputs& outputs)>& take) {
  std::mutex mutex;
  for_each_image(images.size(), [&](std::size_t i) {
    const Outputs outputs = executor.run(images[i]);
    const std::lock_guard lock(mutex);
    take(static_cast<std::int64_t>(i), outputs);
  });
}

void Score::add(std::int64_t label, const tensor::Tensor& scores, const tensor::Tensor& reference) {
  const std::int64_t rank = rank_of(scores, label);
  ++images_;
  top1_ += rank < 1 ? 1 : 0;
  top5_ += rank < 5 ? 1 : 0;
  float_top1_ += rank_of(reference, label) < 1 ? 1 : 0;
  if (classes_ <= result::kMostConfusionClasses) ++confusion_[{label, best_of(scores)}];
}

result::Accuracy Score::accuracy() const {
  const auto share = [this](std::int64_t n) { return static_cast<double>(n) / static_cast<double>(images_); };
  result::Accuracy a{share(top1_), share(top5_), share(float_top1_), images_, {}};
  if (classes_ > result::kMostConfusionClasses) return a;
  const auto n = static_cast<std::size_t>(classes_);
  a.confusion.assign(n, std::vector<std::int64_t>(n, 0));
  for (const auto& [pair, count] : confusion_)
    a.confusion[static_cast<std::size_t>(pair.first)][static_cast<std::size_t>(pair.second)] = count;
  return a;
}

std::int64_t best_of(const tensor::Tensor& scores) {
  const std::vector<float>& values = scores.as<float>();
  return std::max_element(values.begin(), values.end()) - values.begin();
}

std::int64_t classes(const graph::Graph& graph) {
  return tensor::element_count(graph.shape(graph.outputs.front()));
}

}  // namespace bitline::sim
