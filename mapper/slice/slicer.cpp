// SPDX-License-Identifier: Apache-2.0
#include "mapper/slice/slicer.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <tbb/blocked_range2d.h>
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

/// The cell code of weight q in an array.
std::uint32_t encode(std::int32_t q, int array, WeightEncoding encoding, std::int64_t centre, int bits) {
  const std::int64_t difference = q - centre;
  switch (encoding) {
    case WeightEncoding::differential:
    case WeightEncoding::centre_offset:
      return static_cast<std::uint32_t>(std::max(array == 0 ? difference : -difference, std::int64_t{0}));
    case WeightEncoding::offset:
      return static_cast<std::uint32_t>(difference);
    case WeightEncoding::twos_complement:
      return static_cast<std::uint32_t>(q) & ((1u << bits) - 1);
  }
  BITLINE_CHECK(false);
  return 0;
}

void encode_all(const quantize::WeightQuant& weights, WeightEncoding encoding, int bits, SlicedLayer& layer) {
  const std::size_t count = weights.codes.size();
  const auto rows = static_cast<std::size_t>(layer.rows_per_group);
  layer.codes.resize(count * static_cast<std::size_t>(layer.arrays));
  for (int array = 0; array < layer.arrays; ++array) {
    std::uint32_t* codes = layer.codes.data() + static_cast<std::size_t>(array) * count;
    for (std::size_t i = 0; i < count; ++i) {
      const std::int64_t centre = layer.centre(static_cast<int>(i / rows));
      codes[i] = encode(weights.codes[i], array, encoding, centre, bits);
    }
  }
}

/// Marks the columns of which the stored cells would sum to more than half of the most they can hold.
void flip_dense_columns(SlicedLayer& layer) {
  const std::size_t slices = layer.slices.size();
  const std::size_t columns = static_cast<std::size_t>(layer.outputs());
  const std::size_t blocks = layer.blocks.size();
  std::vector<std::uint8_t> flipped(static_cast<std::size_t>(layer.arrays) * blocks * slices * columns, 0);
  const auto flip_block = [&](int array, std::size_t block, std::size_t column,
                              std::span<std::uint32_t> sums) {
    encoded_sums(layer, array, static_cast<int>(block), static_cast<int>(column), sums);
    for (std::size_t s = 0; s < slices; ++s) {
      const std::int64_t most = layer.blocks[block].rows() * ((std::int64_t{1} << layer.slices[s].width) - 1);
      const std::size_t at =
          ((static_cast<std::size_t>(array) * blocks + block) * slices + s) * columns + column;
      flipped[at] = 2 * std::int64_t{sums[s]} > most ? 1 : 0;
    }
  };
  // A few blocks after another: columns are read as they lie in memory.
  const tbb::blocked_range2d<int, std::size_t> all(0, layer.arrays, 1, 0, blocks, 32);
  const auto flip_part = [&](const tbb::blocked_range2d<int, std::size_t>& part) {
    std::vector<std::uint32_t> sums(slices);
    for (int array = part.rows().begin(); array < part.rows().end(); ++array)
      for (std::size_t column = 0; column < columns; ++column)
        for (std::size_t block = part.cols().begin(); block < part.cols().end(); ++block)
          flip_block(array, block, column, sums);
  };
  tbb::parallel_for(all, flip_part, tbb::simple_partitioner());
  layer.flipped = std::move(flipped);
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
  encode_all(quant.weights, layer.encoding, bits, layer);
  if (arch.encoding.flip) flip_dense_columns(layer);
  resolve_adc_bits(layer, arch);
  return layer;
}

namespace {

/// Cells that are not zero, by slice. A piece of the codes stays in the cache while all slices are counted.
std::vector<std::int64_t> nonzero_cells(const SlicedLayer& layer) {
  constexpr std::ptrdiff_t kPiece = 4096;
  std::vector<std::int64_t> counts(layer.slices.size(), 0);
  for (auto first = layer.codes.begin(); first != layer.codes.end();) {
    const auto last = first + std::min(kPiece, layer.codes.end() - first);
    for (std::size_t s = 0; s < counts.size(); ++s) {
      const std::uint32_t mask = ((1u << layer.slices[s].width) - 1) << layer.slices[s].shift;
      std::uint32_t nonzero = 0;
      for (auto code = first; code != last; ++code) nonzero += (*code & mask) != 0 ? 1 : 0;
      counts[s] += nonzero;
    }
    first = last;
  }
  return counts;
}

}  // namespace

std::vector<SliceStatistics> statistics(const SlicedLayer& layer) {
  const std::int64_t input = max_chunk_value(layer);
  const std::vector<std::int64_t> nonzero = nonzero_cells(layer);
  std::vector<SliceStatistics> result(layer.slices.size());
  for (std::size_t s = 0; s < result.size(); ++s) {
    SliceStatistics& out = result[s];
    out.width = layer.slices[s].width;
    out.cells = static_cast<std::int64_t>(layer.codes.size());
    out.nonzero = nonzero[s];
    for (std::size_t b = 0; b < layer.blocks.size(); ++b) {
      out.max_column_sum = std::max(out.max_column_sum, layer.max_column_sum[b][s] / input);
      out.adc_bits_needed =
          std::max(out.adc_bits_needed, lossless_bits(layer.max_column_sum[b][s], layer.analog));
      out.adc_bits = std::max(out.adc_bits, layer.adc_bits[b][s]);
    }
  }
  return result;
}

}  // namespace bitline::slice
