// SPDX-License-Identifier: Apache-2.0
#include "sim/analytic/stage_probe.h"

#include <algorithm>
#include <cmath>

#include "models/base/errors.h"

namespace bitline::analytic {
namespace {

using base::Action;
using place::StageKind;
using place::Window;

std::size_t at(int i) {
  return static_cast<std::size_t>(i);
}

Instant fs(base::Time time) {
  return static_cast<Instant>(time.fs());
}

/// Part `part` of `total`, in proportion to `weights` (as the cycle-level chip shares out pixels).
std::int64_t share(std::int64_t total, std::int64_t before, std::int64_t weight, std::int64_t sum) {
  return total * (before + weight) / sum - total * before / sum;
}

struct UnitOf {
  Part part;
  Action action;
};
UnitOf unit_of(place::Unit unit) {
  switch (unit) {
    case place::Unit::activation:
      return {Part::activation, Action::activation};
    case place::Unit::pooling:
      return {Part::pooling, Action::pooling};
    case place::Unit::elementwise:
      return {Part::elementwise, Action::elementwise};
    case place::Unit::requantise:
      return {Part::requantise, Action::requantise};
    case place::Unit::none:
      break;
  }
  BITLINE_CHECK(false);
  return {};
}

class Prober {
 public:
  Prober(const place::Program& program, const arch::Arch& arch, const std::vector<cycle::LayerSource>& layers,
         Parts& parts)
      : program_(program), arch_(arch), layers_(layers), parts_(parts) {}

  PipelineModel run() {
    model_.edges.resize(program_.edges.size());
    for (std::size_t e = 0; e < program_.edges.size(); ++e) {
      const place::Edge& edge = program_.edges[e];
      model_.edges[e] = {&edge, place::window_table(edge.window, program_.stages[at(edge.consumer)].pixels),
                         0};
    }
    model_.stages.reserve(program_.stages.size());
    for (const place::Stage& stage : program_.stages) {
      model_.stages.push_back({});
      StageModel& m = model_.stages.back();
      m.stage = &stage;
      arrivals_.assign(stage.outputs.size(), {});
      switch (stage.kind) {
        case StageKind::crossbar:
          probe_layer(m);
          break;
        case StageKind::digital:
          probe_digital(m);
          break;
        case StageKind::input:
          probe_input(m);
          break;
        case StageKind::output:
          probe_output(m);
          break;
      }
      settle_edges(m);
    }
    return std::move(model_);
  }

 private:
  /// A place where pixels of a stage are made: a join, or the tile of a digital part.
  struct Source {
    int tile;
    std::int64_t before, weight, sum;  ///< its part of each pixel
    Instant ready;
  };

  // --- crossbar layers
  // --------------------------------------------------------------------------------------

  void probe_layer(StageModel& m) {
    m.layer = &program_.layers[at(m.stage->layer)];
    const cycle::LayerSource& source = layers_[at(m.stage->layer)];
    const int replicas = m.layer->replicas;
    m.replicas.resize(at(replicas));
    const double times = static_cast<double>(m.layer->windows) / replicas;
    for (const place::ImaPart& part : m.layer->imas) join_pace(m.ima, ima_pace(part, source, arch_));
    imas_.resize(std::max(imas_.size(), at(replicas)));
    for (auto& imas : imas_) imas.clear();
    for (std::size_t i = 0; i < m.layer->imas.size(); ++i) imas_[at(m.layer->imas[i].replica)].push_back(i);
    for (int q = 0; q < replicas; ++q) {
      Replica& replica = m.replicas[at(q)];
      fill(*m.layer, imas_[at(q)], times, replica);
      m.fill_pace = std::max(m.fill_pace, parts_.busiest_of_window());
      replica.fill_loads = parts_.loads();
      drain_and_join(*m.layer, imas_[at(q)], times, replica);
      finish(m, q, replica);
    }
    m.fill_pace = std::round(m.fill_pace / replicas);
    m.pace = std::round(m.pace / replicas);
  }

  static void join_pace(ImaPace& longest, const ImaPace& pace) {
    longest.first_read = std::max(longest.first_read, pace.first_read);
    longest.tail = std::max(longest.tail, pace.tail);
    longest.convert = std::max(longest.convert, pace.convert);
    longest.adc = std::max(longest.adc, pace.adc);
    longest.held = std::max(longest.held, pace.held);
  }

