// SPDX-License-Identifier: Apache-2.0
#include "sim/structural.h"

#include <fmt/format.h>

#include <numeric>
#include <stdexcept>

namespace bitline::sim {
namespace {

/// The engine's sum of output `o` at position `p` of one image: y is [1, O, H, W] of a convolution, [..., O]
/// of a linear layer.
std::int64_t engine_sum(const graph::Node& node, const tensor::Tensor& y, std::int64_t p, std::int64_t o,
                        std::int64_t positions, std::int64_t outputs) {
  const std::int64_t at = node.op == graph::Op::conv ? o * positions + p : p * outputs + o;
  return y.as<std::int64_t>()[static_cast<std::size_t>(at)];
}

}  // namespace

StructuralCheck::StructuralCheck(const Mapping& mapping, const engine::NetworkFunction& network,
                                 const std::vector<engine::ImageResult>& values)
    : mapping_(mapping), network_(network), values_(values) {
  for (std::size_t l = 0; l < mapping_.sliced.size(); ++l) {
    const std::int64_t positions = windows(l) * static_cast<std::int64_t>(values_.size());
    sums_.emplace_back(static_cast<std::size_t>(positions * mapping_.sliced[l]->outputs()), 0);
  }
  data_.input = [this](const cycle::MvmId& id, std::vector<std::int32_t>& x) {
    x = rows(static_cast<std::size_t>(id.layer), id.window);
  };
  data_.result = [this](const cycle::MvmId& id, std::span<const int> outputs,
                        std::span<const std::int64_t> sums) { take(id, outputs, sums); };
}

std::int64_t StructuralCheck::windows(std::size_t layer) const {
  return mapping_.program.layers[layer].windows;
}

std::vector<std::int32_t> StructuralCheck::rows(std::size_t layer, std::int64_t window) const {
  const slice::SlicedLayer& sliced = *mapping_.sliced[layer];
  std::vector<std::int32_t> x(static_cast<std::size_t>(sliced.groups) *
                              static_cast<std::size_t>(sliced.rows_per_group));
  const auto image = static_cast<std::size_t>(window / windows(layer));
  network_.gather(layer, values_.at(image).traces[layer], window % windows(layer), x);
  return x;
}

void StructuralCheck::take(const cycle::MvmId& id, std::span<const int> outputs,
                           std::span<const std::int64_t> values) {
  const auto layer = static_cast<std::size_t>(id.layer);
  const std::int64_t width = mapping_.sliced[layer]->outputs();
  for (std::size_t i = 0; i < outputs.size(); ++i)
    sums_[layer].at(static_cast<std::size_t>(id.window * width + outputs[i])) += values[i];
}

/// The sum of the mapped weights of one output: what each unit of the inputs' zero point adds to it.
std::int64_t StructuralCheck::weight_sum(std::size_t layer, int group, int output) const {
  const slice::SlicedLayer& sliced = *mapping_.sliced[layer];
  const std::size_t rows = static_cast<std::size_t>(sliced.window_size()) / node_groups(layer);
  const std::size_t own = static_cast<std::size_t>(group) * static_cast<std::size_t>(sliced.rows_per_group);
  const auto channel = static_cast<std::size_t>(sliced.channel(group * sliced.outputs_per_group + output));
  std::int64_t sum = 0;
  for (std::size_t row = 0; row < static_cast<std::size_t>(sliced.rows_per_group); ++row) {
    const auto of_window = static_cast<std::size_t>(sliced.window_row(static_cast<int>(own + row)));
    sum += mapping_.quants[layer]->weights.codes[channel * rows + of_window % rows];
  }
  return sum;
}

/// Groups of the node, mapped or not.
std::size_t StructuralCheck::node_groups(std::size_t layer) const {
  const graph::Node& node = mapping_.graph->node(mapping_.quants[layer]->node);
  const auto* conv = std::get_if<graph::ConvAttributes>(&node.attributes);
  return conv == nullptr ? 1 : static_cast<std::size_t>(conv->group);
}

void StructuralCheck::compare_sums(std::size_t layer) const {
  const slice::SlicedLayer& sliced = *mapping_.sliced[layer];
  const graph::Node& node = mapping_.graph->node(mapping_.quants[layer]->node);
  const std::int64_t positions = windows(layer);
  const std::int64_t outputs = sliced.outputs();
  const std::vector<std::int64_t>& folded = network_.layers()[layer].folded;
  for (std::int64_t w = 0; w < positions * static_cast<std::int64_t>(values_.size()); ++w) {
    const std::vector<std::int32_t> x = rows(layer, w);
    const tensor::Tensor& y = values_[static_cast<std::size_t>(w / positions)].traces[layer].y;
    for (int g = 0; g < sliced.groups; ++g) {
      const auto first = x.begin() + static_cast<std::ptrdiff_t>(g) * sliced.rows_per_group;
      const auto inputs = std::accumulate(first, first + sliced.rows_per_group, std::int64_t{0});
      for (int j = 0; j < sliced.outputs_per_group; ++j) {
        const std::int64_t zero = sliced.activation_zero_point * weight_sum(layer, g, j);
        const std::int64_t o = static_cast<std::int64_t>(g) * sliced.outputs_per_group + j;
        // Encodings `offset` and `centre_offset`: what the cells hold too much or too little.
        const std::int64_t centre = sliced.centre(static_cast<int>(o)) * inputs;
        const std::int64_t channel = sliced.channel(static_cast<int>(o));
        const std::int64_t added = folded.empty() ? 0 : folded[static_cast<std::size_t>(channel)];
        const std::int64_t live =
            sums_[layer][static_cast<std::size_t>(w * outputs + o)] + centre - zero + added;
        const std::int64_t expected =
            engine_sum(node, y, w % positions, channel, positions, sliced.node_outputs());
        if (live != expected)
          throw std::logic_error(
              fmt::format("structural simulation differs from the engine: layer {}, window {}, "
                          "output {}: {} instead of {}",
                          node.name, w, o, live, expected));
      }
    }
  }
}

void StructuralCheck::compare(const cycle::CycleResult& timed) const {
  for (std::size_t l = 0; l < mapping_.sliced.size(); ++l) {
    compare_sums(l);
    base::ActionCounts expected;
    for (const engine::ImageResult& image : values_) expected += image.activity[l].counts;
    if (timed.structural_actions.at(l) != expected)
      throw std::logic_error("structural simulation differs from the engine: action counts of layer " +
                             mapping_.program.layers[l].name);
  }
}

}  // namespace bitline::sim
