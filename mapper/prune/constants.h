// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "mapper/graph/graph.h"
#include "mapper/prune/channels.h"
#include "mapper/quantize/quantize.h"

namespace bitline::prune {

/// The weight codes of one crossbar node as a matrix of outputs and input channels.
class WeightMatrix {
 public:
  WeightMatrix(const graph::Node& node, const quantize::LayerQuant& quant);
  [[nodiscard]] std::int64_t outputs() const { return outputs_; }
  [[nodiscard]] std::int64_t inputs() const { return inputs_; }  ///< of a group
  [[nodiscard]] std::int64_t taps() const { return taps_; }  ///< weights of an output for an input channel
  [[nodiscard]] std::span<const std::int32_t> of(std::int64_t output, std::int64_t input) const;
  /// Any of these is not zero.
  [[nodiscard]] bool uses(std::int64_t output, std::int64_t input) const;
  /// What input channel `input` gives to the sum of `output` where its code is `code` everywhere.
  [[nodiscard]] std::int64_t contribution(std::int64_t output, std::int64_t input, std::int64_t code) const;
  /// Whether a channel that is `value` everywhere gives every window the same: there is no padding, or the
  /// value has the code of zero, as padding has.
  [[nodiscard]] bool uniform(float value) const;

 private:
  const quantize::LayerQuant& quant_;
  std::int64_t outputs_ = 0, inputs_ = 0, taps_ = 0;
  bool padded_ = false;
};

/// By value and channel: what it holds at every position whatever the network's input is, exactly as a run on
/// converters that never clip computes it; nothing where it depends on the input or on the position.
using Constants = std::vector<std::vector<std::optional<float>>>;

/// `layers`: by node, null where it has none.
[[nodiscard]] Constants constant_channels(const graph::Graph& graph, const Channels& channels,
                                          const std::vector<const quantize::LayerQuant*>& layers);

}  // namespace bitline::prune
