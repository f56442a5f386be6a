// SPDX-License-Identifier: Apache-2.0
#include "sim/analytic/known_times.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <utility>

namespace bitline::analytic {
namespace {

constexpr std::size_t kMostTimes = std::size_t{1} << 21;  // 16 MiB

/// What nobody has borrowed.
struct Shelf {
  std::mutex mutex;
  std::vector<std::unique_ptr<KnownTimes>> known;
};
Shelf& shelf() {
  static Shelf one;
  return one;
}

}  // namespace

StageRun StageRun::later(Instant by) const {
  StageRun run{released.later(by), made.later(by), times};
  run.times.first_start += by;
  return run;
}

Instant* Arrays::room(std::size_t count) {
  constexpr std::size_t kBlock = std::size_t{1} << 17;  // 1 MiB
  while (block_ < blocks_.size() && used_ + count > blocks_[block_].size) {
    ++block_;
    used_ = 0;
  }
  if (block_ == blocks_.size()) {
    const std::size_t size = std::max(count, kBlock);
    blocks_.push_back({size, std::unique_ptr<Instant[]>(new Instant[size])});
  }
  return blocks_[block_].times.get() + used_;
}

void Arrays::give_back() {
  std::size_t size = 0;
  std::erase_if(blocks_, [&](const Block& block) { return (size += block.size) > kMostTimes; });
  block_ = used_ = 0;
}

Times KnownTimes::keep(const Instant* times, std::int64_t count) {
  const auto size = static_cast<std::size_t>(count);
  Instant* after_first = arrays_.room(size);
  Words words;
  words.add(subtract_first(times, count, after_first));
  words.add(static_cast<std::uint64_t>(count));
  const Stream* const* known = by_times_.find(words);
  if (known != nullptr && (*known)->count == count &&
      std::memcmp((*known)->times, after_first, size * sizeof(Instant)) == 0)
    return {*known, times[0]};
  arrays_.take(size);
  kept_ += size;
  const Stream* stream = &streams_.emplace_back(Stream{count, after_first});
  by_times_.add(words, stream);
  return {stream, times[0]};
}

Instant* KnownTimes::scratch(std::size_t size) {
  if (scratch_size_ < size) {
    scratch_.reset(new Instant[size]);
    scratch_size_ = size;
  }
  return scratch_.get();
}

void KnownTimes::forget_if_full() {
  if (kept_ < kMostTimes) return;
  inputs.clear();
  places.clear();
  held_up.clear();
  runs.clear();
  by_times_.clear();
  streams_.clear();
  arrays_.give_back();
  kept_ = 0;
}

BorrowedTimes::BorrowedTimes() {
  Shelf& from = shelf();
  {
    const std::lock_guard lock(from.mutex);
    if (!from.known.empty()) {
      known_ = std::move(from.known.back());
      from.known.pop_back();
    }
  }
  if (known_ == nullptr) known_ = std::make_unique<KnownTimes>();
  known_->forget_if_full();
}

BorrowedTimes::~BorrowedTimes() {
  Shelf& to = shelf();
  const std::lock_guard lock(to.mutex);
  to.known.push_back(std::move(known_));
}

}  // namespace bitline::analytic