  void fill(const place::LayerPlacement& layer, const std::vector<std::size_t>& imas, double times,
            Replica& replica) {
    parts_.start_window(times);
    for (const std::size_t i : imas) {
      const place::ImaPart& part = layer.imas[i];
      replica.fill = std::max(replica.fill, parts_.fill(part.tile, 0, part.input_bytes));
      replica.actions[Action::edram_read] += memory::accesses(arch_.tile.edram, part.input_bytes);
      replica.actions[Action::bus_transfer] += part.input_bytes * 8;
      replica.actions[Action::input_register_write] += part.input_bytes;
      replica.actions[Action::input_register_read] += register_read_bytes(part, layers_[at(layer_of(layer))]);
    }
  }
  [[nodiscard]] int layer_of(const place::LayerPlacement& layer) const {
    return program_.stages[at(layer.stage)].layer;
  }
  static std::int64_t register_read_bytes(const place::ImaPart& part, const cycle::LayerSource& source) {
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

  void drain_and_join(const place::LayerPlacement& layer, const std::vector<std::size_t>& imas, double times,
                      Replica& replica) {
    parts_.start_window(times);
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
        joined = std::max(joined, to == part.tile ? drained : send(part.tile, to, drained, moved, replica));
      }
    }
    sources_.clear();
    const int q = layer.imas[imas.front()].replica;
    std::int64_t sum = 0;
    for (const place::Join& join : layer.joins) sum += join.replica == q ? join.outputs : 0;
    std::int64_t before = 0;
    for (std::size_t j = 0; j < layer.joins.size(); ++j) {
      const place::Join& join = layer.joins[j];
      if (join.replica != q) continue;
      sources_.push_back({join.tile, before, join.outputs, sum, add(join, joined_[j], replica)});
      before += join.outputs;
    }
  }

  Instant add(const place::Join& join, Instant ready, Replica& replica) {
    const std::int64_t additions = std::int64_t{join.parts - 1} * join.outputs;
    replica.actions[Action::tile_output_register] +=
        (std::int64_t{join.outputs} * arch_.ima.output_bits + 7) / 8;
    if (additions > 0) {
      replica.actions[Action::tile_shift_add] += additions;
      ready = parts_.serve(join.tile, Part::shift_add, ready,
                           fs(periphery::occupancy(arch_.tile.shift_add, additions)));
    }
    return ready + fs(arch_.tile.output_register.latency);
  }

  // --- other stages
  // -----------------------------------------------------------------------------------------

  void probe_digital(StageModel& m) {
    m.replicas.resize(1);
    const auto parts = static_cast<std::int64_t>(m.stage->tiles.size());
    const bool absorbs = probe_reads(m);
    parts_.start_window(static_cast<double>(m.stage->pixels));
    sources_.clear();
    for (std::int64_t part = 0; part < parts; ++part)
      sources_.push_back({m.stage->tiles[static_cast<std::size_t>(part)], part, 1, parts, 0});
    finish(m, 0, m.replicas[0], absorbs);
  }

  /// Reads of the windows; true where pixels are accumulated as they come.
  bool probe_reads(StageModel& m) {
    bool absorbs = false, varies = false;
    for (const place::EdgeId e : m.stage->inputs) {
      const Window::Kind kind = program_.edges[at(e)].window.kind;
      absorbs |= kind == Window::Kind::reduce;
      varies |= kind != Window::Kind::reduce && kind != Window::Kind::pixelwise;
    }
    const std::int64_t pixels = varies ? m.stage->pixels : 1;
    const double times = static_cast<double>(m.stage->pixels) / static_cast<double>(pixels);
    m.read.assign(static_cast<std::size_t>(pixels), 0);
    Instant longest = 0;
    const std::vector<Reads> different = different_reads(*m.stage, pixels);
    std::vector<Instant> taken(different.size(), 0);
    for (std::size_t d = 0; d < different.size(); ++d) {
      const Reads& reads = different[d];
      parts_.start_window(times * static_cast<double>(reads.windows));
      for (std::size_t part = 0; part < m.stage->tiles.size(); ++part) {
        const std::int64_t bytes = read_bytes(*m.stage, part, reads.pixel);
        if (bytes == 0) continue;
        m.reads[Action::edram_read] +=
            memory::accesses(arch_.tile.edram, bytes) * (m.stage->pixels / pixels) * reads.windows;
        taken[d] = std::max(taken[d], parts_.edram(m.stage->tiles[part], 0, bytes));
      }
      if (parts_.busiest_of_window() > longest) {
        longest = parts_.busiest_of_window();
        m.read_loads = parts_.loads();
      }
    }
    for (std::size_t j = 0; j < m.read.size(); ++j) m.read[j] = taken[read_of_pixel_[j]];
    if (absorbs) probe_absorbing(m);
    return absorbs;
  }

