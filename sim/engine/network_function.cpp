// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <map>

#include <fmt/format.h>
#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>

#include "mapper/reference/executor.h"
#include "models/base/errors.h"
#include "sim/engine/engine.h"
#include "sim/engine/kernels.h"
#include "sim/engine/window_source.h"

namespace bitline::engine {
namespace {

constexpr std::size_t kElementsPerTask = std::size_t{1} << 15;

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

/// The rows of the windows that are on the crossbars.
class MappedRows final : public InputSource {
 public:
  MappedRows(const WindowSource& windows, const slice::SlicedLayer& layer)
      : windows_(windows), rows_(layer.window_rows), size_(static_cast<std::size_t>(layer.window_size())) {}
  [[nodiscard]] std::int64_t positions() const override { return windows_.positions(); }
  void gather(std::int64_t first, int count, std::int32_t* out) const override {
    if (rows_.empty()) {
      windows_.gather(first, count, out);
      return;
    }
    thread_local std::vector<std::int32_t> window;
    window.resize(size_);
    for (std::int64_t position = first; position < first + count; ++position) {
      windows_.gather(position, 1, window.data());
      for (const int row : rows_) *out++ = window[static_cast<std::size_t>(row)];
    }
  }

 private:
  const WindowSource& windows_;
  const std::vector<int>& rows_;  ///< empty: all
  std::size_t size_;              ///< rows of a window
};

/// Turns integer sums into the layer's float output (and keeps the sums if asked). Outputs that are not on
/// the crossbars have sum 0; what was folded is added to every output.
class LayerOutput final : public OutputSink {
 public:
  LayerOutput(const graph::Node& node, const NetworkLayer& layer, std::int64_t positions_per_image,
              std::vector<float>& y, std::vector<std::int64_t>* sums)
      : scales_(quantize::output_scales(node, *layer.quant)),
        mapped_(layer.sliced->outputs()),
        outputs_(layer.sliced->node_outputs()),
        sum_of_(static_cast<std::size_t>(outputs_), -1),
        folded_(layer.folded),
        plane_(node.op == graph::Op::conv ? positions_per_image : 1),
        y_(y),
        sums_(sums) {
    for (int o = 0; o < layer.sliced->outputs(); ++o)
      sum_of_[static_cast<std::size_t>(layer.sliced->channel(o))] = o;
  }

  void store(std::int64_t first, int count, const std::int64_t* sums) override {
    for (std::int64_t done = 0; done < count;) {
      // positions of one image: side by side in each of its output planes
      const std::int64_t position = first + done;
      const std::int64_t run = std::min(count - done, plane_ - position % plane_);
      const std::int64_t base = position / plane_ * plane_ * outputs_ + position % plane_;
      for (std::int64_t o = 0; o < outputs_; ++o) {
        store_channel(static_cast<std::size_t>(o), run, sums + done * mapped_,
                      static_cast<std::size_t>(base + o * plane_));
      }
      done += run;
    }
  }

 private:
  void store_channel(std::size_t channel, std::int64_t count, const std::int64_t* sums, std::size_t at) {
    const quantize::OutputScale scale = scales_[channel];
    const std::int64_t folded = folded_.empty() ? 0 : folded_[channel];
    float* y = y_.data() + at;
    std::int64_t* kept = sums_ == nullptr ? nullptr : sums_->data() + at;
    const int mapped = sum_of_[channel];
    if (mapped < 0) {
      std::fill_n(y, count, scale.real(folded));
      if (kept != nullptr) std::fill_n(kept, count, folded);
      return;
    }
    sums += mapped;
    for (std::int64_t i = 0; i < count; ++i) y[i] = scale.real(sums[i * mapped_] + folded);
    if (kept == nullptr) return;
    for (std::int64_t i = 0; i < count; ++i) kept[i] = sums[i * mapped_] + folded;
  }

  std::vector<quantize::OutputScale> scales_;
  std::int64_t mapped_;      ///< outputs on the crossbars
  std::int64_t outputs_;     ///< of the node
  std::vector<int> sum_of_;  ///< by output of the node: its place among the sums, -1: not mapped
  const std::vector<std::int64_t>& folded_;
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
      BITLINE_CHECK(next < layers.size() && layers[next].quant->node == static_cast<graph::NodeId>(n));
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
    const quantize::LayerQuant& quant = *layers[l].quant;
    std::vector<std::int32_t> codes = to_codes(node, quant.input, x.as<float>());
    WindowSource windows(*graph, node, codes, static_cast<std::int32_t>(quant.input.zero_point));
    windows.pad();
    const MappedRows source(windows, *layers[l].sliced);
    const std::int64_t images = node.op == graph::Op::conv ? x.shape.front() : 1;
    LayerTrace& trace = result.traces[l];
    std::vector<std::int64_t> sums;
    if (options.keep_sums) sums.resize(y.as<float>().size());
    LayerOutput sink(node, layers[l], source.positions() / images, y.as<float>(),
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
                rows.size() == static_cast<std::size_t>(mapped.sliced->mapped_rows()));
  const WindowSource windows(*impl_->graph, impl_->graph->node(mapped.quant->node),
                             trace.x.as<std::int32_t>(),
                             static_cast<std::int32_t>(mapped.quant->input.zero_point));
  const MappedRows source(windows, *mapped.sliced);
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
