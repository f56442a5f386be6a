// SPDX-License-Identifier: Apache-2.0
// The values of a graph as streams of pixels, and which pixels of its inputs each node takes.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "mapper/place/gather.h"

namespace bitline::place {

class Streams {
 public:
  explicit Streams(const graph::Graph& graph);

  /// The stream of a value of this shape where nothing else says so: images by position, others by leading
  /// dimensions.
  [[nodiscard]] static Geometry of_shape(const graph::Shape& shape);

  void set(graph::ValueId v, const Geometry& geometry);
  /// `out` is the stream of `in`, seen with a shape of its own.
  void set_alias(graph::ValueId out, graph::ValueId in);

  /// As the stage that produces it makes it.
  [[nodiscard]] const Geometry& made(graph::ValueId v) const { return made_[static_cast<std::size_t>(v)]; }
  /// As `node` reads its input.
  [[nodiscard]] Geometry seen(const graph::Node& node, graph::ValueId v) const;
  /// What `node` makes.
  [[nodiscard]] Geometry output(const graph::Node& node) const;
  /// The pixels of input `v` that each pixel of the output takes.
  [[nodiscard]] Window window(const graph::Node& node, graph::ValueId v, const Geometry& out) const;
  /// Each output channel takes the values of its own channels only.
  [[nodiscard]] bool by_channel(const graph::Node& node, const Geometry& out) const;

 private:
  [[nodiscard]] const Geometry& own(graph::ValueId v) const { return own_[static_cast<std::size_t>(v)]; }
  [[nodiscard]] Geometry reduced(const graph::Node& node) const;
  [[nodiscard]] Geometry rearranged(const graph::Node& node) const;
  [[nodiscard]] bool within_pixels(const graph::Node& reduction, const Geometry& in) const;
  [[nodiscard]] std::optional<std::int64_t> first_pixel(const graph::Node& node, graph::ValueId v,
                                                        const Geometry& in, const Geometry& out) const;
  [[nodiscard]] bool same_pixels(const graph::Node& node, const Geometry& in, const Geometry& out) const;

  const graph::Graph& graph_;
  std::vector<Geometry> own_;   ///< by value, of its own shape
  std::vector<Geometry> made_;  ///< by value
};

}  // namespace bitline::place
