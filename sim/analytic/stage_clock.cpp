// SPDX-License-Identifier: Apache-2.0
#include "sim/analytic/stage_clock.h"

#include <algorithm>
#include <iterator>

namespace bitline::analytic {
namespace {

Instant fs(base::Time time) {
  return static_cast<Instant>(time.fs());
}

/// Last latches of MVMs, on edges of the clock.
struct Latches {
  Instant clock, first_read, convert, tail;
  /// Of one whose input is there at `filled`, after the one before with its last latch at `before`, with a
  /// place for its results at `place`.
  [[nodiscard]] Instant next(Instant filled, Instant before, Instant place) const {
    const Instant start = filled > before ? align_up(filled, clock) : before;
    const Instant read = std::max(start + first_read, before + convert);
    return (place > read ? align_up(place, clock) : read) + tail;
  }
};

/// The times of a ring in a loop.
template <int size>
class LastTimes {
 public:
  LastTimes(Ring& ring, std::int64_t count) {
    for (int i = 0; i < size; ++i) times_[i] = ring[count - 1 - i];
  }
  void store(Ring& ring, std::int64_t count) const {
    for (int i = 0; i < size; ++i) ring[count - 1 - i] = times_[i];
  }
  /// The last, or the n-th before the next.
  [[nodiscard]] Instant of_last(int n) const { return times_[n - 1]; }
  void add(Instant time) {
    for (int i = size - 1; i > 0; --i) times_[i] = times_[i - 1];
    times_[0] = time;
  }

