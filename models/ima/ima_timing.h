// SPDX-License-Identifier: Apache-2.0
// The times of an IMA's MVMs as a recurrence (README.md of this folder), free of any simulation kernel.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "models/base/units.h"

namespace bitline::ima {

struct ImaTimingParams {
  base::Time clock;  ///< period of the controller; reads start and S+Hs latch on its edges
  base::Time read_latency;
  base::Time sample_hold;
  base::Time input_register;
  base::Time shift_add;
  base::Time output_register;
  int input_buffers = 2;
  int output_buffers = 2;
  int chunks = 1;                      ///< reads of a phase
  std::vector<base::Time> conversion;  ///< [phase] of the ADC with the most work
};

/// When MVM `m` reaches each step.
struct MvmTimes {
  base::Time first_read;   ///< Rs[m][0]
  base::Time first_latch;  ///< L[m][0]
  base::Time last_latch;   ///< L[m][last]: the input buffer is free
  base::Time converted;    ///< C[m][last]
  base::Time added;        ///< A[m]
};

/// MVMs of one IMA one after another. The caller reports what comes from outside (vectors that have arrived,
/// results that have been drained), in order of time, and collects what follows from it.
class ImaTiming {
 public:
  explicit ImaTiming(ImaTimingParams params);

  /// The input of the next MVM has arrived at the register at `time`.
  void loaded(base::Time time);
  /// The oldest results that were not yet drained have been at `time`.
  void drained(base::Time time);

  /// The next MVM whose reads are fixed by what was reported so far.
  [[nodiscard]] std::optional<MvmTimes> next_reads();
  /// The next MVM (after next_reads() gave it) whose results' time is fixed: D[m], when they can be read.
  [[nodiscard]] std::optional<base::Time> next_results();

  [[nodiscard]] const ImaTimingParams& params() const { return params_; }

 private:
  /// Whether the output buffer of MVM `m` is known to be free, and since when.
  [[nodiscard]] bool buffer_known(std::int64_t m) const;
  [[nodiscard]] base::Time buffer_free(std::int64_t m) const;

  ImaTimingParams params_;
  base::Time tail_;                 ///< L[m][last] - L[m][0]
  std::deque<base::Time> filled_;   ///< F of MVMs without reads
  std::deque<base::Time> added_;    ///< A of MVMs without results
  std::deque<base::Time> drained_;  ///< drain times of the last output_buffers + 1 MVMs
  std::int64_t drains_ = 0;
  std::int64_t reads_ = 0;    ///< MVMs given by next_reads()
  std::int64_t results_ = 0;  ///< MVMs given by next_results()
  base::Time last_latch_;
  base::Time converted_;
};

}  // namespace bitline::ima
