// SPDX-License-Identifier: Apache-2.0
#include "models/crossbar/crossbar.h"

#include "models/base/errors.h"
#include "models/base/schema.h"

namespace bitline::crossbar {

base::Schema schema(CrossbarParams& params) {
  constexpr int kLargest = 4096;
  base::Schema s;
  s.integer("rows", params.rows, 1, kLargest, "wordlines of a crossbar");
  s.integer("cols", params.cols, 1, kLargest, "bitlines of a crossbar");
  s.integer("active_rows", params.active_rows, 1, kLargest, "rows driven, and so summed in one conversion, together");
  s.time("read_latency", params.read_latency, base::Time::from_fs(1), base::kMaxLatency,
         "of one read: DAC drive and settling, until the sample-and-holds can latch");
  s.cost(params.cost, "cells of an IMA");
  return s;
}

std::int64_t column_sum(std::span<const std::int32_t> inputs, std::span<const std::int32_t> cells) {
  BITLINE_CHECK(inputs.size() == cells.size());
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i) sum += std::int64_t{inputs[i]} * cells[i];
  return sum;
}

base::Energy cell_read_energy(const CrossbarParams& crossbar, std::int64_t cells) {
  return crossbar.cost.power_of_one(cells) * crossbar.read_latency;
}

}  // namespace bitline::crossbar
