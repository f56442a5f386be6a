// SPDX-License-Identifier: Apache-2.0
#include "sim/analytic/stage_probe.h"

#include <algorithm>
#include <cmath>

#include "sim/analytic/layer_probe.h"
#include "sim/analytic/read_probe.h"
#include "sim/analytic/sources.h"

namespace bitline::analytic {
namespace {

using base::Action;
using place::StageKind;

std::size_t at(int i) {
  return static_cast<std::size_t>(i);
}

class Prober {
 public:
  Prober(const place::Program& program, const arch::Arch& arch, const std::vector<cycle::LayerSource>& layers,
         Parts& parts)
      : program_(program),
        arch_(arch),
        parts_(parts),
        layers_(program, arch, layers, parts),
        reads_(program, arch, parts) {}

  PipelineModel run() {
    model_.edges.reserve(program_.edges.size());
    for (const place::Edge& edge : program_.edges) model_.edges.push_back({&edge, 0});
    model_.stages.reserve(program_.stages.size());
    for (const place::Stage& stage : program_.stages) {
      StageModel& m = model_.stages.emplace_back();
      m.stage = &stage;
      switch (stage.kind) {
        case StageKind::crossbar:
          probe_layer(m);
          break;
        case StageKind::digital:
          probe_digital(m);
          break;
        case StageKind::input:
          probe_link(m);
          sources_ = {{noc::kChipLink, 0, 1, 1, 0}};
          finish(m, m.replicas[0]);
          break;
        case StageKind::output:
          probe_link(m);
          break;
      }
    }
    return std::move(model_);
  }

 private:
  void probe_layer(StageModel& m) {
    layers_.start(m);
    for (int q = 0; q < m.layer->replicas; ++q) {
      sources_.clear();
      layers_.probe_copy(m, q, sources_);
      finish(m, m.replicas[at(q)]);
    }
    m.fill_pace = std::round(m.fill_pace / m.layer->replicas);
    m.pace = std::round(m.pace / m.layer->replicas);
  }

  void probe_digital(StageModel& m) {
    m.replicas.resize(1);
    const bool absorbs = reads_.probe(m);
    parts_.start_window(static_cast<double>(m.stage->pixels));
    sources_.clear();
    for (const int tile : m.stage->tiles)
      sources_.push_back({tile, std::ssize(sources_), 1, std::ssize(m.stage->tiles), 0});
    finish(m, m.replicas[0], absorbs);
  }

  /// A pixel over the chip link.
  void probe_link(StageModel& m) {
    m.replicas.resize(1);
    parts_.start_window(static_cast<double>(m.stage->pixels));
    m.read = {parts_.link(0, m.stage->pixel_bytes)};
    m.replicas[0].actions[Action::chip_link_byte] += m.stage->pixel_bytes;
  }

  /// The digital work of every source and its shares to the consumers' buffers.
  void finish(StageModel& m, Replica& replica, bool first_is_done = false) {
    std::size_t done = 0;
    for (const place::UnitWork& work : m.stage->work) {
      if (work.unit == place::Unit::none) continue;
      if (first_is_done && done++ == 0) continue;
      const UnitPart unit = part_of(work.unit);
      for (Source& source : sources_) {
        const std::int64_t elements = share(work.elements, source.before, source.weight, source.sum);
        if (elements == 0) continue;
        replica.actions[unit.action] += elements;
        source.ready =
            parts_.serve(source.tile, unit.part, source.ready, unit_time(arch_.tile, unit.part, elements));
      }
    }
    const auto earlier = [](const Source& a, const Source& b) { return a.ready < b.ready; };
    if (!std::is_sorted(sources_.begin(), sources_.end(), earlier))
      std::stable_sort(sources_.begin(), sources_.end(), earlier);
    deliver(m, replica);
    m.pace = std::max(m.pace, parts_.busiest_of_window());
    replica.deliver_loads = parts_.loads();
  }

  /// Delays of the edges are those beyond the earliest; the longest over the copies.
  void deliver(const StageModel& m, Replica& replica) {
    place::Few<Instant, 4> arrivals(m.stage->outputs.size(), 0);
    for (const Source& source : sources_) {
      for (std::size_t o = 0; o < arrivals.size(); ++o)
        arrivals[o] = std::max(arrivals[o], arrival(m.stage->outputs[o], source, replica));
    }
    if (arrivals.empty()) return;
    replica.deliver = *std::min_element(arrivals.begin(), arrivals.end());
    for (std::size_t o = 0; o < arrivals.size(); ++o) {
      Instant& delay = model_.edges[at(m.stage->outputs[o])].delay;
      delay = std::max(delay, arrivals[o] - replica.deliver);
    }
  }

  /// Of a source's share of a pixel in the last of an edge's buffers.
  Instant arrival(place::EdgeId e, const Source& source, Replica& replica) {
    const place::Edge& edge = program_.edges[at(e)];
    const bool leaves = program_.stages[at(edge.consumer)].kind == StageKind::output;
    Instant last = 0;
    for (const place::Delivery& delivery : edge.deliveries) {
      const std::int64_t bytes = share(delivery.pixel_bytes, source.before, source.weight, source.sum);
      Instant end = source.ready;
      if (bytes > 0) {
        const int to = leaves ? noc::kChipLink : delivery.tile;
        if (to != source.tile || source.tile == noc::kChipLink)
          end = send(parts_, source.tile, to, end, bytes * 8, replica);
        if (!leaves) {
          replica.actions[Action::edram_write] += memory::accesses(arch_.tile.edram, bytes);
          end = parts_.edram(delivery.tile, end, bytes);
        }
      }
      last = std::max(last, end);
    }
    return last;
  }

  const place::Program& program_;
  const arch::Arch& arch_;
  Parts& parts_;
  LayerProbe layers_;
  ReadProbe reads_;
  PipelineModel model_;
  Sources sources_;  ///< of the stage that is probed
};

}  // namespace

PipelineModel probe(const place::Program& program, const arch::Arch& arch,
                    const std::vector<cycle::LayerSource>& layers, Parts& parts) {
  return Prober(program, arch, layers, parts).run();
}

}  // namespace bitline::analytic
