// SPDX-License-Identifier: Apache-2.0
#include "sim/analytic/stream_kernels.h"

#include <bit>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sim/analytic/stream_kernels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace bitline::analytic::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<double, 8>;
using V = hn::Vec<D>;

/// Of a vector from i on.
HWY_INLINE V TimesFrom(TimeList list, std::int64_t i) {
  if (list.index == nullptr) return hn::LoadU(D(), list.times + i);
  const hn::Rebind<std::int32_t, D> narrow;
  const hn::RebindToSigned<D> wide;
  return hn::GatherIndex(D(), list.times, hn::PromoteTo(wide, hn::LoadU(narrow, list.index + i)));
}
HWY_INLINE Instant TimeOf(TimeList list, std::int64_t i) {
  return list.times[list.index == nullptr ? i : list.index[i]];
}

void TakeLatest(TimeList list, Instant delay, bool first, std::int64_t count, Instant* latest) {
  const D d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const V more = hn::Set(d, delay);
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const V time = hn::Add(TimesFrom(list, i), more);
    hn::StoreU(first ? time : hn::Max(time, hn::LoadU(d, latest + i)), d, latest + i);
  }
  for (; i < count; ++i) {
    const Instant time = TimeOf(list, i) + delay;
    latest[i] = first || time > latest[i] ? time : latest[i];
  }
}

bool AnyLater(TimeList list, Instant delay, const Instant* open, std::int64_t count) {
  const D d;
  const V more = hn::Set(d, delay);
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    if (!hn::AllFalse(d, hn::Gt(hn::Add(TimesFrom(list, i), more), hn::LoadU(d, open + i)))) return true;
  }
  for (; i < count; ++i) {
    if (TimeOf(list, i) + delay > open[i]) return true;
  }
  return false;
}

/// One more word of a hash.
HWY_INLINE std::uint64_t Mixed(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * 0x9E3779B97F4A7C15U;
  return hash ^ hash >> 32;
}

#if HWY_TARGET == HWY_SCALAR

std::int64_t RunMvms(MvmStream& /*job*/) {
  return 0;
}
std::int64_t RunReads(ReadStream& /*job*/) {
  return 0;
}
HWY_INLINE std::int64_t SubtractVectors(const Instant*, std::int64_t, Instant*, std::uint64_t&) {
  return 0;
}

#else

constexpr int kMostLanes = 8;

HWY_INLINE int LaneCount() {
  return static_cast<int>(hn::Lanes(D()));
}

/// Lane i is given lane i - `by`; the first ones are given lane 0.
HWY_INLINE auto Up(int by) {
  HWY_ALIGN std::int64_t from[kMostLanes];
  for (int i = 0; i < LaneCount(); ++i) from[i] = i < by ? 0 : i - by;
  return hn::SetTableIndices(D(), from);
}
/// Lane i is given lane i - `by` of the vector before: its last lanes, for the lanes below `by`.
HWY_INLINE auto FromBefore(int by) {
  HWY_ALIGN std::int64_t from[kMostLanes];
  for (int i = 0; i < LaneCount(); ++i) from[i] = (i + LaneCount() - by) % LaneCount();
  return hn::SetTableIndices(D(), from);
}
using Places = decltype(hn::SetTableIndices(D(), static_cast<const std::int64_t*>(nullptr)));

/// y[i] = max(x[i], y[i-1] + step).
class RunningMax {
 public:
  HWY_INLINE RunningMax(Instant step, Instant before)
      : ramp_(hn::Mul(hn::Iota(D(), 0), hn::Set(D(), step))),
        next_(hn::Set(D(), before + step)),
        all_(hn::Set(D(), step * LaneCount())),
        by1_(Up(1)),
        by2_(Up(2)),
        by4_(Up(4)),
        last_(Last()) {}

  HWY_INLINE V Next(V x) {
    V y = hn::Sub(x, ramp_);
    y = hn::Max(y, hn::TableLookupLanes(y, by1_));
    y = hn::Max(y, hn::TableLookupLanes(y, by2_));
    if (LaneCount() > 4) y = hn::Max(y, hn::TableLookupLanes(y, by4_));
    y = hn::Max(y, next_);
    next_ = hn::Add(hn::TableLookupLanes(y, last_), all_);
    return hn::Add(y, ramp_);
  }

