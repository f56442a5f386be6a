// SPDX-License-Identifier: Apache-2.0
#include "models/crossbar/crossbar.h"

#include "models/base/schema.h"

namespace bitline::crossbar {

base::Schema schema(CrossbarParams& params) {
  constexpr int kLargest = 4096;
  base::Schema s;
  s.integer("rows", params.rows, 1, kLargest, "wordlines of a crossbar");
  s.integer("cols", params.cols, 1, kLargest, "bitlines of a crossbar");
  s.integer("active_rows", params.active_rows, 1, kLargest,
            "rows driven, and so summed in one conversion, together");
  s.time("read_latency", params.read_latency, base::Time::from_fs(1), base::kMaxLatency,
         "of one read: DAC drive and settling, until the sample-and-holds can latch");
  s.cost(params.cost, "cells of an IMA");
  return s;
}

base::Energy cell_read_energy(const CrossbarParams& crossbar, std::int64_t cells) {
  return crossbar.cost.power_of_one(cells) * crossbar.read_latency;
}

}  // namespace bitline::crossbar
