// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace bitline::slice {

/// `width` bits of the input code from bit `shift` up, driven in one read; digital weight sign * 2^shift.
struct InputChunk {
  int width = 1;
  int shift = 0;
  int sign = 1;  ///< -1 for the sign bit of a signed input
};

/// The chunks of an `activation_bits` input, least significant first. Unsigned: consecutive dac_bits, the
/// last chunk narrower where dac_bits does not divide. Signed (two's complement): the low activation_bits-1
/// bits in the same way, then the sign bit alone with negative weight.
[[nodiscard]] std::vector<InputChunk> input_chunks(int activation_bits, bool is_signed, int dac_bits);

}  // namespace bitline::slice