 private:
  V ramp_, next_, all_;
  Places by1_, by2_, by4_, last_;

  static HWY_INLINE Places Last() {
    HWY_ALIGN std::int64_t from[kMostLanes];
    for (int i = 0; i < LaneCount(); ++i) from[i] = LaneCount() - 1;
    return hn::SetTableIndices(D(), from);
  }
};

/// Values of one or two windows before.
class Before {
 public:
  HWY_INLINE Before(Instant last, Instant last_but_one)
      : up1_(Up(1)), up2_(Up(2)), from1_(FromBefore(1)), from2_(FromBefore(2)) {
    HWY_ALIGN Instant lanes[kMostLanes] = {};
    lanes[LaneCount() - 1] = last;
    lanes[LaneCount() - 2] = last_but_one;
    vector_ = hn::Load(D(), lanes);
  }
  HWY_INLINE V One(V now) const { return Shifted(now, 1, up1_, from1_); }
  HWY_INLINE V Two(V now) const { return Shifted(now, 2, up2_, from2_); }
  HWY_INLINE void Keep(V now) { vector_ = now; }

 private:
  HWY_INLINE V Shifted(V now, std::size_t by, const Places& up, const Places& from) const {
    return hn::IfThenElse(hn::FirstN(D(), by), hn::TableLookupLanes(vector_, from),
                          hn::TableLookupLanes(now, up));
  }
  V vector_;
  Places up1_, up2_, from1_, from2_;
};

/// align_up().
HWY_INLINE V AlignUp(V time, V clock) {
  return hn::Mul(hn::Ceil(hn::Div(time, clock)), clock);
}

/// How long after the windows before them, idle from `idle` on, windows open, for want of inputs and of
/// places.
class Stalls {
 public:
  HWY_INLINE Stalls() : input_(hn::Zero(D())), output_(hn::Zero(D())) {}
  HWY_INLINE void Add(V idle, V input, V start) {
    const V for_input = hn::Sub(hn::Max(input, idle), idle);
    input_ = hn::Add(input_, for_input);
    output_ = hn::Add(output_, hn::Sub(hn::Sub(hn::Max(start, idle), idle), for_input));
  }
  HWY_INLINE void AddTo(WindowStream& job) const {
    job.input_stall += hn::GetLane(hn::SumOfLanes(D(), input_));
    job.output_stall += hn::GetLane(hn::SumOfLanes(D(), output_));
  }

 private:
  V input_, output_;
};

std::int64_t RunMvms(MvmStream& job) {
  const D d;
  const std::int64_t lanes = LaneCount();
  const std::int64_t count = job.count / lanes * lanes;
  const V fill = hn::Set(d, job.fill), register_in = hn::Set(d, job.register_in);
  const V clock = hn::Set(d, job.clock), to_latch = hn::Set(d, job.to_latch);
  const V to_made = hn::Set(d, job.to_made);
  const bool clocked = job.clock > 0;
  RunningMax filling(job.fill_pace, job.last_filled);
  RunningMax fills(job.fill_pace, job.last_filled), latches(job.latch_pace, job.last_latched);
  Before before(job.last_latched, job.latched_before);
  Stalls stalls;
  for (std::int64_t w = 0; w < count; w += lanes) {
    const V open = hn::LoadU(d, job.earliest + w);
    // Windows that wait for a register are filled before the crossbars are free all the same.
    const V there = hn::Add(filling.Next(hn::Add(open, fill)), register_in);
    const V latched = latches.Next(hn::Add(clocked ? AlignUp(there, clock) : there, to_latch));
    const V filled = fills.Next(hn::Add(hn::Max(open, before.Two(latched)), fill));
    stalls.Add(before.One(latched), hn::LoadU(d, job.input + w), open);
    before.Keep(latched);
    hn::StoreU(filled, d, job.released + w);
    hn::StoreU(hn::Add(latched, to_made), d, job.made + w);
  }
  stalls.AddTo(job);
  if (count == 0) return 0;
  job.last_filled = job.released[count - 1];
  job.last_latched = job.made[count - 1] - job.to_made;
  job.latched_before = job.made[count - 2] - job.to_made;
  return count;
}

