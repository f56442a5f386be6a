// SPDX-License-Identifier: Apache-2.0
#include "engine_reference.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace bitline::test {
namespace {

using arch::WeightEncoding;

constexpr int kUnknown = 1 << 30;

struct Block {
  int first, last;
};

std::vector<Block> cut_rows(int rows, const arch::Arch& arch) {
  std::vector<Block> blocks;
  for (int crossbar = 0; crossbar < rows; crossbar += arch.crossbar.rows) {
    const int end = std::min(rows, crossbar + arch.crossbar.rows);
    for (int first = crossbar; first < end; first += arch.crossbar.active_rows) {
      blocks.push_back({first, std::min(end, first + arch.crossbar.active_rows)});
    }
  }
  return blocks;
}

/// The value of the input chunk starting at bit `shift`; a negative code in two's complement.
int chunk_value(int x, int bits, int shift, int width) {
  const int code = x < 0 ? x + (1 << bits) : x;
  return code / (1 << shift) % (1 << width);
}

struct Chunk {
  int shift, width, sign;
};

std::vector<Chunk> cut_input(const SlowLayer& layer) {
  std::vector<Chunk> chunks;
  const int low = layer.input_signed ? layer.input_bits - 1 : layer.input_bits;
  int shift = 0;
  while (shift < low) {
    chunks.push_back({shift, std::min(layer.arch.dac.bits, low - shift), 1});
    shift += chunks.back().width;
  }
  if (layer.input_signed) chunks.push_back({low, 1, -1});
  return chunks;
}

class Slow {
 public:
  Slow(const SlowLayer& layer, const std::vector<int>& x, const std::vector<place::DriveSet>& drives)
      : layer_(layer),
        x_(x),
        drives_(drives),
        blocks_(cut_rows(layer.rows, layer.arch)),
        chunks_(cut_input(layer)) {
    result_.conversions_per_slice.resize(layer.widths.size());
    result_.clipped_per_slice.resize(layer.widths.size());
  }

  SlowResult run() {
    const std::size_t positions = x_.size() / static_cast<std::size_t>(layer_.groups * layer_.rows);
    result_.y.assign(positions * static_cast<std::size_t>(layer_.groups * layer_.outputs), 0);
    for (position_ = 0; position_ < static_cast<int>(positions); ++position_) {
      for (int group = 0; group < layer_.groups; ++group) {
        for (int output = 0; output < layer_.outputs; ++output) run_output(group, output);
      }
      count_reads();
    }
    return std::move(result_);
  }

 private:
  [[nodiscard]] int weight(int group, int output, int row) const {
    return layer_.q[static_cast<std::size_t>((group * layer_.outputs + output) * layer_.rows + row)];
  }
  [[nodiscard]] int input(int group, int row) const {
    return x_[static_cast<std::size_t>((position_ * layer_.groups + group) * layer_.rows + row)];
  }
  [[nodiscard]] WeightEncoding encoding() const { return layer_.arch.encoding.weights; }
  [[nodiscard]] bool two_arrays() const {
    return encoding() == WeightEncoding::differential || encoding() == WeightEncoding::centre_offset;
  }
  [[nodiscard]] bool analog() const {
    return two_arrays() && layer_.arch.encoding.subtraction == arch::Subtraction::analog;
  }

  [[nodiscard]] int cell(int array, int group, int output, int row, std::size_t slice) const {
    int code = weight(group, output, row) - centre(group, output);
    if (two_arrays()) code = array == 0 ? std::max(code, 0) : std::max(-code, 0);
    if (encoding() == WeightEncoding::offset) code += 1 << (layer_.signed_bits - 1);
    if (encoding() == WeightEncoding::twos_complement && code < 0) code += 1 << layer_.signed_bits;
    int below = 0;
    for (std::size_t s = slice + 1; s < layer_.widths.size(); ++s) below += layer_.widths[s];
    return code / (1 << below) % (1 << layer_.widths[slice]);
  }