  /// Windows that read the same.
  struct Reads {
    std::int64_t pixel = 0;  ///< of the first of them
    std::int64_t windows = 0;
  };
  /// In the order of their first windows; and which of them each pixel's is, in read_of_pixel_.
  std::vector<Reads> different_reads(const place::Stage& stage, std::int64_t pixels) {
    if (pixels == 1) {
      read_of_pixel_.assign(1, 0);
      return {{0, 1}};
    }
    std::vector<const std::int32_t*> varying;
    for (const place::EdgeId e : stage.inputs) {
      const std::vector<std::int32_t>& taken = model_.edges[at(e)].window->taken;
      if (!reduces(e) && !taken.empty()) varying.push_back(taken.data());
    }
    const auto same = [&varying](std::int64_t a, std::int64_t b) {
      return std::all_of(varying.begin(), varying.end(),
                         [=](const std::int32_t* taken) { return taken[a] == taken[b]; });
    };
    std::vector<Reads> found;  // few: windows differ at the borders
    std::size_t last = 0;
    read_of_pixel_.resize(static_cast<std::size_t>(pixels));
    for (std::int64_t j = 0; j < pixels; ++j) {
      if (j == 0 || !same(j, j - 1)) {
        const auto known = std::find_if(found.begin(), found.end(),
                                        [&](const Reads& reads) { return same(j, reads.pixel); });
        last = static_cast<std::size_t>(known - found.begin());
        if (known == found.end()) found.push_back({j, 0});
      }
      ++found[last].windows;
      read_of_pixel_[static_cast<std::size_t>(j)] = last;
    }
    return found;
  }

  [[nodiscard]] bool reduces(place::EdgeId e) const {
    return program_.edges[at(e)].window.kind == Window::Kind::reduce;
  }

  [[nodiscard]] std::int64_t read_bytes(const place::Stage& stage, std::size_t part, std::int64_t j) const {
    std::int64_t bytes = 0;
    for (const place::EdgeId e : stage.inputs) {
      if (reduces(e)) continue;
      const std::vector<std::int32_t>& taken = model_.edges[at(e)].window->taken;
      bytes += (taken.empty() ? 1 : taken[static_cast<std::size_t>(j)]) *
               program_.edges[at(e)].deliveries.at(part).pixel_bytes;
    }
    return bytes;
  }

  /// Global pooling: its pixels are read and its first work is done one by one.
  void probe_absorbing(StageModel& m) {
    const auto parts = static_cast<std::int64_t>(m.stage->tiles.size());
    for (const place::EdgeId e : m.stage->inputs) {
      if (!reduces(e)) continue;
      const place::Edge& edge = program_.edges[at(e)];
      const std::int64_t pixels = program_.stages[at(edge.producer)].pixels;
      parts_.start_window(static_cast<double>(pixels));
      for (std::int64_t part = 0; part < parts; ++part) {
        const int tile = edge.deliveries[static_cast<std::size_t>(part)].tile;
        const std::int64_t bytes = edge.deliveries[static_cast<std::size_t>(part)].pixel_bytes;
        m.reads[Action::edram_read] += memory::accesses(arch_.tile.edram, bytes) * pixels;
        m.absorb = std::max(m.absorb, fs(memory::occupancy(arch_.tile.edram, bytes)));
        m.absorb_latency = std::max(m.absorb_latency, parts_.edram(tile, 0, bytes));
        accumulate(m, part, parts, pixels);
      }
    }
  }

  void accumulate(StageModel& m, std::int64_t part, std::int64_t parts, std::int64_t pixels) {
    for (const place::UnitWork& work : m.stage->work) {
      const std::int64_t elements = share(work.elements, part, 1, parts);
      if (work.unit == place::Unit::none || elements == 0) continue;
      const UnitOf unit = unit_of(work.unit);
      const std::int64_t each = std::max<std::int64_t>(1, elements / pixels);
      const int tile = m.stage->tiles[static_cast<std::size_t>(part)];
      const Instant occupied = unit_time(unit.part, each);
      m.reads[unit.action] += elements;
      m.accumulate = std::max(m.accumulate, occupied);
      m.accumulate_latency = std::max(m.accumulate_latency, parts_.serve(tile, unit.part, 0, occupied));
      return;
    }
  }

  void probe_input(StageModel& m) {
    m.replicas.resize(1);
    parts_.start_window(static_cast<double>(m.stage->pixels));
    m.read = {parts_.link(0, m.stage->pixel_bytes)};
    m.replicas[0].actions[Action::chip_link_byte] += m.stage->pixel_bytes;
    sources_ = {{noc::kChipLink, 0, 1, 1, 0}};
    finish(m, 0, m.replicas[0]);
  }

