// SPDX-License-Identifier: Apache-2.0
#include "sim/analytic/parts.h"

#include <algorithm>
#include <cmath>

namespace bitline::analytic {
namespace {

Instant fs(base::Time time) {
  return static_cast<Instant>(time.fs());
}

Instant period_of(base::Frequency clock) {
  return fs(base::period(clock));
}

}  // namespace

Parts::Parts(const arch::Arch& arch)
    : arch_(arch),
      topology_(arch.chip.tiles, arch.chip.mesh_width, arch.noc.tiles_per_router),
      flit_(period_of(arch.noc.clock)),
      hop_(fs(noc::hop_latency(arch.noc))) {
  const tile::TileParams& t = arch.tile;
  const auto set = [&](Part part, Instant period, base::Time latency) {
    period_[static_cast<int>(part)] = period;
    latency_[static_cast<int>(part)] = fs(latency);
  };
  set(Part::edram, period_of(t.edram.clock), t.edram.latency);
  set(Part::bus, period_of(t.bus.clock), {});
  set(Part::shift_add, period_of(t.shift_add.rate), t.shift_add.latency);
  set(Part::activation, period_of(t.activation.clock), t.activation.latency);
  set(Part::pooling, period_of(t.pooling.clock), t.pooling.latency);
  set(Part::elementwise, period_of(t.elementwise.clock), t.elementwise.latency);
  set(Part::requantise, period_of(t.requantise.clock), t.requantise.latency);
  const auto tiles = static_cast<std::size_t>(arch.chip.tiles);
  first_link_ = tiles * kTileParts;
  use_.resize(first_link_ +
              static_cast<std::size_t>(topology_.routers()) * static_cast<std::size_t>(topology_.ports()) +
              1);
  slots_.resize(use_.size() + tiles + 1);
}

void Parts::start_window(double times) {
  ++window_;
  touched_.clear();
  times_ = times;
  busiest_ = 0;
}

Parts::Slot& Parts::slot(std::size_t part) {
  Slot& s = slots_[part];
  if (s.window != window_) s = {0, 0, window_};
  return s;
}

void Parts::account(std::size_t part, Instant occupied) {
  Slot& s = slots_[part];
  if (s.busy == 0) touched_.push_back(part);
  s.busy += occupied;
  busiest_ = std::max(busiest_, s.busy);
  use_[part].busy += occupied * times_;
  use_[part].uses += times_;
}

Parts::Loads Parts::loads() const {
  Loads loads;
  loads.reserve(touched_.size());
  for (const std::size_t part : touched_) loads.push_back({part, slots_[part].busy});
  return loads;
}

Instant Parts::serve(int tile, Part part, Instant at, Instant occupied) {
  const auto p = static_cast<std::size_t>(part);
  const std::size_t index = static_cast<std::size_t>(tile) * kTileParts + p;
  Slot& s = slot(index);
  s.free = align_up(std::max(at, s.free), period_[p]) + occupied;
  account(index, occupied);
  return s.free + latency_[p];
}

Instant Parts::fill(int tile, Instant at, std::int64_t bytes) {
  const std::size_t first = static_cast<std::size_t>(tile) * kTileParts;
  const Instant both_free = std::max({at, slot(first + static_cast<std::size_t>(Part::edram)).free,
                                      slot(first + static_cast<std::size_t>(Part::bus)).free});
  const Instant read = edram(tile, both_free, bytes);
  const Instant moved = drain(tile, both_free, bytes * 8);
  return std::max(read, moved + latency_[static_cast<int>(Part::edram)]);
}

Instant Parts::drain(int tile, Instant at, std::int64_t bits) {
  return serve(tile, Part::bus, at, fs(memory::occupancy(arch_.tile.bus, bits)));
}

Instant Parts::edram(int tile, Instant at, std::int64_t bytes) {
  return serve(tile, Part::edram, at, fs(memory::occupancy(arch_.tile.edram, bytes)));
}

std::int64_t Parts::flit_hops(int from, int to, std::int64_t bits) const {
  const auto router = [&](int end) { return topology_.router_of(end == noc::kChipLink ? 0 : end); };
  return noc::flits(arch_.noc, bits) * topology_.hops(router(from), router(to));
}

Instant Parts::send(int from, int to, Instant at, std::int64_t bits) {
  const auto router = [&](int end) { return topology_.router_of(end == noc::kChipLink ? 0 : end); };
  const Instant occupied = flit_ * static_cast<Instant>(noc::flits(arch_.noc, bits));
  Slot& entry = slot(use_.size() + static_cast<std::size_t>(from + 1));
  Instant head = align_up(std::max(at, entry.free), flit_);
  entry.free = head + occupied;
  int here = router(from);
  const int last = router(to);
  for (;;) {
    const bool leaves = here == last;
    const int port =
        leaves ? (to == noc::kChipLink ? static_cast<int>(noc::Port::chip_link) : topology_.tile_port(to))
               : static_cast<int>(topology_.towards(here, last));
    const std::size_t index = first_link_ +
                              static_cast<std::size_t>(here) * static_cast<std::size_t>(topology_.ports()) +
                              static_cast<std::size_t>(port);
    Slot& way = slot(index);
    head = std::max(head, way.free);
    way.free = head + occupied;
    account(index, occupied);
    head += hop_;
    if (leaves) return head + occupied - flit_;
    here = topology_.neighbour(here, static_cast<noc::Port>(port));
  }
}

Instant Parts::link(Instant at, std::int64_t bytes) {
  const Instant occupied = fs(noc::occupancy(arch_.chip.link, bytes));
  Slot& s = slot(use_.size() - 1);
  s.free = std::max(at, s.free) + occupied;
  account(use_.size() - 1, occupied);
  return s.free;
}

}  // namespace bitline::analytic