  /// What the arrays of an output are relative to: of all centres with 8 significant bits, that of which the
  /// signed slices of a column add up to least, fourth powers weighted by the slices.
  [[nodiscard]] int centre(int group, int output) const {
    if (encoding() != WeightEncoding::centre_offset) return 0;
    centres_.resize(static_cast<std::size_t>(layer_.groups * layer_.outputs), kUnknown);
    int& own = centres_[static_cast<std::size_t>(group * layer_.outputs + output)];
    if (own != kUnknown) return own;
    int low = 0, high = 0;
    for (int row = 0; row < layer_.rows; ++row) {
      low = std::min(low, weight(group, output, row));
      high = std::max(high, weight(group, output, row));
    }
    const int step = layer_.signed_bits > 8 ? 1 << (layer_.signed_bits - 8) : 1;
    own = 0;
    double least = unbalance(group, output, 0);
    for (int distance = step; distance <= std::max(-low, high); distance += step) {
      for (const int candidate : {-distance, distance}) {
        if (candidate < low || candidate > high) continue;
        const double cost = unbalance(group, output, candidate);
        if (cost >= least) continue;
        least = cost;
        own = candidate;
      }
    }
    return own;
  }

  [[nodiscard]] double unbalance(int group, int output, int candidate) const {
    double cost = 0;
    int above = layer_.signed_bits;
    for (const int width : layer_.widths) {
      above -= width;
      double sum = 0;
      for (int row = 0; row < layer_.rows; ++row) {
        const int difference = weight(group, output, row) - candidate;
        const int digit = std::abs(difference) / (1 << above) % (1 << width);
        sum += difference < 0 ? -digit : digit;
      }
      cost += std::pow(2.0, above) * ((sum * sum) * (sum * sum));
    }
    return cost;
  }

  /// One column of a row block, as stored.
  [[nodiscard]] std::vector<int> column(int array, int group, int output, const Block& block,
                                        std::size_t slice, bool& flipped) const {
    std::vector<int> cells;
    int sum = 0;
    const int top = (1 << layer_.widths[slice]) - 1;
    for (int row = block.first; row < block.last; ++row) {
      cells.push_back(cell(array, group, output, row, slice));
      sum += cells.back();
    }
    flipped = layer_.arch.encoding.flip && sum > 0.5 * (block.last - block.first) * top;
    if (flipped) {
      for (int& c : cells) c = top - c;
    }
    return cells;
  }

  [[nodiscard]] std::int64_t convert(std::int64_t sum, int bits, int rows, int width, std::size_t slice) {
    if (bits == 0) return 0;
    const std::int64_t limit = analog() ? (1LL << (bits - 1)) - 1 : (1LL << bits) - 1;
    double step = 1;
    if (layer_.arch.adc.conversion == periphery::AdcConversion::truncate) {
      const double full = static_cast<double>(rows) * ((1 << width) - 1) * ((1 << layer_.arch.dac.bits) - 1);
      while (full > static_cast<double>(limit) * step) step *= 2;
    }
    const double code = std::nearbyint(static_cast<double>(sum) / step);
    const double held =
        std::clamp<double>(code, analog() ? -static_cast<double>(limit) : 0.0, static_cast<double>(limit));
    if (held != code) {
      ++result_.counts.clipped;
      ++result_.clipped_per_slice[slice];
    }
    return static_cast<std::int64_t>(held * step);
  }

  void run_output(int group, int output) {
    std::int64_t y = 0;
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
      for (std::size_t s = 0; s < layer_.widths.size(); ++s) y += run_column(group, output, b, s);
    }
    for (int row = 0; row < layer_.rows; ++row) {
      if (encoding() == WeightEncoding::offset) {
        y -= (std::int64_t{1} << (layer_.signed_bits - 1)) * input(group, row);
      }
      y += std::int64_t{centre(group, output)} * input(group, row);
      y -= layer_.zero_point * weight(group, output, row);
    }
    result_.y[static_cast<std::size_t>((position_ * layer_.groups + group) * layer_.outputs + output)] = y;
  }

