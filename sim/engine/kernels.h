// SPDX-License-Identifier: Apache-2.0
// The vector kernels of the engine, compiled for every instruction set and chosen at run time. All are exact
// in integers and give the same result on each of them. Columns are padded to whole panels; padded columns
// hold zeros and never clip.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "mapper/slice/chunks.h"

namespace bitline::engine {

inline constexpr int kWordRows = 16;          ///< rows in one word of a bit plane
inline constexpr int kPlanePanel = 32;        ///< columns that lie side by side in a panel of bit planes
inline constexpr int kProductPanel = 16;      ///< the same in a panel of a matrix product
inline constexpr int kMaxProductRows = 4096;  ///< rows of one product: its 32-bit sums are then exact

/// Chunks [first, last) whose weighted sum of conversions fits 16 bits: added up before widening.
struct ChunkGroup {
  int first = 0;
  int last = 0;
  int shift = 0;
  int sign = 1;
};

/// How an analog sum becomes a code: rounds `drop` low bits away, clips at `limit` (of either sign if
/// analog).
struct Conversion {
  std::int64_t limit = 0;
  int drop = 0;
  bool analog = false;
};

/// Where converted values go: y[position][column] +-= value << shift, value = sum of codes << drop (the bits
/// that a truncating conversion drops), or for a flipped column full * input_sums[position] less that.
struct Accumulation {
  std::int64_t* y = nullptr;
  std::size_t stride = 0;  ///< columns of y
  int drop = 0;
  int shift = 0;  ///< of the slice
  bool negate = false;
  const std::int64_t* flip = nullptr;        ///< per column 0 or -1; null: none is flipped
  std::int64_t full = 0;                     ///< 2^width-1
  const std::int64_t* input_sums = nullptr;  ///< per position: sum of the integer inputs of the row block
};

/// Cuts `rows` codes into their low `bits` bit planes: planes[bit][word], a word of 16 rows stored twice in
/// 32 bits (broadcast from memory is then one load). Rows beyond the last are 0; `codes` is readable up to a
/// whole panel.
void split_planes(const std::uint16_t* codes, int rows, int bits, std::uint32_t* planes);

/// Every conversion of one (row block, slice, array) set on bit planes. A sum, with the 2^drop that rounding
/// can add, must stay below 2^15; positions * chunks too (clips are counted per column in 16 bits).
struct PlaneJob {
  const std::uint32_t* planes = nullptr;  ///< [position][input bit][word]
  std::size_t planes_stride = 0;          ///< uint32 per position
  int positions = 0;
  int words = 0;
  const std::uint16_t* cells = nullptr;  ///< [panel][cell bit][word][column of the panel]
  const std::uint16_t* partner =
      nullptr;  ///< the same of the array that is subtracted before conversion, or null
  int cell_bits = 0;
  int panels = 0;
  std::span<const slice::InputChunk> chunks;
  std::span<const ChunkGroup> groups;
  int dac_bits = 1;
  Conversion conversion;
  Accumulation into;
};
/// Returns the number of conversions that clipped.
std::int64_t convert_planes(const PlaneJob& job);

/// The product of [positions][rows] and [rows][columns] int16 matrices, rows taken in pairs.
struct ProductJob {
  const std::int16_t* a = nullptr;  ///< [positions][a_stride], rows beyond the last zero up to an even number
  std::size_t a_stride = 0;
  int positions = 0;
  const std::int16_t* b = nullptr;  ///< [panel][pair][column of the panel][2]
  int pairs = 0;
  int panels = 0;  ///< even
};
/// y[position][column] += product << shift. |product| < 2^31.
void multiply_add(const ProductJob& job, int shift, std::int64_t* y, std::size_t stride);
/// sums[position][panels * kProductPanel] = product.
void multiply(const ProductJob& job, std::int32_t* sums);

/// Converts sums that were made as a product with one row per (position, chunk).
struct SumsJob {
  const std::int32_t* sums = nullptr;  ///< [position][chunk][columns]
  int positions = 0;
  int columns = 0;  ///< a multiple of kPlanePanel
  std::span<const slice::InputChunk> chunks;
  Conversion conversion;
  Accumulation into;
};
/// Returns the number of conversions that clipped.
std::int64_t convert_sums(const SumsJob& job);

}  // namespace bitline::engine
