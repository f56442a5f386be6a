// SPDX-License-Identifier: Apache-2.0
#include "mapper/place/fit.h"

#include <algorithm>

#include "mapper/place/buffers.h"
#include "mapper/place/floorplan.h"
#include "mapper/place/placer.h"
#include "mapper/place/replicate.h"

namespace bitline::place {
namespace {

std::size_t index(int id) {
  return static_cast<std::size_t>(id);
}

/// With the first, no layer of the common networks waits for space (resnet18 takes 10.4 ms an image on
/// isaac-8bit, 15.3 ms without the rows); less is tried where the eDRAM is too small for it.
constexpr Slack kSlack[] = {{8, 1}, {8, 0}, {4, 0}, {1, 0}};

/// Tries copies of the layers, fewer where they find no place: first of the layer that found none, and if
/// that has one copy only, within fewer IMAs. One copy of each is the last attempt.
class Replicator {
 public:
  Replicator(const Program& program, const arch::Arch& arch, const Layers& layers, int chips)
      : arch_(arch), mapping_(arch.mapping), imas_(std::int64_t{arch.chip.tiles} * arch.tile.imas * chips) {
    for (const LayerPlacement& layer : program.layers) shares_.push_back(layer.shares);
    copies_.assign(shares_.size(), 1);
    if (mapping_.replication == arch::Replication::none && !spreads()) return;
    costs_ = copy_costs(program, layers.parts, arch);
    least_reads_ = slowest_part(program, arch) / 2;
    for (CopyCost& cost : costs_) cost.most = std::min(cost.most, layers.most_copies);
    if (mapping_.replication == arch::Replication::per_layer)
      copies_ = given_copies(program, costs_, mapping_.replicas);
    if (mapping_.replication == arch::Replication::balanced)
      copies_ = balanced_copies(costs_, imas_, least_reads_);
    unite();
  }
  /// Gives the layers their copies, and digital stages that may spread as many parts as keep up with them.
  void apply(Program& program) const {
    for (std::size_t l = 0; l < program.layers.size(); ++l) program.layers[l].replicas = copies_[l];
    if (spreads()) choose_parts(program, costs_, arch_);
  }

  /// Other copies than before, fewer in sum. False if there are none to try.
  bool fewer(LayerId failed) {
    if (failed >= 0 && shares_[index(failed)] >= 0) failed = shares_[index(failed)];
    const bool single = std::all_of(copies_.begin(), copies_.end(), [](int n) { return n == 1; });
    if (mapping_.replication != arch::Replication::balanced || single) return false;
    if (failed >= 0 && copies_[index(failed)] > 1) {
      costs_[index(failed)].most = copies_[index(failed)] * 3 / 4;
    } else {
      std::int64_t used = 0;
      for (std::size_t l = 0; l < costs_.size(); ++l) used += costs_[l].imas * copies_[l];
      imas_ = std::min(imas_, used) * 15 / 16;
    }
    copies_ = balanced_copies(costs_, imas_, least_reads_);
    unite();
    return true;
  }

 private:
  [[nodiscard]] bool spreads() const { return mapping_.digital == arch::DigitalStages::spread; }
  /// Layers on the same crossbars have the same copies.
  void unite() {
    for (std::size_t l = 0; l < copies_.size(); ++l) {
      if (shares_[l] >= 0) copies_[l] = copies_[index(shares_[l])];
    }
  }

  const arch::Arch& arch_;
  const arch::MappingParams& mapping_;
  std::vector<CopyCost> costs_;  ///< none where nothing depends on them
  double least_reads_ = 0;       ///< layers twice as fast as that part do not add to the time that it takes
  std::int64_t imas_;
  std::vector<LayerId> shares_;
  std::vector<int> copies_;
};

/// What an attempt that failed has left.
void forget_places(Program& program) {
  program.crossbars_used = 0;
  for (Stage& stage : program.stages) stage.tiles.clear();
  for (Edge& edge : program.edges) edge.deliveries.clear();
  for (LayerPlacement& layer : program.layers) {
    layer.imas.clear();
    layer.joins.clear();
    layer.crossbars = 0;
  }
}

}  // namespace

std::int64_t least_imas(const Program& stream, const arch::Arch& arch, const Layers& layers) {
  const std::vector<CopyCost> costs = copy_costs(stream, layers.parts, arch);
  std::vector<int> copies(costs.size(), 1);
  if (arch.mapping.replication == arch::Replication::per_layer)
    copies = given_copies(stream, costs, arch.mapping.replicas);
  std::int64_t imas = 0;
  for (std::size_t l = 0; l < costs.size(); ++l) imas += costs[l].imas * copies[l];
  return imas;
}

bool fit(Program& program, int chips, const arch::Arch& arch, const Layers& layers, base::Problem& problem) {
  program.chips = chips;
  for (const Slack& slack : kSlack) {
    size_buffers(program, slack);
    std::vector<std::int64_t> capacities;
    capacities.reserve(program.edges.size());
    for (const Edge& edge : program.edges) capacities.push_back(edge.capacity);
    Replicator replicator(program, arch, layers, chips);
    for (;;) {
      replicator.apply(program);
      add_room_for_copies(program, slack);
      std::optional<Misfit> misfit;
      for (const DigitalTiles digital : {DigitalTiles::idle, DigitalTiles::near}) {
        forget_places(program);
        misfit = try_place(program, arch, layers.inputs, layers.parts, digital);
        if (!misfit) break;
      }
      if (!misfit) {
        arrange(program, arch);
        return true;
      }
      problem = misfit->problem;
      if (!replicator.fewer(misfit->layer)) break;
      for (std::size_t e = 0; e < capacities.size(); ++e) program.edges[e].capacity = capacities[e];
    }
  }
  return false;
}

}  // namespace bitline::place
