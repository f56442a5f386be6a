// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>

#include <string>
#include <utility>
#include <vector>

#include "mapper/slice/slicer.h"
#include "models/base/errors.h"
#include "tests/support/refusal.h"

namespace bitline::slice {

using testing_support::refusal;

/// A layer with these integer weights.
inline quantize::LayerQuant quant_of(std::vector<std::int32_t> codes, int bits,
                                     arch::WeightScheme scheme = arch::WeightScheme::symmetric) {
  quantize::LayerQuant quant;
  quant.weights.bits = bits;
  quant.weights.scheme = scheme;
  quant.weights.codes = std::move(codes);
  return quant;
}

}  // namespace bitline::slice
