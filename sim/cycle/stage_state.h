// SPDX-License-Identifier: Apache-2.0
// The bookkeeping of the layer pipeline, free of any simulation kernel: which windows may open, what is
// complete, and why a stage waits.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "mapper/place/program.h"
#include "models/base/units.h"
#include "sim/cycle/time_bins.h"

namespace bitline::cycle {

/// Items 0, 1, ... that each need a report from every one of their contributors, who report in order.
class ItemCounter {
 public:
  explicit ItemCounter(int parts) : ItemCounter(std::vector<int>{parts}) {}
  /// Items dealt to parts.size() replicas: item i has parts[i % parts.size()] contributors.
  explicit ItemCounter(std::vector<int> parts) : parts_(std::move(parts)) {}
  /// One report. Returns the time of the last report of `item` if it is complete now.
  std::optional<base::Time> add(std::int64_t item, base::Time time);
  /// Complete items, from the first without a gap.
  [[nodiscard]] std::int64_t complete() const { return complete_; }

 private:
  [[nodiscard]] int parts(std::int64_t item) const {
    return parts_[static_cast<std::size_t>(item) % parts_.size()];
  }
  std::vector<int> parts_;
  std::int64_t complete_ = 0;
  std::deque<std::pair<int, base::Time>> open_;  ///< reports of items from complete_ on, latest time
};

/// The buffer between two stages. Pixels count through all images.
class EdgeState {
 public:
  /// `producer_pixels` per image; `shares`: parts in which each pixel arrives, by replica of the producer.
  EdgeState(const place::Edge& edge, std::int64_t producer_pixels, std::int64_t consumer_pixels,
            std::vector<int> shares);

  [[nodiscard]] const place::Edge& edge() const { return *edge_; }
  [[nodiscard]] bool reduces() const { return edge_->window.kind == place::Window::Kind::reduce; }
  /// Whether the consumer's window has all input pixels.
  [[nodiscard]] bool has_input(std::int64_t consumer_window) const;
  /// Whether a producer that opened `opened` pixels may open another.
  [[nodiscard]] bool has_place(std::int64_t opened) const { return opened - released_ < edge_->capacity; }

  /// A share of `pixel` is in the buffer. True if there are now more pixels without a gap.
  bool arrived(std::int64_t pixel, base::Time time) {
    const std::int64_t before = arrivals_.complete();
    arrivals_.add(pixel, time);
    return arrivals_.complete() > before;
  }
  /// A part of the reducing consumer has read a pixel (with the last of them it leaves the buffer) / has
  /// accumulated it. True if all have.
  bool absorbed(std::int64_t pixel, base::Time time);
  bool accumulated(std::int64_t pixel, base::Time time);
  /// The consumer has taken all that it needs for its windows before `consumer_windows`.
  void consumed(std::int64_t consumer_windows);
  [[nodiscard]] std::int64_t pixels_arrived() const { return arrivals_.complete(); }
  [[nodiscard]] std::int64_t pixels_released() const { return released_; }

 private:
  const place::Edge* edge_;
  std::int64_t producer_pixels_;
  std::int64_t consumer_pixels_;
  ItemCounter arrivals_;
  ItemCounter absorbed_;  ///< reducing consumers, by part
  ItemCounter accumulated_;
  std::int64_t released_ = 0;
};

enum class Wait { none, input, output };

/// Adds up the time in which a stage has nothing to work on, by what it waits for.
class StallMeter {
 public:
  /// The stage has finished all that it opened.
  void idle(base::Time now);
  /// What the next window waits for from now on.
  void waits(base::Time now, Wait reason);
  /// The next window has opened.
  void works(base::Time now);
  [[nodiscard]] base::Time input() const { return input_; }
  [[nodiscard]] base::Time output() const { return output_; }
  /// When they were; sums to the two above.
  [[nodiscard]] const TimeBins& input_bins() const { return input_bins_; }
  [[nodiscard]] const TimeBins& output_bins() const { return output_bins_; }

 private:
  void account(base::Time now);
  bool idle_ = false;
  Wait reason_ = Wait::input;
  base::Time since_;
  base::Time input_;
  base::Time output_;
  TimeBins input_bins_;
  TimeBins output_bins_;
};

/// Part `part` of `total` split in proportion to consecutive `weights`: shares are whole and add up to
/// `total`.
[[nodiscard]] std::int64_t split(std::int64_t total, const std::vector<std::int64_t>& weights,
                                 std::size_t part);

}  // namespace bitline::cycle
