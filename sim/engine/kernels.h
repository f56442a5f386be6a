// SPDX-License-Identifier: Apache-2.0
// The vector kernels of the engine, compiled for every instruction set and chosen at run time. All are exact
// in integers and give the same result on each of them. Columns are padded to whole strips; padded columns
// hold zeros and never clip.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "mapper/slice/chunks.h"

namespace bitline::engine {

inline constexpr int kWordRows = 16;  ///< rows in one word of a bit plane
inline constexpr int kStrip = 32;     ///< columns that a kernel works on together
inline constexpr int kPanel = 16;     ///< columns side by side in a matrix of bytes
inline constexpr int kQuad = 4;       ///< rows side by side in a matrix of bytes
inline constexpr int kRowTile = 64;   ///< matrices of bytes have zero rows up to a multiple of this
inline constexpr int kReadTile = 16;  ///< the left matrix is readable up to a multiple of as many of its rows
inline constexpr int kSlack = 64;     ///< codes are readable this far beyond their last
inline constexpr int kMaxRows = 32768;    ///< rows of one product: its 32-bit sums are then exact
inline constexpr int kMaxPositions = 64;  ///< of one job: what 16-bit counts of rows and of clips hold

/// A row block driven with one chunk of one position's codes.
struct Read {
  int position = 0;
  int chunk_shift = 0;  ///< lowest bit of the chunk
  int width = 0;
  int shift = 0;             ///< weight of the converted codes within their group
  std::int32_t factors = 0;  ///< 2^shift in both halves, where it fits
};

/// Reads [first, last) of one position whose weighted sum of codes fits the kernel's lanes.
struct ReadGroup {
  int position = 0;
  int shift = 0;
  bool negative = false;
  int first = 0;
  int last = 0;
};

/// How an analog sum becomes a code: rounds `drop` low bits away, clips at `limit` (of either sign if
/// analog).
struct Conversion {
  std::int64_t limit = 0;
  int drop = 0;
  bool analog = false;
};

/// Where converted values go: y[position][column] += value << shift, with the sign of `negate`, of the group
/// and of the column multiplied.
struct Accumulation {
  std::int64_t* y = nullptr;
  std::size_t stride = 0;
  int shift = 0;
  bool negate = false;
  const std::int32_t* flip = nullptr;     ///< per column -1 (subtracted) or 0; null: all 0
  const std::int32_t* columns = nullptr;  ///< per column its place in y; null: the same place
  int count = 0;                          ///< columns in use
};

// ---- codes

/// out[i] = codes[i] & mask.
void narrow_codes(const std::int32_t* codes, std::size_t count, std::uint16_t mask, std::uint16_t* out);

/// Codes of activations: clamp(rint(x / scale) + zero_point, low, high), in double as
/// quantize::ActivationQuant has them.
struct QuantiseJob {
  const float* x = nullptr;
  std::size_t count = 0;
  double scale = 1.0;
  double zero_point = 0.0;
  double low = 0.0;
  double high = 0.0;
};
/// Returns whether all of x is finite; where it is not the codes mean nothing.
[[nodiscard]] bool quantise(const QuantiseJob& job, std::int32_t* codes);

/// Rows of `positions` positions, `stride` codes apart.
struct CodesJob {
  const std::uint16_t* codes = nullptr;
  std::size_t stride = 0;
  int positions = 0;
  int rows = 0;
};
/// any[position] = the bits that are set in any row.
void any_bits(const CodesJob& job, std::uint16_t* any);
using Chunks = std::span<const slice::InputChunk>;
/// Per row over the positions: chunks that are not zero, and the sum of all chunks. Both have room for kSlack
/// beyond the last row.
void count_rows(const CodesJob& job, Chunks chunks, std::uint16_t* driven, std::uint16_t* sums);
/// out[position][row] = ((code + bias) >> shift) & mask, positions `out_stride` bytes apart.
void cut_limb(const CodesJob& job, std::uint16_t bias, int shift, std::uint16_t mask, std::uint8_t* out,
              std::size_t out_stride);
/// out[read][row]: the chunks that the reads drive.
void cut_reads(const CodesJob& job, std::span<const Read> reads, std::uint8_t* out, std::size_t out_stride);
/// Low `bits` bit planes: planes[position][bit][word], a word of 16 rows stored twice in 32 bits (broadcast
/// from memory is then one load).
void split_planes(const CodesJob& job, int bits, std::uint32_t* planes);

/// A run of cells of one column: ((codes[row] >> shift) & mask) ^ flip.
struct CellsJob {
  const std::uint32_t* codes = nullptr;
  int rows = 0;
  int shift = 0;
  std::uint32_t mask = 0;
  std::uint32_t flip = 0;
};
void cut_cells(const CellsJob& job, std::uint8_t* out);
[[nodiscard]] std::int64_t sum_cells(const CellsJob& job);

/// The same rows in every slice of a weight.
struct CellCut {
  int shift = 0;
  std::uint32_t mask = 0;
  std::uint32_t flip = 0;
};
struct LevelsJob {
  const std::uint32_t* codes = nullptr;
  int rows = 0;
  std::span<const CellCut> cuts;
};
/// levels[row] += cells of all cuts.
void add_cells(const LevelsJob& job, std::int32_t* levels);

// ---- conversions on bit planes

/// Every conversion of one (row block, slice, array) set on bit planes. A sum, with the 2^drop that rounding
/// can add, and a group's weighted sum of codes must stay below 2^15.
struct PlaneJob {
  const std::uint32_t* planes = nullptr;  ///< [position][input bit][word]
  std::size_t planes_stride = 0;          ///< uint32 per position
  int words = 0;
  const std::uint16_t* cells = nullptr;    ///< [strip][cell bit][word][column of the strip]
  const std::uint16_t* partner = nullptr;  ///< the same of the array that is subtracted, or null
  int cell_bits = 0;
  int strips = 0;
  std::span<const Read> reads;
  std::span<const ReadGroup> groups;
  Conversion conversion;
  Accumulation into;
};
/// Returns the number of conversions that clipped.
std::int64_t convert_planes(const PlaneJob& job);

// ---- products of bytes

/// [reads][rows] unsigned by [rows][columns] signed bytes; rows a multiple of kRowTile.
struct ProductJob {
  const std::uint8_t* a = nullptr;
  std::size_t a_stride = 0;
  int reads = 0;
  const std::int8_t* b = nullptr;  ///< [panel][quad][column of the panel][row of the quad]
  int quads = 0;
  int strips = 0;
  [[nodiscard]] std::size_t panel_bytes() const { return static_cast<std::size_t>(quads) * kPanel * kQuad; }
};
/// y[read][column] += product << shift. |product| < 2^31.
void multiply_add(const ProductJob& job, int shift, std::int64_t* y, std::size_t stride);

/// Every conversion of a set whose sums are a product with one row per read. |sum|, with what rounding adds,
/// and a group's weighted sum of codes are below 2^31, or 2^15 where `narrow`.
struct SumsJob {
  ProductJob product;
  int limbs = 1;  ///< cells in limbs of 8 bits, each signed
  std::size_t limb_bytes = 0;
  bool narrow = false;
  std::span<const Read> reads;
  std::span<const ReadGroup> groups;  ///< in order of their reads
  Conversion conversion;
  Accumulation into;
};
/// Returns the number of conversions that clipped.
std::int64_t convert_sums(const SumsJob& job);

/// Input bits x cell bits up to which bit planes are faster than a product on the chosen instruction set.
[[nodiscard]] int plane_pair_limit();

}  // namespace bitline::engine
