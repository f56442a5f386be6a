// SPDX-License-Identifier: Apache-2.0
#include "sim/cycle/stage_state.h"

#include <algorithm>
#include <numeric>

#include "mapper/place/share.h"
#include "models/base/errors.h"

namespace bitline::cycle {

using base::Time;

std::optional<Time> ItemCounter::add(std::int64_t item, Time time) {
  BITLINE_CHECK(item >= complete_);
  const auto at = static_cast<std::size_t>(item - complete_);
  if (at >= open_.size()) open_.resize(at + 1);
  auto& [count, latest] = open_[at];
  latest = std::max(latest, time);
  if (++count < parts(item)) return std::nullopt;
  // Contributors report in order, so the items of one replica complete in order.
  const std::size_t replicas = parts_.size();
  BITLINE_CHECK(count == parts(item) && (at < replicas || open_[at - replicas].first == parts(item)));
  const Time done = latest;
  while (!open_.empty() && open_.front().first == parts(complete_)) {
    open_.pop_front();
    ++complete_;
  }
  return done;
}

EdgeState::EdgeState(const place::Edge& edge, std::int64_t producer_pixels, std::int64_t consumer_pixels,
                     std::vector<int> shares)
    : edge_(&edge),
      producer_pixels_(producer_pixels),
      consumer_pixels_(consumer_pixels),
      arrivals_(std::move(shares)),
      absorbed_(static_cast<int>(edge.deliveries.size())),
      accumulated_(static_cast<int>(edge.deliveries.size())) {}

bool EdgeState::absorbed(std::int64_t pixel, Time time) {
  if (!absorbed_.add(pixel, time)) return false;
  released_ = absorbed_.complete();
  return true;
}

bool EdgeState::accumulated(std::int64_t pixel, Time time) {
  return accumulated_.add(pixel, time).has_value();
}

bool EdgeState::has_input(std::int64_t consumer_window) const {
  const std::int64_t image = consumer_window / consumer_pixels_;
  const std::int64_t needed =
      image * producer_pixels_ + edge_->window.needed(consumer_window % consumer_pixels_);
  return (reduces() ? accumulated_.complete() : arrivals_.complete()) >= needed;
}

void EdgeState::consumed(std::int64_t consumer_windows) {
  if (reduces() || consumer_windows == 0) return;
  const std::int64_t last = consumer_windows - 1;
  const std::int64_t image = last / consumer_pixels_;
  released_ = std::max(released_, image * producer_pixels_ + edge_->window.released(last % consumer_pixels_));
}

void StallMeter::idle(Time now) {
  idle_ = true;
  since_ = now;
}

void StallMeter::waits(Time now, Wait reason) {
  account(now);
  reason_ = reason;
}

void StallMeter::works(Time now) {
  account(now);
  idle_ = false;
}

void StallMeter::account(Time now) {
  if (!idle_) return;
  if (reason_ == Wait::input) {
    input_ += now - since_;
    input_bins_.add(since_, now);
  }
  if (reason_ == Wait::output) {
    output_ += now - since_;
    output_bins_.add(since_, now);
  }
  since_ = now;
}

std::int64_t split(std::int64_t total, const std::vector<std::int64_t>& weights, std::size_t part) {
  const std::int64_t sum = std::accumulate(weights.begin(), weights.end(), std::int64_t{0});
  BITLINE_CHECK(sum > 0);
  const auto at = weights.begin() + static_cast<std::ptrdiff_t>(part);
  const std::int64_t before = std::accumulate(weights.begin(), at, std::int64_t{0});
  return place::share_of(total, before, weights[part], sum);
}

}  // namespace bitline::cycle
