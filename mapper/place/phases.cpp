// SPDX-License-Identifier: Apache-2.0
#include "mapper/place/phases.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "mapper/place/layout.h"
#include "mapper/place/programming.h"
#include "mapper/place/share_crossbars.h"

namespace bitline::place {
namespace {

std::size_t index(int id) {
  return static_cast<std::size_t>(id);
}

class Cutter {
 public:
  Cutter(const Program& whole, const Layers& layers, StageId first, StageId last)
      : whole_(whole), layers_(layers), first_(first), last_(last) {
    cut_.stream.graph = whole.graph;
    cut_.layers.most_copies = layers.most_copies;
  }

  Phased cut() {
    for (StageId s = first_; s < last_; ++s) {
      for (const EdgeId e : stage(s).inputs) {
        const StageId producer = whole_.edges[index(e)].producer;
        if (!inside(producer) && local_.count(producer) == 0) add_input(producer);
      }
    }
    for (StageId s = first_; s < last_; ++s) add_stage(s);
    // Inputs of the network that are outputs too: with the first phase.
    for (StageId s = 0; s < first_ && stage(first_ - 1).kind == StageKind::input; ++s) add_outputs(s);
    for (StageId s = first_; s < last_; ++s) add_outputs(s);
    share_crossbars(cut_.stream, cut_.layers.inputs);
    return std::move(cut_);
  }

 private:
  [[nodiscard]] const Stage& stage(StageId s) const { return whole_.stages[index(s)]; }
  [[nodiscard]] bool inside(StageId s) const { return s >= first_ && s < last_; }

  StageId add(Stage stage) {
    stage.inputs.clear();
    stage.outputs.clear();
    cut_.stream.stages.push_back(std::move(stage));
    return static_cast<StageId>(cut_.stream.stages.size()) - 1;
  }

  void add_input(StageId producer) {
    Stage input;
    input.kind = StageKind::input;
    input.stored = stage(producer).kind != StageKind::input;
    input.name = stage(producer).name + (input.stored ? ", loaded" : "");
    input.value = stage(producer).value;
    input.pixels = stage(producer).pixels;
    input.pixel_bytes = stage(producer).pixel_bytes;
    local_[producer] = add(std::move(input));
  }

  void add_stage(StageId s) {
    const StageId id = add(stage(s));
    local_[s] = id;
    for (const EdgeId e : stage(s).inputs) connect(whole_.edges[index(e)], id);
    if (stage(s).layer < 0) return;
    cut_.stream.stages[index(id)].layer = static_cast<LayerId>(cut_.stream.layers.size());
    cut_.stream.layers.push_back(whole_.layers[index(stage(s).layer)]);
    cut_.stream.layers.back().stage = id;
    LayerInput input = layers_.inputs[index(stage(s).layer)];
    const LayerId owner = input.shares < 0 ? stage(s).layer : input.shares;
    const auto [here, is_first] = owners_.emplace(owner, static_cast<LayerId>(cut_.stream.layers.size()) - 1);
    input.shares = is_first ? -1 : here->second;
    cut_.layers.inputs.push_back(std::move(input));
    cut_.layers.parts.push_back(layers_.parts[index(stage(s).layer)]);
  }

  /// To the network's outputs, and to where later phases find it.
  void add_outputs(StageId s) {
    bool later = false;
    for (const EdgeId e : stage(s).outputs) {
      const Edge& edge = whole_.edges[index(e)];
      const Stage& consumer = stage(edge.consumer);
      if (consumer.kind == StageKind::output) {
        if (local_.count(s) == 0) add_input(s);
        connect(edge, add(consumer));
      } else {
        later |= edge.consumer >= last_;
      }
    }
    if (!later || stage(s).kind == StageKind::input) return;
    Stage output;
    output.kind = StageKind::output;
    output.stored = true;
    output.name = stage(s).name + ", stored";
    output.value = stage(s).value;
    output.pixels = stage(s).pixels;
    output.pixel_bytes = stage(s).pixel_bytes;
    Edge edge;
    edge.producer = s;
    edge.window.in_w = edge.window.out_w = stage(s).pixels;
    connect(edge, add(std::move(output)));
  }

  /// The edge of the whole stream, to `consumer` of this one.
  void connect(Edge edge, StageId consumer) {
    const auto id = static_cast<EdgeId>(cut_.stream.edges.size());
    edge.producer = local_.at(edge.producer);
    edge.consumer = consumer;
    cut_.stream.stages[index(edge.producer)].outputs.push_back(id);
    cut_.stream.stages[index(consumer)].inputs.push_back(id);
    cut_.stream.edges.push_back(std::move(edge));
  }

  const Program& whole_;
  const Layers& layers_;
  StageId first_;
  StageId last_;
  Phased cut_;
  std::map<StageId, StageId> local_;   // of the whole stream, of this one
  std::map<LayerId, LayerId> owners_;  // of crossbars in the whole stream, their first user in this one
};

/// mapping.replicas of the layers [first, first + count).
arch::Arch with_replicas_of(const arch::Arch& arch, LayerId first, std::size_t count) {
  arch::Arch result = arch;
  std::vector<int>& replicas = result.mapping.replicas;
  if (replicas.size() > 1)
    replicas = {arch.mapping.replicas.begin() + first,
                arch.mapping.replicas.begin() + first + static_cast<std::ptrdiff_t>(count)};
  return result;
}

class PhaseFinder {
 public:
  PhaseFinder(const Program& whole, const arch::Arch& arch, const Layers& layers)
      : whole_(whole), arch_(arch), layers_(layers) {
    const auto body = [](const Stage& s) {
      return s.kind == StageKind::crossbar || s.kind == StageKind::digital;
    };
    const auto first = std::find_if(whole.stages.begin(), whole.stages.end(), body);
    begin_ = static_cast<StageId>(first - whole.stages.begin());
    end_ = static_cast<StageId>(std::find_if_not(first, whole.stages.end(), body) - whole.stages.begin());
  }