  std::int64_t run_column(int group, int output, std::size_t b, std::size_t s) {
    const Block& block = blocks_[b];
    const int arrays = two_arrays() ? 2 : 1;
    std::int64_t shift = 0;
    for (std::size_t below = s + 1; below < layer_.widths.size(); ++below) shift += layer_.widths[below];
    const int top = (1 << layer_.widths[s]) - 1;
    std::int64_t y = 0;
    for (const Chunk& chunk : chunks_) {
      std::vector<std::int64_t> sums(static_cast<std::size_t>(arrays), 0);
      std::vector<bool> flips(static_cast<std::size_t>(arrays), false);
      std::int64_t inputs = 0;
      for (int array = 0; array < arrays; ++array) {
        bool flipped = false;
        const std::vector<int> cells = column(array, group, output, block, s, flipped);
        flips[static_cast<std::size_t>(array)] = flipped;
        inputs = 0;
        for (int row = block.first; row < block.last; ++row) {
          const int driven = chunk_value(input(group, row), layer_.input_bits, chunk.shift, chunk.width);
          inputs += driven;
          sums[static_cast<std::size_t>(array)] +=
              driven * cells[static_cast<std::size_t>(row - block.first)];
        }
        if (!drives_.empty()) result_.counts.cell_level_sum += sums[static_cast<std::size_t>(array)];
      }
      const int rows = block.last - block.first;
      std::int64_t value = 0;
      if (analog()) {
        value = convert(sums[0] - sums[1], layer_.adc_bits[b][s], rows, layer_.widths[s], s);
      } else {
        for (int array = 0; array < arrays; ++array) {
          const auto a = static_cast<std::size_t>(array);
          std::int64_t code = convert(sums[a], layer_.adc_bits[b][s], rows, layer_.widths[s], s);
          if (flips[a]) code = top * inputs - code;
          value += array == 0 ? code : -code;
        }
      }
      const bool negative = encoding() == WeightEncoding::twos_complement && s == 0;
      y += chunk.sign * (negative ? -value : value) * (std::int64_t{1} << (shift + chunk.shift));
    }
    return y;
  }

  void count_reads() {
    for (const place::DriveSet& drive : drives_) {
      const Block& block = blocks_[static_cast<std::size_t>(drive.block)];
      result_.counts[base::Action::shift_add] += drive.centre_additions;
      for (const Chunk& chunk : chunks_) {
        std::int64_t driven = 0;
        for (int group = drive.group_first; group < drive.group_first + drive.group_count; ++group) {
          for (int row = block.first; row < block.last; ++row) {
            driven +=
                chunk_value(input(group, row), layer_.input_bits, chunk.shift, chunk.width) != 0 ? 1 : 0;
          }
        }
        count_read(drive, driven);
      }
    }
  }

  void count_read(const place::DriveSet& drive, std::int64_t driven) {
    base::ActionCounts& counts = result_.counts;
    counts[base::Action::dac_drive] += driven * drive.crossbars;
    counts[base::Action::cell_read] += driven * drive.reference_columns;
    for (std::size_t s = 0; s < drive.columns_per_slice.size(); ++s) {
      const std::int64_t columns = drive.columns_per_slice[s];
      counts[base::Action::cell_read] += driven * columns;
      if (!drive.partner_columns_per_slice.empty()) {
        counts[base::Action::cell_read] += driven * drive.partner_columns_per_slice[s];
      }
      if (layer_.arch.ima.gate_zero_chunks && driven == 0) {
        counts.gated += columns;
        continue;
      }
      counts[base::Action::sample_hold] += columns;
      counts[base::Action::shift_add] += columns;
      counts
          .conversions[static_cast<std::size_t>(layer_.adc_bits[static_cast<std::size_t>(drive.block)][s])] +=
          columns;
      result_.conversions_per_slice[s] += columns;
    }
  }

  const SlowLayer& layer_;
  const std::vector<int>& x_;
  const std::vector<place::DriveSet>& drives_;
  std::vector<Block> blocks_;
  std::vector<Chunk> chunks_;
  int position_ = 0;
  mutable std::vector<int> centres_;  ///< [group][output], as far as they were asked for
  SlowResult result_;
};

}  // namespace

SlowResult run_slowly(const SlowLayer& layer, const std::vector<int>& x,
                      const std::vector<place::DriveSet>& drives) {
  return Slow(layer, x, drives).run();
}

}  // namespace bitline::test
