// SPDX-License-Identifier: Apache-2.0
#include "sim/engine/window_source.h"

#include <algorithm>
#include <cstring>

namespace bitline::engine {

WindowSource::WindowSource(const graph::Graph& graph, const graph::Node& node,
                           std::span<const std::int32_t> codes, std::int32_t zero)
    : codes_(codes), zero_(zero) {
  const graph::Shape& in = graph.shape(node.inputs.front());
  const graph::Shape& out = graph.shape(node.outputs.front());
  if (node.op == graph::Op::linear) {
    rows_ = in.back();
    positions_ = static_cast<std::int64_t>(codes.size()) / rows_;
    return;
  }
  const graph::ConvAttributes& conv = std::get<graph::ConvAttributes>(node.attributes);
  is_conv_ = true;
  channels_ = in.at(1);
  height_ = in.at(2);
  width_ = in.at(3);
  out_height_ = out.at(2);
  out_width_ = out.at(3);
  kernel_ = {conv.kernel.at(0), conv.kernel.at(1)};
  strides_ = {conv.strides.at(0), conv.strides.at(1)};
  dilations_ = {conv.dilations.at(0), conv.dilations.at(1)};
  top_ = conv.pads.at(0);
  left_ = conv.pads.at(1);
  bottom_ = conv.pads.at(2);
  right_ = conv.pads.at(3);
  rows_ = channels_ * kernel_[0] * kernel_[1];
  positions_ = in.at(0) * out_height_ * out_width_;
}

void WindowSource::pad() {
  if (!is_conv_ || (top_ == 0 && left_ == 0 && bottom_ == 0 && right_ == 0)) return;
  const std::int64_t height = height_ + top_ + bottom_;
  const std::int64_t width = width_ + left_ + right_;
  const std::int64_t planes = static_cast<std::int64_t>(codes_.size()) / (height_ * width_);
  padded_.assign(static_cast<std::size_t>(planes * height * width), zero_);
  for (std::int64_t plane = 0; plane < planes; ++plane) {
    for (std::int64_t y = 0; y < height_; ++y) {
      std::copy_n(codes_.data() + (plane * height_ + y) * width_, width_,
                  padded_.data() + (plane * height + y + top_) * width + left_);
    }
  }
  codes_ = padded_;
  height_ = height;
  width_ = width;
  top_ = left_ = bottom_ = right_ = 0;
}

void WindowSource::gather(std::int64_t first, int count, std::int32_t* out) const {
  if (!is_conv_) {
    std::copy_n(codes_.data() + first * rows_, count * rows_, out);
    return;
  }
  for (std::int64_t position = first; position < first + count; ++position, out += rows_) {
    const std::int64_t image = position / (out_height_ * out_width_);
    const Corner corner{.planes = codes_.data() + image * channels_ * height_ * width_,
                        .top = position / out_width_ % out_height_ * strides_[0] - top_,
                        .left = position % out_width_ * strides_[1] - left_};
    const bool inside = corner.top >= 0 && corner.left >= 0 &&
                        corner.top + (kernel_[0] - 1) * dilations_[0] < height_ &&
                        corner.left + (kernel_[1] - 1) * dilations_[1] < width_;
    if (!inside || dilations_[1] != 1) {
      gather_any(corner, out);
    } else {
      gather_inside(corner, out);
    }
  }
}

/// A window that lies on the image, whose taps of a line lie side by side.
void WindowSource::gather_inside(const Corner& corner, std::int32_t* out) const {
  switch (kernel_[1]) {
    case 1:
      return gather_lines<1>(corner, out);
    case 3:
      return gather_lines<3>(corner, out);
    case 5:
      return gather_lines<5>(corner, out);
    case 7:
      return gather_lines<7>(corner, out);
    default:
      return gather_any(corner, out);
  }
}

template <std::int64_t kTaps>
void WindowSource::gather_lines(const Corner& corner, std::int32_t* out) const {
  const std::int32_t* plane = corner.planes + corner.top * width_ + corner.left;
  const std::int64_t step = dilations_[0] * width_;
  for (std::int64_t channel = 0; channel < channels_; ++channel, plane += height_ * width_) {
    const std::int32_t* line = plane;
    for (std::int64_t tap = 0; tap < kernel_[0]; ++tap, out += kTaps, line += step) {
      std::memcpy(out, line, kTaps * sizeof(std::int32_t));
    }
  }
}

void WindowSource::gather_any(const Corner& corner, std::int32_t* out) const {
  const std::int64_t step = dilations_[1];
  const std::int64_t taps = kernel_[1];
  const std::int64_t left = corner.left;
  // columns of the kernel that lie on the image
  const std::int64_t first = left >= 0 ? 0 : std::min(taps, (-left + step - 1) / step);
  const std::int64_t last =
      left >= width_ ? first : std::clamp((width_ - left + step - 1) / step, first, taps);
  for (std::int64_t channel = 0; channel < channels_; ++channel) {
    const std::int32_t* plane = corner.planes + channel * height_ * width_;
    for (std::int64_t tap = 0; tap < kernel_[0]; ++tap, out += taps) {
      const std::int64_t y = corner.top + tap * dilations_[0];
      if (y < 0 || y >= height_) {
        std::fill_n(out, taps, zero_);
        continue;
      }
      const std::int32_t* line = plane + y * width_ + left;
      std::fill(out, out + first, zero_);
      for (std::int64_t i = first; i < last; ++i) out[i] = line[i * step];
      std::fill(out + last, out + taps, zero_);
    }
  }
}

}  // namespace bitline::engine
