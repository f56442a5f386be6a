// SPDX-License-Identifier: Apache-2.0
// Resize and Upsample: every axis on its own, nearest by moving elements, linear and cubic by weights.
#include <algorithm>
#include <cmath>
#include <utility>

#include "mapper/graph/shapes.h"
#include "mapper/onnx/operators.h"
#include "mapper/onnx/operators_movement.h"
#include "mapper/tensor/operations.h"

namespace bitline::onnx {

namespace {

using graph::Op;
using graph::Shape;
using graph::ValueId;
using List = std::vector<std::int64_t>;

/// One axis from `in` to `out` elements.
struct AxisScale {
  std::int64_t in = 1, out = 1;
  double scale = 1.0;
  double start = 0.0, end = 1.0;  ///< of the region (tf_crop_and_resize), as parts of the input
};

struct Sampling {
  std::string mode, coordinates, rounding;
  double cubic = -0.75;
  bool exclude_outside = false;
  float extrapolation = 0.0F;
};

/// Position in the input of output element `i`.
double position(const Sampling& s, const AxisScale& a, std::int64_t i) {
  const auto x = static_cast<double>(i);
  const double resized = a.scale * static_cast<double>(a.in);
  if (s.coordinates == "asymmetric") return x / a.scale;
  if (s.coordinates == "align_corners")
    return resized == 1.0 ? 0.0 : x * static_cast<double>(a.in - 1) / (resized - 1.0);
  if (s.coordinates == "pytorch_half_pixel") return resized > 1.0 ? (x + 0.5) / a.scale - 0.5 : 0.0;
  if (s.coordinates == "tf_half_pixel_for_nn") return (x + 0.5) / a.scale;
  if (s.coordinates == "half_pixel_symmetric") {
    const double adjustment = static_cast<double>(a.out) / resized;
    const double centre = static_cast<double>(a.in) / 2.0;
    return centre * (1.0 - adjustment) + (x + 0.5) / a.scale - 0.5;
  }
  if (s.coordinates == "tf_crop_and_resize") {
    const auto last = static_cast<double>(a.in - 1);
    return a.out > 1 ? a.start * last + x * (a.end - a.start) * last / static_cast<double>(a.out - 1)
                     : 0.5 * (a.start + a.end) * last;
  }
  return (x + 0.5) / a.scale - 0.5;  // half_pixel
}

bool outside(const Sampling& s, const AxisScale& a, double x) {
  return s.coordinates == "tf_crop_and_resize" && (x < 0.0 || x > static_cast<double>(a.in - 1));
}

std::int64_t nearest(const Sampling& s, double x) {
  if (s.rounding == "floor") return static_cast<std::int64_t>(std::floor(x));
  if (s.rounding == "ceil") return static_cast<std::int64_t>(std::ceil(x));
  if (s.rounding == "round_prefer_ceil") return static_cast<std::int64_t>(std::floor(x + 0.5));
  return static_cast<std::int64_t>(std::ceil(x - 0.5));
}

/// Weights of the elements around a position `fraction` after the second of four (or the first of two).
std::vector<double> kernel(const Sampling& s, double fraction) {
  if (s.mode == "linear") return {1.0 - fraction, fraction};
  const double a = s.cubic;
  const auto near = [a](double d) { return ((a + 2.0) * d - (a + 3.0)) * d * d + 1.0; };
  const auto far = [a](double d) { return ((a * d - 5.0 * a) * d + 8.0 * a) * d - 4.0 * a; };
  return {far(1.0 + fraction), near(fraction), near(1.0 - fraction), far(2.0 - fraction)};
}

graph::ResampleAttributes interpolation(const Sampling& s, const AxisScale& a, std::int64_t axis) {
  graph::ResampleAttributes result;
  result.axis = axis;
  result.taps = s.mode == "linear" ? 2 : 4;
  result.fill = s.extrapolation;
  for (std::int64_t i = 0; i < a.out; ++i) {
    const double x = position(s, a, i);
    const double floor = std::floor(x);
    std::vector<double> weights = kernel(s, x - floor);
    double sum = 0.0;
    for (std::size_t t = 0; t < result.taps; ++t) {
      const auto at =
          static_cast<std::int64_t>(floor) + static_cast<std::int64_t>(t) - (result.taps == 4 ? 1 : 0);
      if (s.exclude_outside && (at < 0 || at >= a.in)) weights[t] = 0.0;
      sum += weights[t];
      result.indices.push_back(outside(s, a, x) ? -1 : std::clamp<std::int64_t>(at, 0, a.in - 1));
    }
    for (double& weight : weights) result.weights.push_back(static_cast<float>(weight / sum));
  }
  return result;
}

List nearest_sources(const Sampling& s, const AxisScale& a) {
  List sources;
  for (std::int64_t i = 0; i < a.out; ++i) {
    const double x = position(s, a, i);
    sources.push_back(outside(s, a, x) ? -1 : std::clamp<std::int64_t>(nearest(s, x), 0, a.in - 1));
  }
  return sources;
}

std::vector<float> floats(NodeContext& node, int i) {
  if (!node.has_input(i)) return {};
  return tensor::to_float(*node.constant(i)).as<float>();
}

/// The axes that a Resize names (all, in order, where it names none).
List named_axes(NodeContext& node, std::int64_t rank) {
  List axes = node.opset() >= 18 ? node.integers("axes", counted(rank)) : counted(rank);
  for (std::int64_t& axis : axes) axis = graph::normalise_axis(axis, rank, rank - 1);
  return axes;
}

void apply_policy(NodeContext& node, const Shape& shape, const List& axes, List& sizes,
                  std::vector<double>& scales) {
  const std::string policy =
      node.opset() >= 18 ? node.text("keep_aspect_ratio_policy", "stretch") : "stretch";
  if (policy == "stretch") return;
  if (policy != "not_larger" && policy != "not_smaller")
    node.fail("keep_aspect_ratio_policy '" + policy + "'", "stretch, not_larger, not_smaller");
  const double scale = policy == "not_larger" ? *std::min_element(scales.begin(), scales.end())
                                              : *std::max_element(scales.begin(), scales.end());
  for (std::size_t i = 0; i < axes.size(); ++i) {
    scales[i] = scale;
    sizes[i] = static_cast<std::int64_t>(
        std::floor(scale * static_cast<double>(shape[static_cast<std::size_t>(axes[i])]) + 0.5));
  }
}

void require_scales(const NodeContext& node, const std::vector<double>& scales) {
  for (const double scale : scales)
    if (!(scale > 0.0) || scale > 65536.0)
      node.fail("scale " + std::to_string(scale), "more than 0, up to 65536");
}

std::vector<AxisScale> axis_scales(NodeContext& node, const Shape& shape) {
  const int scales_input = node.opset() >= 11 ? 2 : 1;
  const List axes = named_axes(node, static_cast<std::int64_t>(shape.size()));
  std::vector<float> given =
      node.type() == "Upsample" && node.opset() < 9 ? node.reals("scales", {}) : floats(node, scales_input);
  std::vector<AxisScale> result;
  for (const std::int64_t size : shape) result.push_back({size, size});
  std::vector<double> scales(given.begin(), given.end());
  List sizes;
  if (node.opset() >= 11 && node.has_input(3) && given.empty()) {
    sizes = node.integer_list(3);
    if (sizes.size() != axes.size())
      node.fail(std::to_string(sizes.size()) + " sizes", std::to_string(axes.size()));
    for (std::size_t i = 0; i < axes.size(); ++i)
      scales.push_back(static_cast<double>(sizes[i]) /
                       static_cast<double>(shape[static_cast<std::size_t>(axes[i])]));
    require_scales(node, scales);
    apply_policy(node, shape, axes, sizes, scales);
  }
  if (scales.size() != axes.size())
    node.fail(std::to_string(scales.size()) + " scales", std::to_string(axes.size()));
  require_scales(node, scales);
  constexpr float kFarthest = 65536.0F;
  const std::vector<float> region = node.opset() >= 11 ? floats(node, 1) : std::vector<float>{};
  for (std::size_t i = 0; i < axes.size(); ++i) {
    AxisScale& a = result[static_cast<std::size_t>(axes[i])];
    a.scale = scales[i];
    a.out =
        sizes.empty() ? static_cast<std::int64_t>(std::floor(static_cast<double>(a.in) * a.scale)) : sizes[i];
    if (region.size() == 2 * axes.size()) {
      if (!(std::abs(region[i]) <= kFarthest) || !(std::abs(region[axes.size() + i]) <= kFarthest))
        node.fail("a region that is not finite or beyond 65536 times the input");
      a.start = static_cast<double>(region[i]);
      a.end = static_cast<double>(region[axes.size() + i]);
    }
  }
  return result;
}

Sampling read_sampling(NodeContext& node) {
  Sampling s;
  const bool old = node.opset() < 11;
  s.mode = node.text("mode", "nearest");
  s.coordinates = old ? "asymmetric" : node.text("coordinate_transformation_mode", "half_pixel");
  s.rounding = old ? "floor" : node.text("nearest_mode", "round_prefer_floor");
  s.cubic = static_cast<double>(node.real("cubic_coeff_a", -0.75F));
  s.exclude_outside = node.integer("exclude_outside", 0) != 0;
  s.extrapolation = node.real("extrapolation_value", 0.0F);
  if (s.mode == "bilinear") s.mode = "linear";
  if (s.mode != "nearest" && s.mode != "linear" && s.mode != "cubic")
    node.fail("mode '" + s.mode + "'", "nearest, linear, cubic");
  static const std::vector<std::string> kKnown = {
      "asymmetric",           "align_corners",      "pytorch_half_pixel", "tf_half_pixel_for_nn",
      "half_pixel_symmetric", "tf_crop_and_resize", "half_pixel"};
  if (std::find(kKnown.begin(), kKnown.end(), s.coordinates) == kKnown.end())
    node.fail("coordinate_transformation_mode '" + s.coordinates + "'");
  return s;
}

}  // namespace

void import_resize(NodeContext& node) {
  const ValueId x = node.input(0);
  const Shape shape = node.shape(x);
  const Sampling s = read_sampling(node);
  const std::vector<AxisScale> axes = axis_scales(node, shape);
  Shape y;
  bool shrinks = false;
  for (const AxisScale& a : axes) {
    y.push_back(a.out);
    shrinks = shrinks || a.scale < 1.0;
  }
  if (node.opset() >= 18 && node.integer("antialias", 0) != 0 && s.mode != "nearest" && shrinks)
    node.fail("antialias = 1 with a scale below 1", "antialias = 0");
  node.require_size(y);
  if (s.mode == "nearest") {
    View view(shape);
    for (std::size_t d = 0; d < axes.size(); ++d) {
      if (axes[d].scale != 1.0 || axes[d].out != axes[d].in) view.take(d, nearest_sources(s, axes[d]));
    }
    return node.emit(Op::rearrange, std::move(view).attributes(s.extrapolation), {x}, y);
  }
  ValueId value = x;
  Shape now = shape;
  for (std::size_t d = 0; d < axes.size(); ++d) {
    if (axes[d].scale == 1.0 && axes[d].out == axes[d].in && s.coordinates != "tf_crop_and_resize") continue;
    now[d] = axes[d].out;
    value = node.intermediate("/axis" + std::to_string(d), Op::resample,
                              interpolation(s, axes[d], static_cast<std::int64_t>(d)), {value}, now);
  }
  node.forward(value);
}

}  // namespace bitline::onnx
