// SPDX-License-Identifier: Apache-2.0
// Which channels of a network's values can only be removed together, and which cannot be at all.
//
// The channels of a value are its second dimension. Operators that work on each channel by itself
// (activations, BatchNormalization, pools, Add, Mul, ...), concatenation and flattening tie channels of their
// inputs and output together; convolutions and products without groups do not. Every other operator holds on
// to all it touches.
#pragma once

#include <cstdint>
#include <vector>

#include <boost/pending/disjoint_sets.hpp>

#include "mapper/graph/graph.h"

namespace bitline::prune {

enum class Role {
  dense,        ///< conv of one group or linear, on crossbars: each output may take every channel
  depthwise,    ///< conv on crossbars with a group per channel and output
  channelwise,  ///< output channel c takes channel c of its inputs
  concat,       ///< along the channels
  flatten,      ///< channels become runs of elements of the second dimension
  opaque        ///< all channels stay
};

class Channels {
 public:
  explicit Channels(const graph::Graph& graph);

  [[nodiscard]] Role role(graph::NodeId node) const { return roles_[static_cast<std::size_t>(node)]; }
  /// Whether the value is computed and has channels; graph inputs and constants do not count.
  [[nodiscard]] bool tracked(graph::ValueId value) const {
    return first_[static_cast<std::size_t>(value)] >= 0;
  }
  /// Channels of a tracked value.
  [[nodiscard]] std::int64_t count(graph::ValueId value) const;
  /// The set of channels that this one stays or goes with, as a number below size().
  [[nodiscard]] std::size_t set_of(graph::ValueId value, std::int64_t channel) const;
  [[nodiscard]] std::size_t size() const { return set_.size(); }
  /// Whether a set has to stay, used or not.
  [[nodiscard]] bool pinned(std::size_t set) const { return pinned_[set]; }

 private:
  using Sets = boost::disjoint_sets_with_storage<>;
  void tie(const graph::Node& node, Role role, Sets& sets);
  void tie_channelwise(const graph::Node& node, Sets& sets);
  void pin(graph::ValueId value);
  [[nodiscard]] std::size_t element(graph::ValueId value, std::int64_t channel) const;

  const graph::Graph& graph_;
  std::vector<Role> roles_;
  std::vector<std::int64_t> first_;  ///< by value: number of its first channel; -1: not tracked
  std::vector<std::size_t> set_;     ///< by channel
  std::vector<bool> pinned_;         ///< by channel, then by set
};

/// The dimension of a constant operand that meets the channels of a result of `rank` dimensions; -1: none,
/// the constant is the same for all channels.
[[nodiscard]] std::int64_t channel_dimension(const graph::Shape& constant, std::size_t rank);

}  // namespace bitline::prune
