// SPDX-License-Identifier: Apache-2.0
// Windows of a stage, a vector of them at a time: where every time is the running maximum of what came before
// plus a fixed step. Times are whole numbers, so that the order of additions does not matter.
#pragma once

#include <cstdint>

#include "sim/analytic/parts.h"

namespace bitline::analytic {

/// Windows of a stage, all arrays by window. What is named `last` is that of the window before the first; a
/// kernel leaves that of the last window it has done.
struct WindowStream {
  std::int64_t count = 0;
  const Instant* input = nullptr;     ///< when the inputs are there
  const Instant* earliest = nullptr;  ///< when it opens: never falling
  Instant *released = nullptr, *made = nullptr;
  Instant input_stall = 0, output_stall = 0;  ///< added to
};

/// An MVM after another, on IMAs whose input and output registers never hold their crossbars up:
///     filled[w]  = max(max(earliest[w], latched[w-2]) + fill, filled[w-1] + fill_pace)
///     latched[w] = max(up(filled[w] + register_in) + to_latch, latched[w-1] + latch_pace)
///     made[w]    = latched[w] + to_made
/// up: to the next edge of `clock`; `released` is `filled`.
struct MvmStream : WindowStream {
  Instant fill = 0, fill_pace = 0, register_in = 0, clock = 0, to_latch = 0, latch_pace = 0, to_made = 0;
  Instant last_filled = 0, last_latched = 0, latched_before = 0;  ///< the last but one
};

/// A read after another, each of the same duration, no shorter than the time between two deliveries:
///     read[w] = max(earliest[w], read[w-1]) + duration        made[w] = read[w] + to_made
struct ReadStream : WindowStream {
  Instant duration = 0, to_made = 0;
  Instant last_read = 0;
};

/// Returns how many windows it has done, from the first: a whole number of vectors.
std::int64_t run_stream(MvmStream& job);
std::int64_t run_stream(ReadStream& job);

/// Times of pixels or windows i = 0, 1, ...: times[index[i]], or times[i] where there is no index.
struct TimeList {
  const Instant* times;
  const std::int32_t* index;
};

/// latest[i] = time i + delay or, unless `first`, the later of this and what is there.
void take_latest(TimeList list, Instant delay, bool first, std::int64_t count, Instant* latest);

/// Whether any time i + delay is later than open[i].
[[nodiscard]] bool any_later(TimeList list, Instant delay, const Instant* open, std::int64_t count);

/// after_first[i] = times[i] - times[0]. Returns a number that is the same for equal results in this process.
std::uint64_t subtract_first(const Instant* times, std::int64_t count, Instant* after_first);

}  // namespace bitline::analytic
