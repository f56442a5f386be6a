// SPDX-License-Identifier: Apache-2.0
// The kernels of kernels.h in plain C++, one column at a time: what machines without a vector unit run, and
// what every instruction set is tested against.
#pragma once

#include "sim/engine/kernels.h"

namespace bitline::engine::scalar {

[[nodiscard]] bool quantise(const QuantiseJob& job, std::int32_t* codes);
void narrow_codes(const std::int32_t* codes, std::size_t count, std::uint16_t mask, std::uint16_t* out);
void any_bits(const CodesJob& job, std::uint16_t* any);
void count_rows(const CodesJob& job, Chunks chunks, std::uint16_t* driven, std::uint16_t* sums);
void cut_limb(const CodesJob& job, std::uint16_t bias, int shift, std::uint16_t mask, std::uint8_t* out,
              std::size_t out_stride);
void cut_reads(const CodesJob& job, std::span<const Read> reads, std::uint8_t* out, std::size_t out_stride);
void split_planes(const CodesJob& job, int bits, std::uint32_t* planes);
void cut_cells(const CellsJob& job, std::uint8_t* out);
[[nodiscard]] std::int64_t sum_cells(const CellsJob& job);
void add_cells(const LevelsJob& job, std::int32_t* levels);
/// y[columns[i]] += values[i] << shift. Of all instruction sets: inlined into their loops, its addresses
/// would crowd their registers.
void scatter(const std::int32_t* values, const std::int32_t* columns, int count, int shift, std::int64_t* y);
[[nodiscard]] std::int64_t convert_planes(const PlaneJob& job);
void multiply_add(const ProductJob& job, int shift, std::int64_t* y, std::size_t stride);
[[nodiscard]] std::int64_t convert_sums(const SumsJob& job);

}  // namespace bitline::engine::scalar
