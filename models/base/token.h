// SPDX-License-Identifier: Apache-2.0
// What a request, a packet or a completion is about. Requests made at the same time are served in token
// order, so the order in which a simulation kernel runs its processes never matters.
#pragma once

#include <compare>
#include <cstdint>

namespace bitline::base {

enum class Kind : std::uint8_t {
  fill,          ///< input vector to an IMA; part: ImaPart
  drain,         ///< results out of an IMA; part: ImaPart
  partial,       ///< partial sums on the way to a join in another tile; part: join
  add,           ///< shift-adds of a join; part: join
  work,          ///< digital work; part: source, step: which
  work_done,     ///< the last work of a digital stage's window
  read,          ///< inputs of a digital stage's window
  absorb_read,   ///< one input pixel of a reducing stage; edge
  absorb_work,   ///< and its accumulation
  share_packet,  ///< part of a pixel on the way to a consumer's tile; part: source, step: share
  share,         ///< the same being written to the consumer's buffer
  share_out,     ///< the same on the way to the chip link
  link_in,       ///< pixel of a network input over the chip link
  link_out,      ///< pixel of a network output over the chip link
  weights,       ///< what the crossbars are programmed with, over the chip link; window: phase
  programmed,    ///< the crossbars are; window: phase
};

/// Of a packet to another chip; any other is on its last leg.
enum class Leg : std::uint8_t {
  last,     ///< to its end
  to_link,  ///< to the link of its own chip
  out,      ///< over that link
  in,       ///< over the link of the other chip
};

struct Token {
  int stage = 0;
  Kind kind = Kind::fill;
  int part = 0;
  int step = 0;
  int edge = 0;
  std::int64_t window = 0;  ///< or pixel, images concatenated
  Leg leg = Leg::last;
  friend auto operator<=>(const Token&, const Token&) = default;
};

}  // namespace bitline::base
