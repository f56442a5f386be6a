// SPDX-License-Identifier: Apache-2.0
#include "models/ima/ima_timing.h"

#include <algorithm>
#include <utility>

#include "models/base/errors.h"

namespace bitline::ima {

using base::Time;

ImaTiming::ImaTiming(ImaTimingParams params) : params_(std::move(params)) {
  BITLINE_CHECK(!params_.conversion.empty() && params_.chunks > 0);
  BITLINE_CHECK(params_.input_buffers > 0 && params_.output_buffers > 0);
  // Reads after the first follow each other in steps that do not change: latches lie on clock edges, so
  // L[r] - L[r-1] = align_up(max(read_latency, C[r-1] - L[r-1]), clock).
  for (std::size_t phase = 0; phase < params_.conversion.size(); ++phase) {
    const bool last_phase = phase + 1 == params_.conversion.size();
    const Time step = base::align_up(
        std::max(params_.read_latency, params_.sample_hold + params_.conversion[phase]), params_.clock);
    tail_ += step * (last_phase ? params_.chunks - 1 : params_.chunks);
  }
}

void ImaTiming::loaded(Time time) {
  filled_.push_back(time + params_.input_register);
}

void ImaTiming::drained(Time time) {
  drained_.push_back(time);
  ++drains_;
  if (drained_.size() > static_cast<std::size_t>(params_.output_buffers) + 1) drained_.pop_front();
}

bool ImaTiming::buffer_known(std::int64_t m) const {
  return m - params_.output_buffers < drains_;
}

Time ImaTiming::buffer_free(std::int64_t m) const {
  const std::int64_t before = m - params_.output_buffers;
  if (before < 0) return {};
  const std::int64_t first_kept = drains_ - static_cast<std::int64_t>(drained_.size());
  return drained_.at(static_cast<std::size_t>(before - first_kept));
}

std::optional<MvmTimes> ImaTiming::next_reads() {
  if (filled_.empty() || !buffer_known(reads_ - 1)) return std::nullopt;
  MvmTimes times;
  times.first_read = base::align_up(std::max(filled_.front(), last_latch_), params_.clock);
  const Time settled = times.first_read + params_.read_latency;
  const Time place = reads_ == 0 ? Time() : buffer_free(reads_ - 1);
  times.first_latch = base::align_up(std::max({settled, converted_, place}), params_.clock);
  times.last_latch = times.first_latch + tail_;
  times.converted = times.last_latch + params_.sample_hold + params_.conversion.back();
  times.added = base::align_up(times.converted, params_.clock) + params_.shift_add;
  filled_.pop_front();
  added_.push_back(times.added);
  last_latch_ = times.last_latch;
  converted_ = times.converted;
  ++reads_;
  return times;
}

std::optional<Time> ImaTiming::next_results() {
  if (added_.empty() || !buffer_known(results_)) return std::nullopt;
  const Time written = std::max(added_.front(), buffer_free(results_));
  added_.pop_front();
  ++results_;
  return written + params_.output_register;
}

}  // namespace bitline::ima
