// SPDX-License-Identifier: Apache-2.0
#include "sim/analytic/stage_clock.h"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace bitline::analytic {
namespace {

Instant fs(base::Time time) {
  return static_cast<Instant>(time.fs());
}

/// Windows that are computed at once where they follow each other at the same step.
constexpr std::int64_t kAtOnce = 64;

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

Instant StageClock::wait(std::size_t replica, Contention::Phase phase, Instant at) {
  if (!contended_) return 0;
  if (waited_ == waits_.size()) waits_.push_back(contention_.wait(m_, replica, phase, at));
  return waits_[waited_++];
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
  const Instant first_read = align_up(std::max(filled, mvms.last_latch), clock_);
  const Instant converted = n == 0 ? 0 : mvms.last_latch + m_.ima.convert;
  const Instant place = n == 0 ? 0 : align_up(mvms.drained[n - 1 - out_buffers_], clock_);
  const Instant latch = std::max({first_read + m_.ima.first_read, converted, place}) + m_.ima.tail;
  const Instant step = latch - mvms.last_latch;
  mvms.last_latch = latch;
  mvms.latched.set(n, latch);
  s.idle = std::max(s.idle, latch);
  const Instant results =
      std::max(latch + m_.ima.convert + shift_add_, mvms.drained[n - out_buffers_]) + register_out_;
  const Instant drained = results + replica.drain;
  s.steady = step == s.step && drained - mvms.drained[n - 1] == step ? s.steady + 1 : 0;
  s.step = step;
  mvms.drained.set(n, drained);
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
  if (m_.layer == nullptr && !contended_) return read_all(count, input, output, open, released, made);
  const bool may_jump = m_.layer != nullptr && m_.replicas.size() == 1 && !contended_;
  const std::int64_t filled_rings = std::max(in_buffers_, out_buffers_ + 1);
  for (std::int64_t w = 0; w < count;) {
    if (may_jump && state_.steady >= filled_rings) {
      const std::int64_t jumped =
          next_steady(std::min(count - w, kAtOnce), input + w, output == nullptr ? nullptr : output + w,
                      open + w, released + w, made + w);
      w += jumped;
      if (jumped == kAtOnce) continue;
      state_.steady = 0;
      if (w == count) break;
    }
    const Window window = next(input[w], output == nullptr ? 0 : output[w]);
    open[w] = state_.last_open;
    released[w] = window.released;
    made[w] = window.made;
    ++w;
  }
}

/// read() of window after window, where nothing has to wait for parts that others use.
void StageClock::read_all(std::int64_t count, const Instant* input, const Instant* output, Instant* open,
                          Instant* released, Instant* made) {
  if (count <= 0) return;
  State& s = state_;
  const bool leaves = m_.stage->kind == place::StageKind::output;
  const Instant deliver = leaves ? 0 : m_.replicas.front().deliver, pace = m_.pace;
  const std::int64_t durations = std::ssize(m_.read);
  const Instant* duration = m_.read.data();
  Instant last_open = s.last_open, last_read = s.last_read, last_made = s.last_made;
  if (s.opened == 0) {
    // The first window waits for nothing, and nothing is made before it.
    last_read = s.times.first_start = std::max(input[0], output == nullptr ? 0 : output[0]);
    last_made = -pace;
  }
  Instant input_stall = s.times.input_stall, output_stall = s.times.output_stall;
  std::int64_t pixel = durations == 1 ? 0 : s.pixel;
  for (std::int64_t w = 0; w < count; ++w) {
    last_open = std::max(last_open, output == nullptr ? input[w] : std::max(input[w], output[w]));
    const Instant stall = std::max(0.0, last_open - last_read);
    const Instant for_input = std::max(0.0, input[w] - last_read);
    input_stall += for_input;
    output_stall += stall - for_input;
    last_read = std::max(last_open, last_read) + duration[pixel];
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

/// Windows that are latched and drained at the step of those before them, all at once: how many of `count`
/// there are. All that they depend on moves by the step from one to the next; only the inputs need a look.
std::int64_t StageClock::next_steady(std::int64_t count, const Instant* input, const Instant* output,
                                     Instant* open, Instant* released, Instant* made) {
  State& s = state_;
  Mvms& mvms = s.copies.front();
  const Replica& replica = m_.replicas.front();
  const Instant step = s.step, latch = mvms.last_latch, fill = replica.fill;
  const std::int64_t n = s.opened;
  // What the next latch waits for, inputs aside.
  const Instant oldest = mvms.latched[n - in_buffers_];
  const Instant own =
      std::max({align_up(std::max(oldest + fill + register_in_, latch), clock_) + m_.ima.first_read,
                latch + m_.ima.convert, align_up(mvms.drained[n - 1 - out_buffers_], clock_)}) +
      m_.ima.tail;
  const Instant first = latch + step;
  if (own > first || step < m_.fill_pace) return 0;
  const Instant results =
      std::max(first + m_.ima.convert + shift_add_, mvms.drained[n - out_buffers_]) + register_out_;
  if (results + replica.drain != mvms.drained[n - 1] + step) return 0;
  // A window opened at `latest` or before is latched in time; where it is the inputs that set the step, one
  // that was opened more than a clock earlier would be latched before.
  const Instant latest = first - m_.ima.tail - m_.ima.first_read - register_in_ - fill;
  const Instant early = own == first ? -HUGE_VAL : clock_ * (2e-6 - 1);
  bool all = true;
  for (std::int64_t i = 0; i < count; ++i) {
    const Instant limit = latest + static_cast<Instant>(i) * step;
    open[i] = output == nullptr ? input[i] : std::max(input[i], output[i]);
    all &= open[i] <= limit && open[i] > limit + early;
  }
  open[0] = std::max(open[0], s.last_open);
  all &= open[0] <= latest;
  if (!all) {
    std::int64_t fine = 0;
    for (; fine < count; ++fine) {
      const Instant limit = latest + static_cast<Instant>(fine) * step;
      if (!(open[fine] <= limit && open[fine] > limit + early)) break;
    }
    count = fine;
  }
  for (std::int64_t i = 0; i < count; ++i)
    released[i] = std::max(open[i], oldest + static_cast<Instant>(i) * step) + fill;
  bool paced = count == 0 || released[0] >= s.last_fill + m_.fill_pace;
  for (std::int64_t i = 1; i < count; ++i) paced &= released[i] - released[i - 1] >= m_.fill_pace;
  if (count == 0 || !paced) return 0;

  bool stalled = false;
  for (std::int64_t i = 0; i < count; ++i) stalled |= open[i] > latch + static_cast<Instant>(i) * step;
  if (stalled) {
    for (std::int64_t i = 0; i < count; ++i) {
      s.idle = latch + static_cast<Instant>(i) * step;
      stall(open[i], input[i]);
    }
  }
  make_steady(count, results + replica.deliver, made);
  const auto last = static_cast<Instant>(count - 1) * step;
  for (std::int64_t i = std::max<std::int64_t>(0, count - in_buffers_); i < count; ++i)
    mvms.latched.set(n + i, first + static_cast<Instant>(i) * step);
  for (std::int64_t i = std::max<std::int64_t>(0, count - out_buffers_ - 1); i < count; ++i)
    mvms.drained.set(n + i, results + replica.drain + static_cast<Instant>(i) * step);
  mvms.last_latch = s.idle = first + last;
  s.last_drain = std::max(s.last_drain, results + replica.drain + last);
  s.last_open = open[count - 1];
  s.last_fill = released[count - 1];
  s.opened += count;
  s.pixel = s.opened % m_.stage->pixels;
  return count;
}

void StageClock::make_steady(std::int64_t count, Instant first, Instant* made) {
  State& s = state_;
  if (m_.pace <= s.step && first >= s.last_made + m_.pace) {
    for (std::int64_t i = 0; i < count; ++i) made[i] = first + static_cast<Instant>(i) * s.step;
    s.last_made = made[count - 1];
    return;
  }
  for (std::int64_t i = 0; i < count; ++i) {
    s.last_made = std::max(first + static_cast<Instant>(i) * s.step, s.last_made + m_.pace);
    made[i] = s.last_made;
  }
}

}  // namespace bitline::analytic
