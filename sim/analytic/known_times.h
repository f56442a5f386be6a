// SPDX-License-Identifier: Apache-2.0
// Times of stages, kept for stages to come: windows whose inputs come after each other as those of another
// did take as long. Cells of a network repeat, and what paces one network paces its relatives.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "sim/analytic/stage_clock.h"

namespace bitline::analytic {

/// Doubles hold all whole femtoseconds up to twice this: a stream is the same whatever time it starts at.
inline constexpr Instant kExact = Instant{std::uint64_t{1} << 52};

/// Times of consecutive windows or pixels, after the first of them.
struct Stream {
  std::int64_t count;
  const Instant* times;  ///< [count]
};

/// A stream from a time on.
struct Times {
  const Stream* stream = nullptr;
  Instant first = 0;

  [[nodiscard]] Instant operator[](std::int64_t i) const { return first + stream->times[i]; }
  [[nodiscard]] Instant last() const { return (*this)[stream->count - 1]; }
  [[nodiscard]] Times later(Instant by) const { return {stream, first + by}; }
  friend bool operator==(const Times&, const Times&) = default;
};

/// The windows of a stage: when each no longer needs its inputs, and is made.
struct StageRun {
  Times released, made;
  StageTimes times;

  [[nodiscard]] StageRun later(Instant by) const;
};

/// What something follows from: 128 bits made of all words of it.
class Words {
 public:
  void add(std::uint64_t word) {
    a_ = (a_ ^ word) * 0x9E3779B97F4A7C15U;
    a_ ^= a_ >> 32;
    b_ = (b_ ^ std::rotl(word, 32)) * 0xC2B2AE3D27D4EB4FU;
    b_ ^= b_ >> 29;
  }
  void add(Instant time) { add(std::bit_cast<std::uint64_t>(time)); }
  void add(const Stream* stream) { add(std::uint64_t{reinterpret_cast<std::uintptr_t>(stream)}); }
  [[nodiscard]] std::size_t hash() const { return static_cast<std::size_t>(a_ ^ b_ >> 32); }
  friend bool operator==(const Words&, const Words&) = default;

 private:
  std::uint64_t a_ = 1, b_ = 2;
};

/// Values by what they follow from: at least one word. Each has one place, and may drive another away.
template <class Value>
class Memo {
 public:
  /// Null where it is not known.
  [[nodiscard]] const Value* find(const Words& words) const {
    const Slot& slot = slots_[words.hash() & (slots_.size() - 1)];
    return slot.words == words ? &slot.value : nullptr;
  }
  void add(const Words& words, const Value& value) {
    if (2 * ++added_ > slots_.size() && slots_.size() < kMost) grow();
    slots_[words.hash() & (slots_.size() - 1)] = {words, value};
  }
  void clear() {
    std::fill(slots_.begin(), slots_.end(), Slot{});
    added_ = 0;
  }

 private:
  static constexpr std::size_t kFewest = std::size_t{1} << 8, kMost = std::size_t{1} << 15;
  struct Slot {
    Words words;  ///< of no word: empty
    Value value;
  };
  void grow() {
    const std::vector<Slot> before = std::exchange(slots_, std::vector<Slot>(4 * slots_.size()));
    for (const Slot& slot : before)
      if (slot.words != Words()) slots_[slot.words.hash() & (slots_.size() - 1)] = slot;
  }
  std::vector<Slot> slots_ = std::vector<Slot>(kFewest);
  std::size_t added_ = 0;
};

/// Arrays that are given back all at once; 16 MiB of their memory are used again.
class Arrays {
 public:
  /// Room for `count` times, where take() did not take it: the same as before.
  [[nodiscard]] Instant* room(std::size_t count);
  void take(std::size_t count) { used_ += count; }
  void give_back();

 private:
  struct Block {
    std::size_t size;
    std::unique_ptr<Instant[]> times;
  };
  std::vector<Block> blocks_;
  std::size_t block_ = 0, used_ = 0;  ///< the one that is filled, and how far
};

/// For one thread at a time.
class KnownTimes {
 public:
  /// Of these times; equal ones have the same stream, until all are forgotten.
  [[nodiscard]] Times keep(const Instant* times, std::int64_t count);

  // See StageRuns. Times count from the first of what they follow from.
  Memo<Times> inputs, places;
  Memo<bool> held_up;
  Memo<StageRun> runs;

  /// Memory for `size` times, until the next call.
  [[nodiscard]] Instant* scratch(std::size_t size);

  /// Forgets all, where that is more than about 20 MiB.
  void forget_if_full();

 private:
  Memo<const Stream*> by_times_;
  std::deque<Stream> streams_;
  Arrays arrays_;         ///< of the streams
  std::size_t kept_ = 0;  ///< times in them
  std::unique_ptr<Instant[]> scratch_;
  std::size_t scratch_size_ = 0;
};

/// Times that nobody else uses as long as this lives; what they know stays for the next one.
class BorrowedTimes {
 public:
  BorrowedTimes();
  ~BorrowedTimes();
  BorrowedTimes(const BorrowedTimes&) = delete;
  BorrowedTimes& operator=(const BorrowedTimes&) = delete;
  [[nodiscard]] KnownTimes& operator*() const { return *known_; }
  [[nodiscard]] KnownTimes* operator->() const { return known_.get(); }

 private:
  std::unique_ptr<KnownTimes> known_;
};

}  // namespace bitline::analytic
