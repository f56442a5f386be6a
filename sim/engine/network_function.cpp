// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <map>

#include <fmt/format.h>
#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>

#include "mapper/graph/given_grid.h"
#include "mapper/reference/executor.h"
#include "mapper/reference/integer_kernel.h"
#include "models/base/errors.h"
#include "sim/engine/engine.h"
#include "sim/engine/kernels.h"
#include "sim/engine/window_source.h"

namespace bitline::engine {
namespace {

constexpr std::size_t kElementsPerTask = std::size_t{1} << 15;

const std::vector<float>* bias_of(const graph::Node& node) {
  const auto& bias = node.op == graph::Op::conv ? std::get<graph::ConvAttributes>(node.attributes).bias
                                                : std::get<graph::LinearAttributes>(node.attributes).bias;
  return bias == nullptr ? nullptr : &bias->as<float>();
}

std::vector<std::int32_t> to_codes(const graph::Node& node, const quantize::ActivationQuant& quant,
                                   const std::vector<float>& x) {
  std::vector<std::int32_t> codes(x.size());
  std::atomic<bool> finite{true};
  tbb::parallel_for(tbb::blocked_range<std::size_t>(0, x.size(), kElementsPerTask), [&](const auto& range) {
    const QuantiseJob job{.x = x.data() + range.begin(),
                          .count = range.size(),
                          .scale = quant.scale,
                          .zero_point = static_cast<double>(quant.zero_point),
                          .low = static_cast<double>(quant.min_code()),
                          .high = static_cast<double>(quant.max_code())};
    if (!quantise(job, codes.data() + range.begin())) finite = false;
  });
  if (!finite) {
    throw base::SimulationError(base::Problem{.where = fmt::format("layer '{}'", node.name),
                                              .given = "an input activation that is not finite",
                                              .allowed = "finite activations",
                                              .remedy = "check the network's inputs"});
  }
  return codes;
}

/// Turns integer sums into the layer's float output (and keeps the sums if asked).
class LayerOutput final : public OutputSink {
 public:
  LayerOutput(const graph::Node& node, const quantize::LayerQuant& quant, std::int64_t outputs,
              std::int64_t positions_per_image, std::vector<float>& y, std::vector<std::int64_t>* sums)
      : scales_(quant.weights.scale),
        input_scale_(quant.input.scale),
        outputs_(outputs),
        plane_(node.op == graph::Op::conv ? positions_per_image : 1),
        y_(y),
        sums_(sums) {
    const std::vector<float>* bias = bias_of(node);
    const bool given = graph::weight_grid(node) != nullptr;
    for (std::size_t o = 0; o < static_cast<std::size_t>(outputs); ++o) {
      const float value = bias == nullptr ? 0.0F : (*bias)[o];
      const double step = input_scale_ * scales_[o];
      bias_steps_.push_back(given ? reference::bias_in_steps(value, step)
                                  : static_cast<double>(value) / step);
    }
  }

  void store(std::int64_t first, int count, const std::int64_t* sums) override {
    for (std::int64_t done = 0; done < count;) {
      // positions of one image: side by side in each of its output planes
      const std::int64_t position = first + done;
      const std::int64_t run = std::min(count - done, plane_ - position % plane_);
      const std::int64_t base = position / plane_ * plane_ * outputs_ + position % plane_;
      for (std::int64_t o = 0; o < outputs_; ++o) {
        store_channel(static_cast<std::size_t>(o), run, sums + done * outputs_ + o,
                      static_cast<std::size_t>(base + o * plane_));
      }
      done += run;
    }
  }

 private:
  void store_channel(std::size_t channel, std::int64_t count, const std::int64_t* sums, std::size_t at) {
    const double step = input_scale_ * scales_[channel];
    const double bias = bias_steps_[channel];
    float* y = y_.data() + at;
    for (std::int64_t i = 0; i < count; ++i) {
      y[i] = static_cast<float>((static_cast<double>(sums[i * outputs_]) + bias) * step);
    }
    if (sums_ == nullptr) return;
    for (std::int64_t i = 0; i < count; ++i) (*sums_)[at + static_cast<std::size_t>(i)] = sums[i * outputs_];
  }