  void probe_output(StageModel& m) {
    m.replicas.resize(1);
    parts_.start_window(static_cast<double>(m.stage->pixels));
    m.read = {parts_.link(0, m.stage->pixel_bytes)};
    m.replicas[0].actions[Action::chip_link_byte] += m.stage->pixel_bytes;
  }

  // --- work and delivery
  // ------------------------------------------------------------------------------------

  Instant send(int from, int to, Instant ready, std::int64_t bits, Replica& replica) {
    replica.actions[Action::router_flit] += parts_.flit_hops(from, to, bits);
    return parts_.send(from, to, ready, bits);
  }

  [[nodiscard]] Instant unit_time(Part part, std::int64_t elements) const {
    switch (part) {
      case Part::activation:
        return fs(digital::occupancy(arch_.tile.activation, elements));
      case Part::pooling:
        return fs(digital::occupancy(arch_.tile.pooling, elements));
      case Part::elementwise:
        return fs(digital::occupancy(arch_.tile.elementwise, elements));
      default:
        return fs(digital::occupancy(arch_.tile.requantise, elements));
    }
  }

  /// The digital work of every source and its shares to the consumers' buffers.
  void finish(StageModel& m, int q, Replica& replica, bool first_is_done = false) {
    std::size_t done = 0;
    for (const place::UnitWork& work : m.stage->work) {
      if (work.unit == place::Unit::none) continue;
      if (first_is_done && done++ == 0) continue;
      const UnitOf unit = unit_of(work.unit);
      for (Source& source : sources_) {
        const std::int64_t elements = share(work.elements, source.before, source.weight, source.sum);
        if (elements == 0) continue;
        replica.actions[unit.action] += elements;
        source.ready = parts_.serve(source.tile, unit.part, source.ready, unit_time(unit.part, elements));
      }
    }
    std::stable_sort(sources_.begin(), sources_.end(),
                     [](const Source& a, const Source& b) { return a.ready < b.ready; });
    for (auto& arrivals : arrivals_) arrivals.push_back(0);
    for (const Source& source : sources_) deliver(m, source, at(q), replica);
    m.pace = std::max(m.pace, parts_.busiest_of_window());
    replica.deliver_loads = parts_.loads();
  }

  void deliver(const StageModel& m, const Source& source, std::size_t q, Replica& replica) {
    for (std::size_t o = 0; o < m.stage->outputs.size(); ++o) {
      const place::Edge& edge = program_.edges[at(m.stage->outputs[o])];
      const bool leaves = program_.stages[at(edge.consumer)].kind == StageKind::output;
      Instant& arrival = arrivals_[o][q];
      for (const place::Delivery& delivery : edge.deliveries) {
        const std::int64_t bytes = share(delivery.pixel_bytes, source.before, source.weight, source.sum);
        Instant end = source.ready;
        if (bytes > 0) {
          const int to = leaves ? noc::kChipLink : delivery.tile;
          if (to != source.tile || source.tile == noc::kChipLink)
            end = send(source.tile, to, end, bytes * 8, replica);
          if (!leaves) {
            replica.actions[Action::edram_write] += memory::accesses(arch_.tile.edram, bytes);
            end = parts_.edram(delivery.tile, end, bytes);
          }
        }
        arrival = std::max(arrival, end);
      }
    }
  }

  /// Delays of the edges beyond the earliest, per replica; the longest over the replicas.
  void settle_edges(StageModel& m) {
    for (std::size_t q = 0; q < m.replicas.size() && !arrivals_.empty(); ++q) {
      Instant first = arrivals_.front().at(q);
      for (const auto& arrivals : arrivals_) first = std::min(first, arrivals.at(q));
      m.replicas[q].deliver = first;
      for (std::size_t o = 0; o < arrivals_.size(); ++o) {
        Instant& delay = model_.edges[at(m.stage->outputs[o])].delay;
        delay = std::max(delay, arrivals_[o].at(q) - first);
      }
    }
  }

  const place::Program& program_;
  const arch::Arch& arch_;
  const std::vector<cycle::LayerSource>& layers_;
  Parts& parts_;
  PipelineModel model_;
  std::vector<Instant> joined_;
  std::vector<Source> sources_;
  std::vector<std::vector<std::size_t>> imas_;  ///< [replica] of the layer that is probed: in its `imas`
  std::vector<std::size_t> read_of_pixel_;      ///< of the stage that is probed
  std::vector<std::vector<Instant>> arrivals_;  ///< [output edge][replica]
};

}  // namespace

PipelineModel probe(const place::Program& program, const arch::Arch& arch,
                    const std::vector<cycle::LayerSource>& layers, Parts& parts) {
  return Prober(program, arch, layers, parts).run();
}

}  // namespace bitline::analytic
