// SPDX-License-Identifier: Apache-2.0
#include "mapper/slice/chunks.h"

#include <algorithm>

#include "models/base/errors.h"

namespace bitline::slice {

std::vector<InputChunk> input_chunks(int activation_bits, bool is_signed, int dac_bits) {
  BITLINE_CHECK(activation_bits > 0 && dac_bits > 0);
  const int magnitude = is_signed ? activation_bits - 1 : activation_bits;
  std::vector<InputChunk> chunks;
  for (int shift = 0; shift < magnitude; shift += dac_bits) {
    chunks.push_back({.width = std::min(dac_bits, magnitude - shift), .shift = shift, .sign = 1});
  }
  if (is_signed) chunks.push_back({.width = 1, .shift = magnitude, .sign = -1});
  return chunks;
}

}  // namespace bitline::slice