  const std::vector<double>& scales_;
  double input_scale_;
  std::vector<double> bias_steps_;  ///< in steps of the sums, by output
  std::int64_t outputs_;
  std::int64_t plane_;  ///< positions of one channel of NCHW; 1 where outputs lie side by side
  std::vector<float>& y_;
  std::vector<std::int64_t>* sums_;
};

}  // namespace

struct NetworkFunction::Impl {
  Impl(std::shared_ptr<const graph::Graph> g, std::vector<NetworkLayer> l, bool gate)
      : graph(std::move(g)), layers(std::move(l)), executor(graph), layer_of_node(graph->nodes.size(), -1) {
    std::size_t next = 0;
    std::map<const slice::SlicedLayer*, std::shared_ptr<const LayerFunction>> made;
    for (std::size_t n = 0; n < graph->nodes.size(); ++n) {
      if (!graph::on_crossbars(graph->nodes[n])) continue;
      BITLINE_CHECK(next < layers.size() && layers[next].quant.node == static_cast<graph::NodeId>(n));
      layer_of_node[n] = static_cast<int>(next);
      // Layers on the same crossbars are one function.
      auto& function = made[layers[next].sliced.get()];
      if (!function)
        function = std::make_shared<const LayerFunction>(layers[next].sliced, layers[next].drive_sets, gate);
      functions.push_back(function);
      ++next;
    }
    BITLINE_CHECK(next == layers.size());
  }

  bool run_layer(const graph::Node& node, const graph::Tensor& x, graph::Tensor& y, const RunOptions& options,
                 ImageResult& result) const {
    const int index = layer_of_node[static_cast<std::size_t>(&node - graph->nodes.data())];
    BITLINE_CHECK(index >= 0);
    const auto l = static_cast<std::size_t>(index);
    const quantize::LayerQuant& quant = layers[l].quant;
    std::vector<std::int32_t> codes = to_codes(node, quant.input, x.as<float>());
    WindowSource source(*graph, node, codes, static_cast<std::int32_t>(quant.input.zero_point));
    source.pad();
    const std::int64_t images = node.op == graph::Op::conv ? x.shape.front() : 1;
    LayerTrace& trace = result.traces[l];
    std::vector<std::int64_t> sums;
    if (options.keep_sums) sums.resize(y.as<float>().size());
    LayerOutput sink(node, quant, layers[l].sliced->outputs(), source.positions() / images, y.as<float>(),
                     options.keep_sums ? &sums : nullptr);
    result.activity[l] =
        options.runner != nullptr ? options.runner->run(l, source, sink) : functions[l]->run(source, sink);
    if (options.keep_sums) trace.y = {y.shape, std::move(sums)};
    if (options.keep_inputs) trace.x = {x.shape, std::move(codes)};
    return true;
  }

  std::shared_ptr<const graph::Graph> graph;
  std::vector<NetworkLayer> layers;
  std::vector<std::shared_ptr<const LayerFunction>> functions;
  reference::Executor executor;
  std::vector<int> layer_of_node;
};

NetworkFunction::NetworkFunction(std::shared_ptr<const graph::Graph> graph, std::vector<NetworkLayer> layers,
                                 bool gate_zero_chunks)
    : impl_(std::make_unique<const Impl>(std::move(graph), std::move(layers), gate_zero_chunks)) {}
NetworkFunction::~NetworkFunction() = default;

ImageResult NetworkFunction::run(const quantize::Inputs& image, const RunOptions& options) const {
  ImageResult result;
  result.activity.resize(impl_->layers.size());
  result.traces.resize(impl_->layers.size());
  reference::Hooks hooks;
  hooks.crossbar_layer = [&](const graph::Node& node, const graph::Tensor& x, graph::Tensor& y) {
    return impl_->run_layer(node, x, y, options, result);
  };
  result.outputs = impl_->executor.run(image, hooks);
  return result;
}

void NetworkFunction::gather(std::size_t layer, const LayerTrace& trace, std::int64_t window,
                             std::span<std::int32_t> rows) const {
  const NetworkLayer& mapped = impl_->layers.at(layer);
  BITLINE_CHECK(trace.x.holds<std::int32_t>() &&
                rows.size() ==
                    static_cast<std::size_t>(mapped.sliced->groups) * mapped.sliced->rows_per_group);
  const WindowSource source(*impl_->graph, impl_->graph->node(mapped.quant.node), trace.x.as<std::int32_t>(),
                            static_cast<std::int32_t>(mapped.quant.input.zero_point));
  BITLINE_CHECK(window >= 0 && window < source.positions());
  source.gather(window, 1, rows.data());
}

const graph::Graph& NetworkFunction::graph() const {
  return *impl_->graph;
}
const std::vector<NetworkLayer>& NetworkFunction::layers() const {
  return impl_->layers;
}
const LayerFunction& NetworkFunction::function(std::size_t layer) const {
  return *impl_->functions.at(layer);
}

}  // namespace bitline::engine
