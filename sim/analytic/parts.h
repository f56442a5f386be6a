// SPDX-License-Identifier: Apache-2.0
// The contended parts of a chip: what one window keeps each of them busy with, and what all windows of an
// image do together.
#pragma once

#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <vector>

#include "models/arch/arch.h"
#include "models/noc/topology.h"

namespace bitline::analytic {

/// Times are femtoseconds in doubles: whole numbers, exact up to nine seconds.
using Instant = double;

/// The first edge at or after `t` of a clock of period `p`; p = 0: self-timed. Exact: a quotient of whole
/// numbers that doubles hold is rounded to a whole one only where it is one.
[[nodiscard]] inline Instant align_up(Instant t, Instant p) {
  if (p <= 0) return t;
  const double edge = t / p;
  const auto below = static_cast<double>(static_cast<std::int64_t>(edge));  // of times that are not negative
  return (below < edge ? below + 1 : below) * p;
}

enum class Part : int { edram, bus, shift_add, activation, pooling, elementwise, requantise, count_ };
inline constexpr int kTileParts = static_cast<int>(Part::count_);

/// Serves one window at a time on parts that are free at its start: how long after each other do things
/// happen. All that is served is also added up.
class Parts {
 public:
  explicit Parts(const arch::Arch& arch);

  /// From here on all parts are free at time 0, and what is served happens `times` times an image, for
  /// `stage`.
  void start_window(double times);
  /// The end of a service of `occupied` asked for at `at`, latency included.
  Instant serve(int tile, Part part, Instant at, Instant occupied);
  /// Bytes read from eDRAM over the bus into an IMA.
  Instant fill(int tile, Instant at, std::int64_t bytes);
  Instant drain(int tile, Instant at, std::int64_t bits);
  Instant edram(int tile, Instant at, std::int64_t bytes);
  /// A packet between tiles, or from or to the chip link (noc::kChipLink): its last flit's end.
  Instant send(int from, int to, Instant at, std::int64_t bits);
  [[nodiscard]] std::int64_t flit_hops(int from, int to, std::int64_t bits) const;
  Instant link(Instant at, std::int64_t bytes);

  /// The busiest part of the windows since start_window(): how long it is busy with one.
  [[nodiscard]] Instant busiest_of_window() const { return busiest_; }

  /// A part that a window keeps busy.
  struct Load {
    std::size_t part = 0;  ///< index in use()
    Instant busy = 0;
  };
  using Loads = boost::container::small_vector<Load, 8>;
  /// All parts of the windows since start_window().
  [[nodiscard]] Loads loads() const;

  struct Use {
    Instant busy = 0;  ///< per image
    double uses = 0;   ///< per image
  };
  /// By part: [tile * kTileParts + part], then the mesh's links [router * ports + port], then the chip link.
  [[nodiscard]] const std::vector<Use>& use() const { return use_; }
  [[nodiscard]] std::size_t first_mesh_link() const { return first_link_; }
  [[nodiscard]] const arch::Arch& arch() const { return arch_; }

 private:
  struct Slot {
    Instant free = 0;
    Instant busy = 0;  ///< of the window
    std::uint64_t window = 0;
  };
  Slot& slot(std::size_t part);
  void account(std::size_t part, Instant occupied);

  const arch::Arch& arch_;
  noc::Topology topology_;
  Instant period_[kTileParts];
  Instant latency_[kTileParts];
  Instant flit_, hop_;
  std::size_t first_link_;
  std::vector<Slot> slots_;  ///< as use_, then the ways into the mesh [tile + 1]
  std::vector<Use> use_;
  std::vector<std::size_t> touched_;  ///< parts of the window
  std::uint64_t window_ = 0;
  double times_ = 0;
  Instant busiest_ = 0;
};

}  // namespace bitline::analytic
