// SPDX-License-Identifier: Apache-2.0
#include "sim/engine/window_source.h"

#include <algorithm>

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
  conv_ = &std::get<graph::ConvAttributes>(node.attributes);
  channels_ = in.at(1);
  height_ = in.at(2);
  width_ = in.at(3);
  out_height_ = out.at(2);
  out_width_ = out.at(3);
  rows_ = channels_ * conv_->kernel.at(0) * conv_->kernel.at(1);
  positions_ = in.at(0) * out_height_ * out_width_;
}

void WindowSource::gather(std::int64_t first, int count, std::int32_t* out) const {
  if (conv_ == nullptr) {
    std::copy_n(codes_.data() + first * rows_, count * rows_, out);
    return;
  }
  for (std::int64_t position = first; position < first + count; ++position, out += rows_) {
    gather_window(position, out);
  }
}

void WindowSource::gather_window(std::int64_t position, std::int32_t* out) const {
  const std::int64_t image = position / (out_height_ * out_width_);
  const std::int64_t top = position / out_width_ % out_height_ * conv_->strides[0] - conv_->pads[0];
  const std::int64_t left = position % out_width_ * conv_->strides[1] - conv_->pads[1];
  const std::int64_t step = conv_->dilations[1];
  const std::int64_t taps = conv_->kernel[1];
  // columns of the kernel that lie on the image
  const std::int64_t first = left >= 0 ? 0 : std::min(taps, (-left + step - 1) / step);
  const std::int64_t last =
      left >= width_ ? first : std::clamp((width_ - left + step - 1) / step, first, taps);
  for (std::int64_t channel = 0; channel < channels_; ++channel) {
    const std::int32_t* plane = codes_.data() + (image * channels_ + channel) * height_ * width_;
    for (std::int64_t tap = 0; tap < conv_->kernel[0]; ++tap, out += taps) {
      const std::int64_t y = top + tap * conv_->dilations[0];
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