 private:
  Instant times_[size];  ///< the last first
};

}  // namespace

StageClock::StageClock(const StageModel& model, const arch::Arch& arch, Contention& contention)
    : m_(model),
      contention_(contention),
      contended_(contention.concerns(model)),
      in_buffers_(arch.ima.input_register.buffers),
      out_buffers_(arch.ima.output_register.buffers),
      register_in_(fs(arch.ima.input_register.latency)),
      shift_add_(fs(arch.ima.shift_add.latency)),
      register_out_(fs(arch.ima.output_register.latency)),
      clock_(fs(base::period(arch.ima.clock))) {
  restart();
}

void StageClock::restart() {
  state_ = {};
  waited_ = 0;
  if (m_.layer == nullptr) return;
  state_.copies.assign(m_.replicas.size(), {static_cast<int>(in_buffers_), static_cast<int>(out_buffers_)});
}

StageTimes StageClock::times() const {
  StageTimes times = state_.times;
  times.busy = state_.idle - times.first_start - times.input_stall - times.output_stall;
  return times;
}

void StageClock::stall(Instant open, Instant input) {
  State& s = state_;
  if (s.opened == 0) {
    s.times.first_start = open;
  } else if (open > s.idle) {
    const Instant for_input = std::max(0.0, input - s.idle);
    s.times.input_stall += for_input;
    s.times.output_stall += open - s.idle - for_input;
  }
}

StageClock::Window StageClock::next(Instant input, Instant output) {
  State& s = state_;
  const Instant open = std::max({s.last_open, input, output});
  stall(open, input);
  s.last_open = open;
  const Window window = m_.layer != nullptr ? multiply(open) : read(open);
  ++s.opened;
  if (++s.pixel == m_.stage->pixels) s.pixel = 0;
  return window;
}

StageClock::Window StageClock::multiply(Instant open) {
  State& s = state_;
  const auto copies = static_cast<std::int64_t>(s.copies.size());
  const auto q = static_cast<std::size_t>(copies == 1 ? 0 : s.opened % copies);
  const std::int64_t n = copies == 1 ? s.opened : s.opened / copies;
  const Replica& replica = m_.replicas[q];
  Mvms& mvms = s.copies[q];

  const Instant asked = std::max(open, mvms.latched[n - in_buffers_]);
  s.last_fill = std::max(asked + wait(q, Contention::fill, asked) + replica.fill, s.last_fill + m_.fill_pace);
  const Instant filled = s.last_fill + register_in_;
  const Latches latches{clock_, m_.ima.first_read, m_.ima.convert, m_.ima.tail};
  const Instant latch = n == 0 ? align_up(filled, clock_) + m_.ima.first_read + m_.ima.tail
                               : latches.next(filled, mvms.last_latch, mvms.drained[n - 1 - out_buffers_]);
  mvms.last_latch = latch;
  mvms.latched[n] = latch;
  s.idle = std::max(s.idle, latch);
  const Instant results =
      std::max(latch + m_.ima.convert + shift_add_, mvms.drained[n - out_buffers_]) + register_out_;
  const Instant drained = results + replica.drain;
  mvms.drained[n] = drained;
  s.last_drain = std::max(s.last_drain, drained);
  return {s.last_fill, make(results + wait(q, Contention::deliver, results) + replica.deliver)};
}

StageClock::Window StageClock::read(Instant open) {
  State& s = state_;
  const Instant asked = std::max(open, s.last_read);
  const Instant from = asked + wait(0, Contention::read, asked);
  s.last_read = from + (m_.read.size() == 1 ? m_.read.front() : m_.read[static_cast<std::size_t>(s.pixel)]);
  s.idle = s.last_read;
  if (m_.stage->kind == place::StageKind::output) return {s.last_read, s.last_read};
  return {s.last_read,
          make(s.last_read + wait(0, Contention::deliver, s.last_read) + m_.replicas.front().deliver)};
}

Instant StageClock::make(Instant time) {
  State& s = state_;
  s.last_made = s.opened == 0 ? time : std::max({time, s.last_made, s.last_made + m_.pace});
  return s.last_made;
}

void StageClock::next(std::int64_t count, const Instant* input, const Instant* output, Instant* open,
                      Instant* released, Instant* made) {
  std::int64_t w = 0;
  // The first one waits for nothing that was before it.
  for (const bool at_once = can_run_at_once(); w < count && !(at_once && state_.opened > 0); ++w) {
    const Window window = next(input[w], output == nullptr ? 0 : output[w]);
    open[w] = state_.last_open;
    released[w] = window.released;
    made[w] = window.made;
  }
  if (w == count) return;
  const Instant* earliest = input;
  if (output != nullptr) {
    for (std::int64_t i = w; i < count; ++i) open[i] = std::max(input[i], output[i]);
    earliest = open;
  }
  const auto run = m_.layer == nullptr                     ? &StageClock::read_all
                   : in_buffers_ == 1 && out_buffers_ == 1 ? &StageClock::multiply_all<1, 1>
                   : in_buffers_ == 1                      ? &StageClock::multiply_all<1, 2>
                   : out_buffers_ == 1                     ? &StageClock::multiply_all<2, 1>
                                                           : &StageClock::multiply_all<2, 2>;
  (this->*run)(count - w, input + w, earliest + w, open + w, released + w, made + w);
}

bool StageClock::can_run_at_once() const {
  if (contended_) return false;
  return m_.layer == nullptr || (m_.replicas.size() == 1 && in_buffers_ <= 2 && out_buffers_ <= 2);
}

/// read() of window after window, where nothing has to wait for parts that others use.
void StageClock::read_all(std::int64_t count, const Instant* input, const Instant* earliest, Instant* open,
                          Instant* released, Instant* made) {
  State& s = state_;
  const bool leaves = m_.stage->kind == place::StageKind::output;
  const Instant deliver = leaves ? 0 : m_.replicas.front().deliver, pace = m_.pace;
  const std::int64_t durations = std::ssize(m_.read);
  const Instant* duration = m_.read.data();
  Instant last_open = s.last_open, last_read = s.last_read, last_made = s.last_made;
  Instant input_stall = s.times.input_stall, output_stall = s.times.output_stall;
  std::int64_t pixel = durations == 1 ? 0 : s.pixel;
  for (std::int64_t w = 0; w < count; ++w) {
    last_open = std::max(last_open, earliest[w]);
    const Instant for_input = std::max(input[w], last_read) - last_read;
    const Instant start = std::max(last_open, last_read);
    input_stall += for_input;
    output_stall += start - last_read - for_input;
    last_read = start + duration[pixel];
    last_made = std::max(last_read + deliver, last_made + pace);
    open[w] = last_open;
    released[w] = last_read;
    made[w] = last_made;
    if (++pixel == durations) pixel = 0;
  }
  s.times.input_stall = input_stall;
  s.times.output_stall = output_stall;
  s.last_open = last_open;
  s.idle = s.last_read = last_read;
  s.last_made = last_made;
  s.opened += count;
  s.pixel = s.opened % m_.stage->pixels;
}

/// multiply() of window after window, where a layer has one copy and nothing has to wait for parts that
/// others use. `earliest`: when a window can open; it may be `open`.
template <int in_buffers, int out_buffers>
void StageClock::multiply_all(std::int64_t count, const Instant* input, const Instant* earliest,
                              Instant* open, Instant* released, Instant* made) {
  State& s = state_;
  Mvms& mvms = s.copies.front();
  const Replica& replica = m_.replicas.front();
  // Nothing that the loop writes can change these.
  const Instant fill = replica.fill, fill_pace = m_.fill_pace, register_in = register_in_;
  const Instant results_in = m_.ima.convert + shift_add_, register_out = register_out_;
  const Instant drain = replica.drain, deliver = replica.deliver, pace = m_.pace;
  const Latches latches{clock_, m_.ima.first_read, m_.ima.convert, m_.ima.tail};
  LastTimes<in_buffers> latched(mvms.latched, s.opened);
  LastTimes<out_buffers + 1> drained(mvms.drained, s.opened);
  Instant last_open = s.last_open, last_fill = s.last_fill, last_made = s.last_made;
  Instant input_stall = s.times.input_stall, output_stall = s.times.output_stall;
  for (std::int64_t w = 0; w < count; ++w) {
    const Instant latch = latched.of_last(1);
    last_open = std::max(last_open, earliest[w]);
    const Instant for_input = std::max(input[w], latch) - latch;
    input_stall += for_input;
    output_stall += std::max(last_open, latch) - latch - for_input;
    last_fill = std::max(std::max(last_open, latched.of_last(in_buffers)) + fill, last_fill + fill_pace);
    latched.add(latches.next(last_fill + register_in, latch, drained.of_last(out_buffers + 1)));
    const Instant results =
        std::max(latched.of_last(1) + results_in, drained.of_last(out_buffers)) + register_out;
    drained.add(results + drain);
    last_made = std::max(results + deliver, last_made + pace);
    open[w] = last_open;
    released[w] = last_fill;
    made[w] = last_made;
  }
  s.times.input_stall = input_stall;
  s.times.output_stall = output_stall;
  s.last_open = last_open;
  s.last_fill = last_fill;
  s.last_made = last_made;
  s.last_drain = drained.of_last(1);
  s.idle = mvms.last_latch = latched.of_last(1);
  s.opened += count;
  s.pixel = s.opened % m_.stage->pixels;
  latched.store(mvms.latched, s.opened);
  drained.store(mvms.drained, s.opened);
}

}  // namespace bitline::analytic