std::int64_t RunReads(ReadStream& job) {
  const D d;
  const std::int64_t lanes = LaneCount();
  const std::int64_t count = job.count / lanes * lanes;
  const V duration = hn::Set(d, job.duration), to_made = hn::Set(d, job.to_made);
  RunningMax reads(job.duration, job.last_read);
  Before before(job.last_read, 0);
  Stalls stalls;
  for (std::int64_t w = 0; w < count; w += lanes) {
    const V open = hn::LoadU(d, job.earliest + w);
    const V read = reads.Next(hn::Add(open, duration));
    stalls.Add(before.One(read), hn::LoadU(d, job.input + w), open);
    before.Keep(read);
    hn::StoreU(read, d, job.released + w);
    hn::StoreU(hn::Add(read, to_made), d, job.made + w);
  }
  stalls.AddTo(job);
  if (count == 0) return 0;
  job.last_read = job.released[count - 1];
  return count;
}

/// The first ones, as many as make whole vectors; goes on with `hash`.
HWY_INLINE std::int64_t SubtractVectors(const Instant* times, std::int64_t count, Instant* after_first,
                                        std::uint64_t& hash) {
  const D d;
  const hn::RebindToUnsigned<D> words;
  const hn::Repartition<std::uint32_t, D> halves;
  const std::int64_t lanes = LaneCount();
  const V first = hn::Set(d, times[0]);
  const auto factor = hn::BitCast(halves, hn::Set(words, 0x9E3779B1U));
  auto mixed = hn::Iota(words, 1);
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const V time = hn::Sub(hn::LoadU(d, times + i), first);
    hn::StoreU(time, d, after_first + i);
    mixed = hn::Xor(hn::Or(hn::ShiftLeft<23>(mixed), hn::ShiftRight<41>(mixed)), hn::BitCast(words, time));
    mixed = hn::Add(mixed, hn::MulEven(hn::BitCast(halves, mixed), factor));
  }
  HWY_ALIGN std::uint64_t lane[kMostLanes];
  hn::Store(mixed, words, lane);
  for (std::int64_t k = 0; k < lanes; ++k) hash = Mixed(hash, lane[k]);
  return i;
}

#endif  // HWY_TARGET == HWY_SCALAR

std::uint64_t SubtractFirst(const Instant* times, std::int64_t count, Instant* after_first) {
  std::uint64_t hash = 0;
  for (std::int64_t i = SubtractVectors(times, count, after_first, hash); i < count; ++i) {
    after_first[i] = times[i] - times[0];
    hash = Mixed(hash, std::bit_cast<std::uint64_t>(after_first[i]));
  }
  return hash;
}

}  // namespace bitline::analytic::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitline::analytic {

HWY_EXPORT(RunMvms);
HWY_EXPORT(RunReads);
HWY_EXPORT(TakeLatest);
HWY_EXPORT(AnyLater);
HWY_EXPORT(SubtractFirst);

std::int64_t run_stream(MvmStream& job) {
  return HWY_DYNAMIC_DISPATCH(RunMvms)(job);
}
std::int64_t run_stream(ReadStream& job) {
  return HWY_DYNAMIC_DISPATCH(RunReads)(job);
}

void take_latest(TimeList list, Instant delay, bool first, std::int64_t count, Instant* latest) {
  HWY_DYNAMIC_DISPATCH(TakeLatest)(list, delay, first, count, latest);
}
bool any_later(TimeList list, Instant delay, const Instant* open, std::int64_t count) {
  return HWY_DYNAMIC_DISPATCH(AnyLater)(list, delay, open, count);
}
std::uint64_t subtract_first(const Instant* times, std::int64_t count, Instant* after_first) {
  return HWY_DYNAMIC_DISPATCH(SubtractFirst)(times, count, after_first);
}

}  // namespace bitline::analytic
#endif
