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

StageClock::StageClock(const StageModel& model, const arch::Arch& arch, Contention& contention, bool once)
    : m_(model),
      contention_(contention),
      loads_(contention.concerns(model) ? contention.loads(model) : nullptr),
      once_(once),
      in_buffers_(arch.ima.input_register.buffers),
      out_buffers_(arch.ima.output_register.buffers),
      register_in_(fs(arch.ima.input_register.latency)),
      shift_add_(fs(arch.ima.shift_add.latency)),
      register_out_(fs(arch.ima.output_register.latency)),
      clock_(fs(base::period(arch.ima.clock))),
      vectors_(m_.layer != nullptr ? registers_suffice()
                                   : m_.read.size() == 1 && m_.pace <= m_.read.front()) {
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

void StageClock::next(std::int64_t count, const Instant* input, const Instant* earliest, Instant* released,
                      Instant* made) {
  std::int64_t w = 0;
  // The first one waits for nothing that was before it.
  for (const bool at_once = can_run_at_once(); w < count && !(at_once && state_.opened > 0); ++w) {
    const Window window = next(input[w], earliest[w]);
    released[w] = window.released;
    made[w] = window.made;
  }
  if (vectors_ && loads_ == nullptr && w < count)
    w += run_vectors(count - w, input + w, earliest + w, released + w, made + w);
  if (w == count) return;
  const auto run = loads_ != nullptr ? all_windows<true>() : all_windows<false>();
  (this->*run)(count - w, input + w, earliest + w, released + w, made + w);
}

template <bool contended>
StageClock::AllWindows StageClock::all_windows() const {
  if (m_.layer == nullptr) return &StageClock::read_all<contended>;
  if (in_buffers_ == 1)
    return out_buffers_ == 1 ? &StageClock::multiply_all<contended, 1, 1>
                             : &StageClock::multiply_all<contended, 1, 2>;
  return out_buffers_ == 1 ? &StageClock::multiply_all<contended, 2, 1>
                           : &StageClock::multiply_all<contended, 2, 2>;
}

bool StageClock::can_run_at_once() const {
  if (m_.layer == nullptr) return true;
  return m_.replicas.size() == 1 && in_buffers_ <= 2 && out_buffers_ <= 2;
}

/// Whether the registers of a layer of one copy are free again before its crossbars are: an MVM's inputs are
/// loaded within the one before it, its results have left before they are wanted again.
bool StageClock::registers_suffice() const {
  const Replica& replica = m_.replicas.front();
  const Instant mvm = mvm_pace();
  const Instant edge = std::max(0.0, clock_);  // rounding to an edge adds no more
  const auto buffers = static_cast<Instant>(out_buffers_);
  return in_buffers_ == 2 && m_.fill_pace <= mvm && m_.pace <= mvm &&
         replica.fill + register_in_ + edge + m_.ima.first_read + m_.ima.tail <= 2 * mvm &&
         register_out_ + replica.drain <= buffers * mvm &&
         latch_to_drained() + edge + m_.ima.tail <= (buffers + 1) * mvm;
}

/// Between two MVMs that wait for nothing but the crossbars.
Instant StageClock::mvm_pace() const {
  return std::max(m_.ima.first_read, m_.ima.convert) + m_.ima.tail;
}

/// Where results wait for no register.
Instant StageClock::latch_to_results() const {
  return m_.ima.convert + shift_add_ + register_out_;
}
Instant StageClock::latch_to_drained() const {
  return latch_to_results() + m_.replicas.front().drain;
}

/// The first windows, as many as make whole vectors.
std::int64_t StageClock::run_vectors(std::int64_t count, const Instant* input, const Instant* earliest,
                                     Instant* released, Instant* made) {
  WindowStream windows;
  windows.count = count;
  windows.input = input;
  windows.earliest = earliest;
  windows.released = released;
  windows.made = made;
  windows.input_stall = state_.times.input_stall;
  windows.output_stall = state_.times.output_stall;
  const std::int64_t done = m_.layer != nullptr ? multiply_vectors(windows) : read_vectors(windows);
  state_.times.input_stall = windows.input_stall;
  state_.times.output_stall = windows.output_stall;
  if (done > 0) {
    state_.last_open = earliest[done - 1];
    state_.last_made = made[done - 1];
  }
  state_.opened += done;
  state_.pixel = state_.opened % m_.stage->pixels;
  return done;
}

std::int64_t StageClock::multiply_vectors(WindowStream& windows) {
  Mvms& mvms = state_.copies.front();
  const Replica& replica = m_.replicas.front();
  MvmStream job{windows};
  job.fill = replica.fill;
  job.fill_pace = m_.fill_pace;
  job.register_in = register_in_;
  job.clock = clock_;
  job.to_latch = m_.ima.first_read + m_.ima.tail;
  job.latch_pace = mvm_pace();
  job.to_made = latch_to_results() + replica.deliver;
  job.last_filled = state_.last_fill;
  job.last_latched = mvms.last_latch;
  job.latched_before = mvms.latched[state_.opened - 2];
  const std::int64_t done = run_stream(job);
  windows = job;
  for (std::int64_t w = std::max<std::int64_t>(0, done - out_buffers_ - 1); w < done; ++w) {
    const Instant latch = job.made[w] - job.to_made;
    mvms.latched[state_.opened + w] = latch;
    mvms.drained[state_.opened + w] = latch + latch_to_drained();
  }
  state_.last_fill = job.last_filled;
  state_.idle = mvms.last_latch = job.last_latched;
  state_.last_drain = job.last_latched + latch_to_drained();
  return done;
}

std::int64_t StageClock::read_vectors(WindowStream& windows) {
  ReadStream job{windows};
  job.duration = m_.read.front();
  if (m_.stage->kind != place::StageKind::output) job.to_made = m_.replicas.front().deliver;
  job.last_read = state_.last_read;
  const std::int64_t done = run_stream(job);
  windows = job;
  state_.idle = state_.last_read = job.last_read;
  return done;
}

/// read() of window after window.
template <bool contended>
void StageClock::read_all(std::int64_t count, const Instant* input, const Instant* earliest,
                          Instant* released, Instant* made) {
  State& s = state_;
  const bool leaves = m_.stage->kind == place::StageKind::output;
  const Instant deliver = leaves ? 0 : m_.replicas.front().deliver, pace = m_.pace;
  const std::int64_t durations = std::ssize(m_.read);
  const Instant* duration = m_.read.data();
  Instant last_read = s.last_read, last_made = s.last_made;
  Instant input_stall = s.times.input_stall, output_stall = s.times.output_stall;
  std::int64_t pixel = durations == 1 ? 0 : s.pixel;
  for (std::int64_t w = 0; w < count; ++w) {
    const Instant for_input = std::max(input[w], last_read) - last_read;
    const Instant start = std::max(earliest[w], last_read);
    input_stall += for_input;
    output_stall += start - last_read - for_input;
    last_read = start + (contended ? wait(0, Contention::read, start) : 0) + duration[pixel];
    const Instant waits = contended && !leaves ? wait(0, Contention::deliver, last_read) : 0;
    last_made = std::max(last_read + waits + deliver, last_made + pace);
    released[w] = last_read;
    made[w] = last_made;
    if (++pixel == durations) pixel = 0;
  }
  s.times.input_stall = input_stall;
  s.times.output_stall = output_stall;
  s.last_open = earliest[count - 1];
  s.idle = s.last_read = last_read;
  s.last_made = last_made;
  s.opened += count;
  s.pixel = s.opened % m_.stage->pixels;
}

/// multiply() of window after window, where a layer has one copy.
template <bool contended, int in_buffers, int out_buffers>
void StageClock::multiply_all(std::int64_t count, const Instant* input, const Instant* earliest,
                              Instant* released, Instant* made) {
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
  Instant last_fill = s.last_fill, last_made = s.last_made;
  Instant input_stall = s.times.input_stall, output_stall = s.times.output_stall;
  for (std::int64_t w = 0; w < count; ++w) {
    const Instant latch = latched.of_last(1);
    const Instant for_input = std::max(input[w], latch) - latch;
    input_stall += for_input;
    output_stall += std::max(earliest[w], latch) - latch - for_input;
    const Instant asked = std::max(earliest[w], latched.of_last(in_buffers));
    const Instant fill_waits = contended ? wait(0, Contention::fill, asked) : 0;
    last_fill = std::max(asked + fill_waits + fill, last_fill + fill_pace);
    latched.add(latches.next(last_fill + register_in, latch, drained.of_last(out_buffers + 1)));
    const Instant results =
        std::max(latched.of_last(1) + results_in, drained.of_last(out_buffers)) + register_out;
    drained.add(results + drain);
    const Instant waits = contended ? wait(0, Contention::deliver, results) : 0;
    last_made = std::max(results + waits + deliver, last_made + pace);
    released[w] = last_fill;
    made[w] = last_made;
  }
  s.times.input_stall = input_stall;
  s.times.output_stall = output_stall;
  s.last_open = earliest[count - 1];
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
