// SPDX-License-Identifier: Apache-2.0
// Products of bytes by instructions that Highway does not offer: AMX tiles and AVX-512 VNNI.
#pragma once

#include "sim/engine/kernels.h"

namespace bitline::engine::x86 {

/// Reads and columns of which the sums fit the first-level cache.
inline constexpr int kBlockReads = 128;

/// sums[read][kStrip] = the product of `reads` reads (at most kBlockReads) with one strip; rows up to the
/// next multiple of kReadTile are written.
struct Block {
  const std::uint8_t* a = nullptr;
  std::size_t a_stride = 0;
  int reads = 0;
  const std::int8_t* b = nullptr;
  std::size_t panel_bytes = 0;
  int quads = 0;
  std::int32_t* sums = nullptr;
};

/// Whether the processor has AMX int8 and the system lets this process use it (asked once).
[[nodiscard]] bool has_tiles();
/// Whether products run on tiles from now on; only where has_tiles().
void use_tiles(bool on);
[[nodiscard]] bool tiles_in_use();

/// Holds the tile registers of this thread while it lives, if tiles are in use.
class TileSession {
 public:
  TileSession();
  ~TileSession();
  TileSession(const TileSession&) = delete;
  TileSession& operator=(const TileSession&) = delete;

  /// On tiles, else on AVX-512 VNNI, which the caller knows to be there.
  void multiply(const Block& block) const;

 private:
  bool tiles_;
};

}  // namespace bitline::engine::x86
