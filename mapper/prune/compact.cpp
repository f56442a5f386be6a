// SPDX-License-Identifier: Apache-2.0
#include "mapper/prune/compact.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "models/base/errors.h"

namespace bitline::prune {
namespace {

/// The rows and outputs of one group that have a weight, ascending.
struct Used {
  int group = 0;
  std::vector<int> rows;
  std::vector<int> outputs;
};

/// Non-zero weights of every row and output of a group.
struct Fill {
  std::vector<int> rows;
  std::vector<int> outputs;
};

Fill fill_of(const slice::LayerShape& shape, std::span<const std::int32_t> codes, int group) {
  Fill fill{std::vector<int>(static_cast<std::size_t>(shape.rows_per_group), 0),
            std::vector<int>(static_cast<std::size_t>(shape.outputs_per_group), 0)};
  const std::int32_t* code = codes.data() + static_cast<std::size_t>(group) * shape.outputs_per_group *
                                                static_cast<std::size_t>(shape.rows_per_group);
  for (int& output : fill.outputs) {
    for (int& row : fill.rows) {
      if (*code++ == 0) continue;
      ++row;
      ++output;
    }
  }
  return fill;
}

std::vector<int> filled(const std::vector<int>& counts) {
  std::vector<int> indices;
  for (std::size_t i = 0; i < counts.size(); ++i)
    if (counts[i] > 0) indices.push_back(static_cast<int>(i));
  return indices;
}

/// Adds the first of 0..count that are not among `used` until it has `size`.
void fill_up(std::vector<int>& used, std::size_t size) {
  std::vector<int> more;
  for (int i = 0; used.size() + more.size() < size; ++i)
    if (!std::binary_search(used.begin(), used.end(), i)) more.push_back(i);
  used.insert(used.end(), more.begin(), more.end());
  std::sort(used.begin(), used.end());
}

std::vector<Used> used_groups(const slice::LayerShape& shape, std::span<const std::int32_t> codes) {
  std::vector<Used> groups;
  std::size_t rows = 1;
  std::size_t outputs = 1;
  for (int g = 0; g < shape.groups; ++g) {
    const Fill fill = fill_of(shape, codes, g);
    Used used{g, filled(fill.rows), filled(fill.outputs)};
    if (used.rows.empty()) continue;
    rows = std::max(rows, used.rows.size());
    outputs = std::max(outputs, used.outputs.size());
    groups.push_back(std::move(used));
  }
  if (groups.empty()) groups.push_back({});
  for (Used& used : groups) {
    fill_up(used.rows, rows);
    fill_up(used.outputs, outputs);
  }
  return groups;
}

}  // namespace

Compaction compact(const slice::LayerShape& shape, std::span<const std::int32_t> codes) {
  const std::vector<Used> groups = used_groups(shape, codes);
  Compaction c;
  c.shape = {static_cast<int>(groups.size()), static_cast<int>(groups.front().outputs.size()),
             static_cast<int>(groups.front().rows.size())};
  for (const Used& used : groups) {
    for (const int row : used.rows) c.rows.push_back(used.group * shape.rows_per_group + row);
    for (const int output : used.outputs) {
      c.outputs.push_back(used.group * shape.outputs_per_group + output);
      const auto first =
          static_cast<std::size_t>(c.outputs.back()) * static_cast<std::size_t>(shape.rows_per_group);
      for (const int row : used.rows) c.codes.push_back(codes[first + static_cast<std::size_t>(row)]);
    }
  }
  if (c.rows.size() ==
      static_cast<std::size_t>(shape.groups) * static_cast<std::size_t>(shape.rows_per_group))
    c.rows.clear();
  if (c.outputs.size() ==
      static_cast<std::size_t>(shape.groups) * static_cast<std::size_t>(shape.outputs_per_group))
    c.outputs.clear();
  return c;
}

NearlyEmpty nearly_empty(const slice::LayerShape& shape, std::span<const std::int32_t> codes,
                         double percent) {
  NearlyEmpty found;
  std::vector<std::int32_t> left(codes.begin(), codes.end());
  const auto few = [percent](int count, int of) { return count > 0 && 100.0 * count <= percent * of; };
  for (int g = 0; g < shape.groups; ++g) {
    const Fill fill = fill_of(shape, codes, g);
    std::int32_t* code = left.data() + static_cast<std::size_t>(g) * shape.outputs_per_group *
                                           static_cast<std::size_t>(shape.rows_per_group);
    for (const int count : fill.rows) found.rows += few(count, shape.outputs_per_group) ? 1 : 0;
    for (const int of_output : fill.outputs) {
      const bool column = few(of_output, shape.rows_per_group);
      found.columns += column ? 1 : 0;
      for (const int of_row : fill.rows) {
        if ((column || few(of_row, shape.outputs_per_group)) && *code != 0) {
          ++found.weights;
          *code = 0;
        }
        ++code;
      }
    }
  }
  found.shape = compact(shape, left).shape;
  return found;
}

slice::SlicedLayer slice_compact(const slice::LayerShape& shape, const quantize::LayerQuant& quant,
                                 const arch::Arch& arch) {
  Compaction c = compact(shape, quant.weights.codes);
  quantize::LayerQuant own = quant;
  own.weights.codes = std::move(c.codes);
  slice::SlicedLayer layer = slice::slice_layer(c.shape, own, arch);
  layer.window = shape.groups * shape.rows_per_group;
  layer.channels = shape.groups * shape.outputs_per_group;
  layer.window_rows = std::move(c.rows);
  layer.channel_of_output = std::move(c.outputs);
  return layer;
}

}  // namespace bitline::prune
