// SPDX-License-Identifier: Apache-2.0
// The recurrence of one stage over its windows (equations: README.md), from when their inputs are there and
// places for their results are free.
#pragma once

#include <array>
#include <bit>
#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <vector>

#include "sim/analytic/contention.h"
#include "sim/analytic/stage_probe.h"
#include "sim/analytic/stream_kernels.h"

namespace bitline::analytic {

struct StageTimes {
  Instant first_start = 0;
  Instant last_end = 0;
  Instant busy = 0;
  Instant input_stall = 0;
  Instant output_stall = 0;
};

/// Times of the last `size` items, counted from 0; those that never were (from -`size` on) are time 0.
class Ring {
 public:
  explicit Ring(int size) : mask_(std::bit_ceil(static_cast<std::size_t>(size)) - 1) {
    if (mask_ >= few_.size()) many_.assign(mask_ + 1, 0);
  }
  [[nodiscard]] Instant& operator[](std::int64_t i) {
    const std::size_t place = static_cast<std::size_t>(i) & mask_;
    return many_.empty() ? few_[place] : many_[place];
  }

 private:
  std::size_t mask_;
  std::array<Instant, 4> few_{};
  std::vector<Instant> many_;  ///< instead, where they do not suffice
};

class StageClock {
 public:
  /// `once`: it is never restarted.
  StageClock(const StageModel& model, const arch::Arch& arch, Contention& contention, bool once);

  /// From the first window again. Waits for parts that others use stay as they were the first time.
  void restart();

  struct Window {
    Instant released = 0;  ///< from when on its inputs are no longer needed
    Instant made = 0;      ///< when its first buffer has it (outputs of the network: nothing)
  };
  /// The next window, whose inputs are there at `input` and whose result has a place at `output`.
  Window next(Instant input, Instant output);

  /// The same for `count` windows at once, all arrays by window. `earliest`: when the inputs and a place are
  /// there, so when each opens; it may be `input`, and neither ever falls.
  void next(std::int64_t count, const Instant* input, const Instant* earliest, Instant* released,
            Instant* made);

  [[nodiscard]] std::int64_t opened() const { return state_.opened; }
  [[nodiscard]] Instant last_drain() const { return state_.last_drain; }
  /// Of the windows so far; `last_end` is left to the caller.
  [[nodiscard]] StageTimes times() const;

 private:
  /// The MVMs of one copy of a layer (models/ima/README.md).
  struct Mvms {
    Mvms(int input_buffers, int output_buffers) : latched(input_buffers), drained(output_buffers + 1) {}
    Ring latched, drained;
    Instant last_latch = 0;
  };
  struct State {
    boost::container::small_vector<Mvms, 1> copies;
    std::int64_t opened = 0, pixel = 0;
    Instant last_open = 0, last_fill = 0, last_read = 0, last_drain = 0, last_made = 0, idle = 0;
    StageTimes times;
  };

  void stall(Instant open, Instant input);
  Window multiply(Instant open);
  Window read(Instant open);
  Instant make(Instant time);
  Instant wait(std::size_t replica, Contention::Phase phase, Instant at) {
    return loads_ == nullptr ? 0 : wait(loads_[replica * Contention::phases_ + phase], at);
  }
  Instant wait(const Contention::Loads& loads, Instant at) {
    if (loads.empty()) return 0;
    if (once_) return contention_.wait(loads, at);
    if (waited_ == waits_.size()) waits_.push_back(contention_.wait(loads, at));
    return waits_[waited_++];
  }
  [[nodiscard]] bool can_run_at_once() const;
  [[nodiscard]] bool registers_suffice() const;
  std::int64_t run_vectors(std::int64_t count, const Instant* input, const Instant* earliest,
                           Instant* released, Instant* made);
  std::int64_t multiply_vectors(WindowStream& windows);
  std::int64_t read_vectors(WindowStream& windows);
  [[nodiscard]] Instant mvm_pace() const;
  [[nodiscard]] Instant latch_to_results() const;
  [[nodiscard]] Instant latch_to_drained() const;
  /// As next() of many windows, from the second on.
  using AllWindows = void (StageClock::*)(std::int64_t count, const Instant* input, const Instant* earliest,
                                          Instant* released, Instant* made);
  template <bool contended>
  [[nodiscard]] AllWindows all_windows() const;
  template <bool contended>
  void read_all(std::int64_t count, const Instant* input, const Instant* earliest, Instant* released,
                Instant* made);
  template <bool contended, int in_buffers, int out_buffers>
  void multiply_all(std::int64_t count, const Instant* input, const Instant* earliest, Instant* released,
                    Instant* made);

  const StageModel& m_;
  Contention& contention_;
  const Contention::Loads* loads_;  ///< null: it never waits for parts that others use
  bool once_;
  std::int64_t in_buffers_, out_buffers_;
  Instant register_in_, shift_add_, register_out_, clock_;
  bool vectors_;  ///< windows can be run a vector at a time
  State state_;
  std::vector<Instant> waits_;  ///< in the order in which they were asked for
  std::size_t waited_ = 0;
};

}  // namespace bitline::analytic
