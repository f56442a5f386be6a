// SPDX-License-Identifier: Apache-2.0
// The rows that the windows of a layer drive, cut out of its integer input a tile at a time (the whole matrix
// of all windows would not fit in memory for large images).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "mapper/graph/graph.h"
#include "sim/engine/layer_function.h"

namespace bitline::engine {

/// Windows of a conv node over codes [N, C, H, W], or rows of a linear node over codes [..., I].
class WindowSource final : public InputSource {
 public:
  /// `codes` and `graph` must outlive this. `zero`: the code of real zero, which padding takes.
  WindowSource(const graph::Graph& graph, const graph::Node& node, std::span<const std::int32_t> codes,
               std::int32_t zero);
  /// Copies the codes with their padding around them: faster where all windows are gathered.
  void pad();
  [[nodiscard]] std::int64_t positions() const override { return positions_; }
  void gather(std::int64_t first, int count, std::int32_t* out) const override;

 private:
  /// Of a window, on the planes of its image.
  struct Corner {
    const std::int32_t* planes = nullptr;
    std::int64_t top = 0;
    std::int64_t left = 0;
  };
  void gather_inside(const Corner& corner, std::int32_t* out) const;
  template <std::int64_t kTaps>
  void gather_lines(const Corner& corner, std::int32_t* out) const;
  void gather_any(const Corner& corner, std::int32_t* out) const;

  bool is_conv_ = false;
  std::span<const std::int32_t> codes_;
  std::vector<std::int32_t> padded_;
  std::int32_t zero_ = 0;
  std::int64_t positions_ = 0;
  std::int64_t rows_ = 0;  ///< of all groups
  std::int64_t channels_ = 0, height_ = 0, width_ = 0;
  std::int64_t out_height_ = 0, out_width_ = 0;
  std::int64_t top_ = 0, left_ = 0, bottom_ = 0, right_ = 0;  ///< padding
  std::array<std::int64_t, 2> kernel_ = {}, strides_ = {}, dilations_ = {};
};

}  // namespace bitline::engine
