// SPDX-License-Identifier: Apache-2.0
#include "mapper/slice/slicer.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>

#include "mapper/slice/centres.h"
#include "mapper/slice/resolution.h"
#include "models/base/errors.h"

namespace bitline::slice {
namespace {

constexpr int kMaxCellBits = 8;

using arch::WeightEncoding;

int checked_int(const graph::Node& node, std::int64_t value) {
  if (value > 0 && value <= std::numeric_limits<int>::max()) return static_cast<int>(value);
  throw base::NetworkError(base::Problem{.where = fmt::format("node '{}'", node.name),
                                         .given = fmt::format("a dimension of {}", value),
                                         .allowed = "1 to 2147483647",
                                         .remedy = {}});
}

/// Bits of a slice at the top of the code that stand alone: the sign bit of two's complement.
int sign_bits(WeightEncoding encoding) {
  return encoding == WeightEncoding::twos_complement ? 1 : 0;
}

std::vector<int> even_widths(int bits, int bits_per_cell) {
  std::vector<int> widths;
  if (bits % bits_per_cell != 0) widths.push_back(bits % bits_per_cell);
  widths.insert(widths.end(), static_cast<std::size_t>(bits / bits_per_cell), bits_per_cell);
  return widths;
}

/// The lowest of `widths` (after the sign) that hold `code_bits`, the uppermost narrowed to what is left; all
/// of them where they do not.
std::vector<int> lowest_widths(std::vector<int> widths, int code_bits, int sign) {
  int rest = code_bits - sign;
  std::size_t first = widths.size();
  while (first > static_cast<std::size_t>(sign) && rest > 0) rest -= widths[--first];
  if (rest > 0 || first >= widths.size()) return widths;
  widths[first] += rest;
  widths.erase(widths.begin() + sign, widths.begin() + static_cast<std::ptrdiff_t>(first));
  return widths;
}

std::vector<int> slice_widths(int code_bits, const arch::Arch& arch) {
  if (!arch.slices.widths.empty())
    return lowest_widths(arch.slices.widths, code_bits, sign_bits(arch.encoding.weights));
  const int sign = sign_bits(arch.encoding.weights);
  std::vector<int> widths = even_widths(code_bits - sign, arch.device.bits_per_cell);
  if (sign == 1) widths.insert(widths.begin(), 1);
  return widths;
}

void require_widths(const std::vector<int>& widths, int code_bits, const arch::Arch& arch) {
  std::vector<base::Problem> problems;
  const auto report = [&](std::string allowed) {
    problems.push_back({.where = arch.slices.widths.empty() ? "device.bits_per_cell" : "slices.widths",
                        .given = fmt::format("slices of {} bits", fmt::join(widths, ", ")),
                        .allowed = std::move(allowed),
                        .remedy = {}});
  };
  if (std::any_of(widths.begin(), widths.end(), [](int w) { return w < 1 || w > kMaxCellBits; })) {
    report(fmt::format("1 to {} bits each", kMaxCellBits));
  }
  if (std::accumulate(widths.begin(), widths.end(), 0) != code_bits) {
    report(fmt::format("{} bits together: the cell code of precision.weights.bits and encoding.weights",
                       code_bits));
  }
  if (sign_bits(arch.encoding.weights) == 1 && (widths.empty() || widths.front() != 1)) {
    report("a most significant slice of 1 bit: the sign of twos_complement");
  }
  if (!problems.empty()) throw base::ConfigError(std::move(problems));
}

void require_meaning(const arch::Arch& arch) {
  if (!arch.encoding.analog() || !arch.encoding.flip) return;
  throw base::ConfigError(
      base::Problem{.where = "encoding.flip",
                    .given = "flip with encoding.subtraction: analog",
                    .allowed = "flip where each column is converted by itself",
                    .remedy = "set encoding.flip: false or encoding.subtraction: digital"});
}

/// The cell codes of a column's weights in an array.
void encode(std::span<const std::int32_t> weights, int array, const SlicedLayer& layer, std::int64_t centre,
            int bits, std::uint32_t* codes) {
  // 18 bits and a sign at most, so that 32 hold every difference.
  const auto less = static_cast<std::int32_t>(centre);
  switch (layer.encoding) {
    case WeightEncoding::differential:
    case WeightEncoding::centre_offset: {
      const std::int32_t sign = array == 0 ? 1 : -1;
      for (std::size_t i = 0; i < weights.size(); ++i)
        codes[i] = static_cast<std::uint32_t>(std::max(sign * (weights[i] - less), 0));
      return;
    }
    case WeightEncoding::offset:
      for (std::size_t i = 0; i < weights.size(); ++i)
        codes[i] = static_cast<std::uint32_t>(weights[i] - less);
      return;
    case WeightEncoding::twos_complement:
      for (std::size_t i = 0; i < weights.size(); ++i)
        codes[i] = static_cast<std::uint32_t>(weights[i]) & ((1u << bits) - 1);
      return;
  }
  BITLINE_CHECK(false);
}

void encode_all(const quantize::WeightQuant& weights, int bits, SlicedLayer& layer) {
  const auto rows = static_cast<std::size_t>(layer.rows_per_group);
  const auto outputs = static_cast<std::size_t>(layer.outputs());
  layer.codes.resize(weights.codes.size() * static_cast<std::size_t>(layer.arrays));
  for (int array = 0; array < layer.arrays; ++array) {
    for (std::size_t output = 0; output < outputs; ++output)
      encode(std::span(weights.codes).subspan(output * rows, rows), array, layer,
             layer.centre(static_cast<int>(output)), bits,
             layer.codes.data() + (static_cast<std::size_t>(array) * outputs + output) * rows);
  }
}

/// Marks the columns of which the stored cells would sum to more than half of the most they can hold. Returns
/// max_cell_sums().
CellSums flip_dense_columns(SlicedLayer& layer) {
  const std::size_t slices = layer.slices.size();
  const std::size_t columns = static_cast<std::size_t>(layer.outputs());
  const std::size_t blocks = layer.blocks.size();
  layer.flipped.assign(static_cast<std::size_t>(layer.arrays) * blocks * slices * columns, 0);
  CellSums largest(blocks, std::vector<std::int64_t>(slices, 0));
  const auto flip_block = [&](int array, std::size_t block, std::size_t column,
                              std::span<std::uint32_t> sums) {
    encoded_sums(layer, array, static_cast<int>(block), static_cast<int>(column), sums);
    for (std::size_t s = 0; s < slices; ++s) {
      const std::int64_t most = layer.blocks[block].rows() * ((std::int64_t{1} << layer.slices[s].width) - 1);
      const std::int64_t sum = sums[s];
      const bool flips = 2 * sum > most;
      if (flips) {
        const std::size_t of_slice = (static_cast<std::size_t>(array) * blocks + block) * slices + s;
        layer.flipped[of_slice * columns + column] = 1;
      }
      largest[block][s] = std::max(largest[block][s], flips ? most - sum : sum);
    }
  };
  // A few blocks after another: columns are read as they lie in memory.
  const tbb::blocked_range<std::size_t> all(0, blocks, 32);
  const auto flip_part = [&](const tbb::blocked_range<std::size_t>& part) {
    std::vector<std::uint32_t> sums(slices);
    for (int array = 0; array < layer.arrays; ++array)
      for (std::size_t column = 0; column < columns; ++column)
        for (std::size_t block = part.begin(); block < part.end(); ++block)
          flip_block(array, block, column, sums);
  };
  tbb::parallel_for(all, flip_part, tbb::simple_partitioner());
  return largest;
}

}  // namespace

LayerShape layer_shape(const graph::Node& node) {
  if (node.op == graph::Op::conv) {
    const auto& conv = std::get<graph::ConvAttributes>(node.attributes);
    const graph::Shape& w = conv.weight->shape;
    return {.groups = checked_int(node, conv.group),
            .outputs_per_group = checked_int(node, w.at(0) / conv.group),
            .rows_per_group = checked_int(node, w.at(1) * w.at(2) * w.at(3))};
  }
  BITLINE_CHECK(node.op == graph::Op::linear);
  const graph::Shape& w = std::get<graph::LinearAttributes>(node.attributes).weight->shape;
  return {.groups = 1,
          .outputs_per_group = checked_int(node, w.at(0)),
          .rows_per_group = checked_int(node, w.at(1))};
}

int code_bits(const quantize::WeightQuant& weights, WeightEncoding encoding) {
  return weights.magnitude_bits() + (encoding == WeightEncoding::differential ? 0 : 1);
}

std::vector<Slice> make_slices(int code_bits, const arch::Arch& arch) {
  const std::vector<int> widths = slice_widths(code_bits, arch);
  require_widths(widths, code_bits, arch);
  std::vector<Slice> slices;
  int shift = code_bits;
  for (const int width : widths) {
    shift -= width;
    slices.push_back({.width = width, .shift = shift, .sign = 1});
  }
  if (arch.encoding.weights == WeightEncoding::twos_complement) slices.front().sign = -1;
  return slices;
}

std::vector<RowBlock> row_blocks(int rows, const crossbar::CrossbarParams& crossbar) {
  BITLINE_CHECK(crossbar.rows > 0 && crossbar.active_rows > 0);
  std::vector<RowBlock> blocks;
  for (int first = 0; first < rows;) {
    const int crossbar_end = (first / crossbar.rows + 1) * crossbar.rows;
    const int last = std::min({first + crossbar.active_rows, crossbar_end, rows});
    blocks.push_back({.first = first, .last = last});
    first = last;
  }
  return blocks;
}

namespace {

/// All but cells and resolutions.
SlicedLayer frame(const LayerShape& shape, const quantize::LayerQuant& quant, const arch::Arch& arch) {
  require_meaning(arch);
  const WeightEncoding encoding = arch.encoding.weights;
  const int bits = code_bits(quant.weights, encoding);
  SlicedLayer layer;
  layer.groups = shape.groups;
  layer.rows_per_group = shape.rows_per_group;
  layer.outputs_per_group = shape.outputs_per_group;
  layer.encoding = encoding;
  layer.arrays = arch.encoding.arrays();
  layer.analog = arch.encoding.analog();
  layer.reference_column = arch::has_reference_column(arch);
  layer.slices = make_slices(bits, arch);
  layer.blocks = row_blocks(shape.rows_per_group, arch.crossbar);
  BITLINE_CHECK(bits > 0);
  layer.offset = encoding == WeightEncoding::offset ? std::int64_t{1} << (bits - 1) : 0;
  layer.conversion = arch.adc.conversion;
  layer.activation_bits = quant.input.bits;
  layer.activation_signed = quant.input.is_signed;
  layer.activation_zero_point = quant.input.zero_point;
  layer.dac_bits = arch.dac.bits;
  layer.chunks = input_chunks(quant.input.bits, quant.input.is_signed, arch.dac.bits);
  return layer;
}

}  // namespace

SlicedLayer slice_shape(const LayerShape& shape, const quantize::LayerQuant& quant, const arch::Arch& arch) {
  SlicedLayer layer = frame(shape, quant, arch);
  resolve_adc_bits(layer, arch);
  return layer;
}

SlicedLayer slice_layer(const LayerShape& shape, const quantize::LayerQuant& quant, const arch::Arch& arch) {
  const std::size_t count =
      static_cast<std::size_t>(shape.groups) * shape.outputs_per_group * shape.rows_per_group;
  BITLINE_CHECK(quant.weights.codes.size() == count);
  SlicedLayer layer = frame(shape, quant, arch);
  const int bits = code_bits(quant.weights, layer.encoding);
  if (layer.encoding == WeightEncoding::centre_offset)
    layer.centres = choose_centres(quant.weights.codes, layer.rows_per_group, layer.slices, bits);
  encode_all(quant.weights, bits, layer);
  resolve_adc_bits(layer, arch, arch.encoding.flip ? flip_dense_columns(layer) : max_cell_sums(layer));
  return layer;
}

}  // namespace bitline::slice
