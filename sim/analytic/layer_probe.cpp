// SPDX-License-Identifier: Apache-2.0
#include "sim/analytic/layer_probe.h"

#include <algorithm>

namespace bitline::analytic {
namespace {

using base::Action;

std::size_t at(int i) {
  return static_cast<std::size_t>(i);
}

void join_pace(ImaPace& longest, const ImaPace& pace) {
  longest.first_read = std::max(longest.first_read, pace.first_read);
  longest.tail = std::max(longest.tail, pace.tail);
  longest.convert = std::max(longest.convert, pace.convert);
  longest.adc = std::max(longest.adc, pace.adc);
  longest.held = std::max(longest.held, pace.held);
}

std::int64_t register_read_bytes(const place::ImaPart& part, const cycle::LayerSource& source) {
  std::int64_t bytes = 0;
  for (const place::CrossbarPart& crossbar : part.crossbars) {
    for (const place::Phase& phase : crossbar.phases) {
      const std::int64_t rows =
          std::int64_t{source.sliced->blocks[at(phase.block)].rows()} * phase.group_count;
      bytes += (rows * source.activation_bits + 7) / 8;
    }
  }
  return bytes;
}

}  // namespace

void LayerProbe::start(StageModel& m) {
  m.layer = &program_.layers[at(m.stage->layer)];
  m.replicas.resize(at(m.layer->replicas));
  imas_.resize(std::max(imas_.size(), m.replicas.size()));
  for (auto& imas : imas_) imas.clear();
  for (std::size_t i = 0; i < m.layer->imas.size(); ++i) imas_[at(m.layer->imas[i].replica)].push_back(i);
}

void LayerProbe::probe_copy(StageModel& m, int q, Sources& sources) {
  const double times = static_cast<double>(m.layer->windows) / m.layer->replicas;
  Replica& replica = m.replicas[at(q)];
  parts_.start_window(times);
  fill(m, imas_[at(q)], replica);
  m.fill_pace = std::max(m.fill_pace, parts_.busiest_of_window());
  replica.fill_loads = parts_.loads();
  parts_.start_window(times);
  drain(*m.layer, imas_[at(q)], replica);
  join(*m.layer, q, replica, sources);
}

const LayerProbe::ImaWork& LayerProbe::work_of(const place::ImaPart& part, const cycle::LayerSource& source) {
  const ImaKey key{part.crossbars.data(), source.sliced.get(), source.activation_bits,
                   source.activation_signed};
  const auto [known, is_new] = known_.try_emplace(key);
  if (is_new) known->second = {ima_pace(part, source, arch_), register_read_bytes(part, source)};
  return known->second;
}

void LayerProbe::fill(StageModel& m, const std::vector<std::size_t>& imas, Replica& replica) {
  for (const std::size_t i : imas) {
    const place::ImaPart& part = m.layer->imas[i];
    const ImaWork& work = work_of(part, layers_[at(m.stage->layer)]);
    join_pace(m.ima, work.pace);
    replica.fill = std::max(replica.fill, parts_.fill(part.tile, 0, part.input_bytes));
    replica.actions[Action::edram_read] += memory::accesses(arch_.tile.edram, part.input_bytes);
    replica.actions[Action::bus_transfer] += part.input_bytes * 8;
    replica.actions[Action::input_register_write] += part.input_bytes;
    replica.actions[Action::input_register_read] += work.register_bytes;
  }
}

void LayerProbe::drain(const place::LayerPlacement& layer, const std::vector<std::size_t>& imas,
                       Replica& replica) {
  joined_.assign(layer.joins.size(), 0);
  for (const std::size_t i : imas) {
    const place::ImaPart& part = layer.imas[i];
    const std::int64_t bits = std::int64_t{part.results()} * arch_.ima.output_bits;
    const Instant drained = parts_.drain(part.tile, 0, bits);
    replica.drain = std::max(replica.drain, drained);
    replica.actions[Action::bus_transfer] += bits;
    replica.actions[Action::output_register_write] += (bits + 7) / 8;
    replica.actions[Action::output_register_read] += (bits + 7) / 8;
    for (const place::Contribution& contribution : part.contributions) {
      const int to = layer.joins[at(contribution.join)].tile;
      Instant& joined = joined_[at(contribution.join)];
      const std::int64_t moved = std::int64_t{contribution.results} * arch_.ima.output_bits;
      const bool here = to == part.tile;
      joined = std::max(joined, here ? drained : send(parts_, part.tile, to, drained, moved, replica));
    }
  }
}

void LayerProbe::join(const place::LayerPlacement& layer, int q, Replica& replica, Sources& sources) {
  std::int64_t sum = 0;
  for (const place::Join& join : layer.joins) sum += join.replica == q ? join.outputs : 0;
  std::int64_t before = 0;
  for (std::size_t j = 0; j < layer.joins.size(); ++j) {
    const place::Join& join = layer.joins[j];
    if (join.replica != q) continue;
    sources.push_back({join.tile, before, join.outputs, sum, add(join, joined_[j], replica)});
    before += join.outputs;
  }
}

Instant LayerProbe::add(const place::Join& join, Instant ready, Replica& replica) {
  const std::int64_t additions = std::int64_t{join.parts - 1} * join.outputs;
  replica.actions[Action::tile_output_register] +=
      (std::int64_t{join.outputs} * arch_.ima.output_bits + 7) / 8;
  if (additions > 0) {
    replica.actions[Action::tile_shift_add] += additions;
    const base::Time occupied = periphery::occupancy(arch_.tile.shift_add, additions);
    ready = parts_.serve(join.tile, Part::shift_add, ready, static_cast<Instant>(occupied.fs()));
  }
  return ready + static_cast<Instant>(arch_.tile.output_register.latency.fs());
}

}  // namespace bitline::analytic
