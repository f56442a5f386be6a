// SPDX-License-Identifier: Apache-2.0
#include "mapper/graph/grouped.h"

#include <algorithm>
#include <utility>

#include "models/base/errors.h"

namespace bitline::graph {
namespace {

constexpr std::int64_t kMostElements = std::int64_t{1} << 28;

/// `weight` [O, C/groups, kh, kw] as [O, C, kh, kw]; without elements where it has none.
std::shared_ptr<const Tensor> spread(const Tensor& weight, std::int64_t groups) {
  const Shape& shape = weight.shape;
  const std::int64_t outputs = shape[0];
  const std::int64_t rows = weight.size() / std::max<std::int64_t>(outputs, 1);
  auto wide = std::make_shared<Tensor>(
      Tensor{{outputs, shape[1] * groups, shape[2], shape[3]}, std::vector<float>()});
  if (weight.as<float>().empty()) return wide;
  wide->as<float>().resize(static_cast<std::size_t>(weight.size() * groups), 0.0F);
  const float* from = weight.as<float>().data();
  for (std::int64_t o = 0; o < outputs; ++o) {
    const std::int64_t group = o / (outputs / groups);
    std::copy_n(from + o * rows, rows, wide->as<float>().data() + (o * groups + group) * rows);
  }
  return wide;
}

}  // namespace

Graph spread_groups(const Graph& graph) {
  Graph result = graph;
  std::vector<base::Problem> problems;
  for (Node& node : result.nodes) {
    if (!is_grouped(node)) continue;
    auto& conv = std::get<ConvAttributes>(node.attributes);
    if (conv.weight->size() > kMostElements / conv.group) {
      problems.push_back({"node '" + node.name + "'",
                          std::to_string(conv.group) + " groups in one matrix with zeros between them",
                          "at most " + std::to_string(kMostElements) + " weights",
                          "use mapping.depthwise: packed"});
      continue;
    }
    conv.weight = spread(*conv.weight, conv.group);
    conv.spread_groups = std::exchange(conv.group, 1);
  }
  if (!problems.empty()) throw base::MappingError(std::move(problems));
  return result;
}

Graph digital_groups(const Graph& graph) {
  Graph result = graph;
  for (Node& node : result.nodes)
    if (is_grouped(node)) std::get<ConvAttributes>(node.attributes).digital = true;
  return result;
}

}  // namespace bitline::graph
