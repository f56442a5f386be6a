// SPDX-License-Identifier: Apache-2.0
#include "sim/engine/x86_products.h"

#include <atomic>
#include <cstring>

#if defined(__x86_64__) && defined(__linux__)
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cpuid.h>
#endif

namespace bitline::engine::x86 {

#if defined(__x86_64__) && defined(__linux__)

#define BITLINE_TILES __attribute__((target("amx-tile,amx-int8")))
#define BITLINE_VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))

namespace {

/// Eight tiles of 16 rows of 64 bytes.
struct alignas(64) TileShapes {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
static_assert(sizeof(TileShapes) == 64);
constexpr TileShapes kShapes;

bool processor_has_tiles() {
  constexpr unsigned kTile = 1u << 24;
  constexpr unsigned kInt8 = 1u << 25;
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d & kTile) != 0 && (d & kInt8) != 0;
}

/// Linux saves the tiles of processes that ask for them only.
bool system_allows_tiles() {
  constexpr long kRequestPermission = 0x1023;
  constexpr long kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

std::atomic<bool>& tiles_wanted() {
  static std::atomic<bool> wanted = has_tiles();
  return wanted;
}

BITLINE_TILES void load_shapes() {
  _tile_loadconfig(&kShapes);
}
BITLINE_TILES void release_tiles() {
  _tile_release();
}

constexpr std::size_t kTileBytes = std::size_t{kPanel} * kRowTile;
constexpr std::size_t kSumsStride = kStrip * sizeof(std::int32_t);

/// 32 reads by a strip: tiles 0-3 hold the sums, 4 and 5 the reads, 6 and 7 the columns.
BITLINE_TILES void multiply_32(const Block& block, const std::uint8_t* a, std::int32_t* sums) {
  const std::uint8_t* a1 = a + kReadTile * block.a_stride;
  const std::int8_t* b0 = block.b;
  const std::int8_t* b1 = block.b + block.panel_bytes;
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (int quad = 0; quad < block.quads; quad += kRowTile / kQuad) {
    _tile_loadd(4, a, block.a_stride);
    _tile_loadd(6, b0, kRowTile);
    _tile_loadd(7, b1, kRowTile);
    _tile_loadd(5, a1, block.a_stride);
    _tile_dpbusd(0, 4, 6);
    _tile_dpbusd(1, 4, 7);
    _tile_dpbusd(2, 5, 6);
    _tile_dpbusd(3, 5, 7);
    a += kRowTile;
    a1 += kRowTile;
    b0 += kTileBytes;
    b1 += kTileBytes;
  }
  _tile_stored(0, sums, kSumsStride);
  _tile_stored(1, sums + kPanel, kSumsStride);
  _tile_stored(2, sums + kReadTile * kStrip, kSumsStride);
  _tile_stored(3, sums + kReadTile * kStrip + kPanel, kSumsStride);
}

BITLINE_TILES void multiply_16(const Block& block, const std::uint8_t* a, std::int32_t* sums) {
  const std::int8_t* b0 = block.b;
  const std::int8_t* b1 = block.b + block.panel_bytes;
  _tile_zero(0);
  _tile_zero(1);
  for (int quad = 0; quad < block.quads; quad += kRowTile / kQuad) {
    _tile_loadd(4, a, block.a_stride);
    _tile_loadd(6, b0, kRowTile);
    _tile_loadd(7, b1, kRowTile);
    _tile_dpbusd(0, 4, 6);
    _tile_dpbusd(1, 4, 7);
    a += kRowTile;
    b0 += kTileBytes;
    b1 += kTileBytes;
  }
  _tile_stored(0, sums, kSumsStride);
  _tile_stored(1, sums + kPanel, kSumsStride);
}

BITLINE_TILES void multiply_on_tiles(const Block& block) {
  // What the reads hold is in memory before the tiles load it: the intrinsics do not tell the compiler.
  std::atomic_signal_fence(std::memory_order_seq_cst);
  const std::uint8_t* a = block.a;
  std::int32_t* sums = block.sums;
  int read = 0;
  for (; read + 2 * kReadTile <= block.reads + kReadTile - 1; read += 2 * kReadTile) {
    multiply_32(block, a, sums);
    a += 2 * kReadTile * block.a_stride;
    sums += 2 * kReadTile * kStrip;
  }
  if (read < block.reads) multiply_16(block, a, sums);
}

template <int kReads>
BITLINE_VNNI void multiply_reads(const Block& block, const std::uint8_t* a, std::int32_t* sums) {
  const std::int8_t* b0 = block.b;
  const std::int8_t* b1 = block.b + block.panel_bytes;
  __m512i s0[kReads];
  __m512i s1[kReads];
  for (int i = 0; i < kReads; ++i) s0[i] = s1[i] = _mm512_setzero_si512();
  for (int quad = 0; quad < block.quads; ++quad) {
    const __m512i c0 = _mm512_loadu_si512(b0 + quad * kPanel * kQuad);
    const __m512i c1 = _mm512_loadu_si512(b1 + quad * kPanel * kQuad);
    for (int i = 0; i < kReads; ++i) {
      const std::uint8_t* four = a + static_cast<std::size_t>(i) * block.a_stride + quad * kQuad;
      int bytes = 0;
      std::memcpy(&bytes, four, sizeof bytes);
      const __m512i x = _mm512_set1_epi32(bytes);
      s0[i] = _mm512_dpbusd_epi32(s0[i], x, c0);
      s1[i] = _mm512_dpbusd_epi32(s1[i], x, c1);
    }
  }
  for (int i = 0; i < kReads; ++i) {
    _mm512_storeu_si512(sums + i * kStrip, s0[i]);
    _mm512_storeu_si512(sums + i * kStrip + kPanel, s1[i]);
  }
}

BITLINE_VNNI void multiply_on_vnni(const Block& block) {
  constexpr int kReads = 8;
  const std::uint8_t* a = block.a;
  std::int32_t* sums = block.sums;
  int read = 0;
  for (; read + kReads <= block.reads; read += kReads) {
    multiply_reads<kReads>(block, a, sums);
    a += kReads * block.a_stride;
    sums += kReads * kStrip;
  }
  for (; read < block.reads; ++read) {
    multiply_reads<1>(block, a, sums);
    a += block.a_stride;
    sums += kStrip;
  }
}

}  // namespace

bool has_tiles() {
  static const bool has = processor_has_tiles() && system_allows_tiles();
  return has;
}

void use_tiles(bool on) {
  tiles_wanted() = on && has_tiles();
}

bool tiles_in_use() {
  return tiles_wanted().load(std::memory_order_relaxed);
}

TileSession::TileSession() : tiles_(tiles_in_use()) {
  if (tiles_) load_shapes();
}
TileSession::~TileSession() {
  if (tiles_) release_tiles();
}

void TileSession::multiply(const Block& block) const {
  if (tiles_) {
    multiply_on_tiles(block);
  } else {
    multiply_on_vnni(block);
  }
}

#else

bool has_tiles() {
  return false;
}
void use_tiles(bool) {}
bool tiles_in_use() {
  return false;
}

#endif

}  // namespace bitline::engine::x86