  std::vector<Program> find() {
    std::vector<Program> phases;
    for (StageId first = begin_; first < end_;) {
      StageId last = furthest(first);
      for (;;) {
        base::Problem problem;
        Phased phase = cut_phase(whole_, layers_, first, last);
        if (fits(phase, first, problem)) {
          phases.push_back(std::move(phase.stream));
          break;
        }
        last = shorter(first, last);
        if (last == first) throw base::MappingError(problem);
      }
      first = last;
    }
    return phases;
  }

 private:
  [[nodiscard]] std::int64_t imas() const { return std::int64_t{arch_.chip.tiles} * arch_.tile.imas; }

  [[nodiscard]] std::int64_t imas_of(LayerId l) const {
    const std::int64_t one = imas_of_copy(*layers_.parts[index(l)], arch_);
    if (arch_.mapping.replication != arch::Replication::per_layer) return one;
    const std::vector<int>& replicas = arch_.mapping.replicas;
    const std::int64_t asked = replicas.size() == 1 ? replicas[0] : replicas[index(l)];
    return one *
           std::clamp<std::int64_t>(asked, 1, std::max<std::int64_t>(whole_.layers[index(l)].windows, 1));
  }

  /// Where the IMAs end of a phase that starts with `first`.
  [[nodiscard]] StageId furthest(StageId first) const {
    std::set<LayerId> owners;
    std::int64_t left = imas();
    for (StageId s = first; s < end_; ++s) {
      const LayerId l = whole_.stages[index(s)].layer;
      if (l < 0) continue;
      const LayerId owner = layers_.inputs[index(l)].shares < 0 ? l : layers_.inputs[index(l)].shares;
      if (!owners.insert(owner).second) continue;
      left -= imas_of(l);
      if (left >= 0) continue;
      if (owners.size() == 1) throw base::MappingError(too_large(l));
      return s;
    }
    return end_;
  }

  [[nodiscard]] base::Problem too_large(LayerId l) const {
    return {whole_.layers[index(l)].name, "this layer alone needs " + std::to_string(imas_of(l)) + " IMAs",
            std::to_string(imas()) + " IMAs (" + std::to_string(arch_.chip.tiles) +
                " tiles): rows, groups and listed copies of a layer are not cut into phases",
            "use mapping.oversize=more_chips, or raise chip.tiles"};
  }

  bool fits(Phased& phase, StageId first, base::Problem& problem) const {
    LayerId layer = 0;
    for (StageId s = first; s > begin_; --s) layer += whole_.stages[index(s - 1)].layer >= 0 ? 1 : 0;
    return fit(phase.stream, 1, with_replicas_of(arch_, layer, phase.stream.layers.size()), phase.layers,
               problem);
  }

  /// Without the last layer and what follows it, or without the last stage; `first` if one is left.
  [[nodiscard]] StageId shorter(StageId first, StageId last) const {
    for (StageId s = last - 1; s > first; --s) {
      if (whole_.stages[index(s)].layer >= 0) return s;
    }
    return last - 1;
  }

  const Program& whole_;
  const arch::Arch& arch_;
  const Layers& layers_;
  StageId begin_ = 0;
  StageId end_ = 0;
};

/// Phases behind each other in one program.
Program joined(std::vector<Program> phases) {
  BITLINE_CHECK(!phases.empty());
  Program all;
  all.graph = phases.front().graph;
  std::set<int> tiles;
  for (std::size_t p = 0; p < phases.size(); ++p) {
    const auto stages = static_cast<StageId>(all.stages.size());
    const auto edges = static_cast<EdgeId>(all.edges.size());
    const auto layers = static_cast<LayerId>(all.layers.size());
    for (Stage& stage : phases[p].stages) {
      stage.phase = static_cast<int>(p);
      if (stage.layer >= 0) stage.layer += layers;
      for (EdgeId& e : stage.inputs) e += edges;
      for (EdgeId& e : stage.outputs) e += edges;
      tiles.insert(stage.tiles.begin(), stage.tiles.end());
      all.stages.push_back(std::move(stage));
    }
    for (Edge& edge : phases[p].edges) {
      edge.producer += stages;
      edge.consumer += stages;
      all.edges.push_back(std::move(edge));
    }
    for (LayerPlacement& layer : phases[p].layers) {
      layer.stage += stages;
      if (layer.shares >= 0) layer.shares += layers;
      if (layer.after >= 0) layer.after += layers;
      for (const ImaPart& ima : layer.imas) tiles.insert(ima.tile);
      all.layers.push_back(std::move(layer));
    }
    all.crossbars_used += phases[p].crossbars_used;
    all.crossbars_available = phases[p].crossbars_available;
  }
  all.tiles_used = static_cast<int>(tiles.size());
  all.phases.resize(phases.size());
  return all;
}

}  // namespace

Phased cut_phase(const Program& whole, const Layers& layers, StageId first, StageId last) {
  return Cutter(whole, layers, first, last).cut();
}

Program in_phases(Program whole, const arch::Arch& arch, const Layers& layers) {
  base::Problem problem;
  static_cast<void>(least_imas(whole, arch, layers));  // mapping.replicas must be of the whole network
  if (least_imas(whole, arch, layers) <= std::int64_t{arch.chip.tiles} * arch.tile.imas) {
    if (fit(whole, 1, arch, layers, problem)) return whole;
  }
  Program program = joined(PhaseFinder(whole, arch, layers).find());
  add_programming(program, layers.inputs);
  return program;
}

}  // namespace bitline::place
