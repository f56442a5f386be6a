// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

#include "mapper/slice/resolution.h"
#include "mapper/slice/slicer.h"

namespace bitline::slice {
namespace {

constexpr std::size_t kMostBits = 8;  // of a cell

/// Counts the cells that are not zero, of all slices of a code at once: a bit for each slice, added up in the
/// place of its own and the slice above. Even and odd slices are added apart, so that none is in another's
/// place.
class NonzeroCells {
 public:
  explicit NonzeroCells(std::span<const Slice> slices) : slices_(slices), counts_(slices.size(), 0) {
    for (std::size_t s = 0; s < slices.size(); ++s) {
      const Slice& slice = slices[s];
      lowest_[s % 2] |= 1U << slice.shift;
      for (int bit = 1; bit < slice.width; ++bit) wider_[static_cast<std::size_t>(bit)] |= 1U << slice.shift;
      widest_ = std::max(widest_, static_cast<std::size_t>(slice.width));
      places_.push_back(s == 0 ? 32 - slice.shift : slice.width + slices[s - 1].width);
      room_ = std::min(room_, (std::size_t{1} << places_.back()) - 1);
    }
  }
  void add(std::span<const std::uint32_t> codes) {
    for (std::size_t first = 0; first < codes.size(); first += room_ * kLanes)
      add_piece(codes.subspan(first, std::min(room_ * kLanes, codes.size() - first)));
  }
  [[nodiscard]] const std::vector<std::int64_t>& counts() const { return counts_; }

 private:
  static constexpr std::size_t kLanes = 16;
  using Lanes = std::array<std::uint32_t, kLanes>;

  void add_piece(std::span<const std::uint32_t> codes) {
    std::array<Lanes, 2> sums{};
    for (std::size_t i = 0; i < codes.size(); i += kLanes) {
      Lanes code{};
      std::copy_n(codes.begin() + static_cast<std::ptrdiff_t>(i), std::min(kLanes, codes.size() - i),
                  code.begin());
      add_lanes(code, sums);
    }
    for (std::size_t s = 0; s < slices_.size(); ++s) {
      const std::uint32_t mask = ~std::uint32_t{0} >> (32 - places_[s]);
      for (const std::uint32_t sum : sums[s % 2]) counts_[s] += (sum >> slices_[s].shift) & mask;
    }
  }
  void add_lanes(const Lanes& code, std::array<Lanes, 2>& sums) const {
    Lanes nonzero = code;
    for (std::size_t bit = 1; bit < widest_; ++bit)
      for (std::size_t lane = 0; lane < kLanes; ++lane) nonzero[lane] |= (code[lane] >> bit) & wider_[bit];
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      sums[0][lane] += nonzero[lane] & lowest_[0];
      sums[1][lane] += nonzero[lane] & lowest_[1];
    }
  }

  std::span<const Slice> slices_;
  std::vector<std::int64_t> counts_;
  std::vector<int> places_;                       ///< bits that a slice's sum has
  std::size_t room_ = std::size_t{1} << 12;       ///< codes whose sum they hold
  std::array<std::uint32_t, 2> lowest_{};         ///< bits of the even and of the odd slices
  std::array<std::uint32_t, kMostBits> wider_{};  ///< bits of the slices that have this bit of a cell
  std::size_t widest_ = 0;
};

}  // namespace

std::vector<SliceStatistics> statistics(const SlicedLayer& layer) {
  const std::int64_t input = max_chunk_value(layer);
  NonzeroCells cells(layer.slices);
  cells.add(layer.codes);
  const std::vector<std::int64_t>& nonzero = cells.counts();
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
