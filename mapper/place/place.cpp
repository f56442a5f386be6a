// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <optional>

#include "mapper/place/buffers.h"
#include "mapper/place/floorplan.h"
#include "mapper/place/pipeline.h"
#include "mapper/place/placer.h"
#include "mapper/place/replicate.h"
#include "models/base/errors.h"

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
  Replicator(const Program& program, const arch::Arch& arch, const std::vector<Partition>& parts)
      : mapping_(arch.mapping),
        costs_(copy_costs(program, parts, arch)),
        imas_(std::int64_t{arch.chip.tiles} * arch.tile.imas) {
    for (const LayerPlacement& layer : program.layers) shares_.push_back(layer.shares);
    copies_.assign(costs_.size(), 1);
    if (mapping_.replication == arch::Replication::per_layer)
      copies_ = given_copies(program, costs_, mapping_.replicas);
    if (mapping_.replication == arch::Replication::balanced) copies_ = balanced_copies(costs_, imas_);
    unite();
  }
  [[nodiscard]] const std::vector<int>& copies() const { return copies_; }

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
    copies_ = balanced_copies(costs_, imas_);
    unite();
    return true;
  }

 private:
  /// Layers on the same crossbars have the same copies.
  void unite() {
    for (std::size_t l = 0; l < copies_.size(); ++l) {
      if (shares_[l] >= 0) copies_[l] = copies_[index(shares_[l])];
    }
  }

  const arch::MappingParams& mapping_;
  std::vector<CopyCost> costs_;
  std::int64_t imas_;
  std::vector<LayerId> shares_;
  std::vector<int> copies_;
};

/// Sets which layers use whose crossbars, and their order.
void share_crossbars(Program& program, const std::vector<LayerInput>& layers) {
  std::map<LayerId, std::vector<LayerId>> users;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const LayerId owner = layers[l].shares < 0 ? static_cast<LayerId>(l) : layers[l].shares;
    program.layers[l].shares = layers[l].shares;
    users[owner].push_back(static_cast<LayerId>(l));
  }
  for (const auto& [owner, list] : users) {
    for (std::size_t i = 0; i < list.size() && list.size() > 1; ++i)
      program.layers[index(list[i])].after = i == 0 ? list.back() : list[i - 1];
  }
}

}  // namespace

int ImaPart::results() const {
  int sum = 0;
  for (const Contribution& c : contributions) sum += c.results;
  return sum;
}

Program place(std::shared_ptr<const graph::Graph> graph, const arch::Arch& arch,
              const std::vector<LayerInput>& layers) {
  Program stream;
  stream.graph = std::move(graph);
  build_pipeline(stream, arch.precision.activations.bits);
  BITLINE_CHECK(stream.layers.size() == layers.size());
  share_crossbars(stream, layers);
  std::vector<Partition> parts;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    parts.push_back(partition(stream.layers[l].name, *layers[l].sliced, arch));
  }
  base::Problem problem;
  for (const Slack& slack : kSlack) {
    Program sized = stream;
    size_buffers(sized, slack);
    Replicator replicator(sized, arch, parts);
    for (;;) {
      Program program = sized;
      for (std::size_t l = 0; l < layers.size(); ++l) program.layers[l].replicas = replicator.copies()[l];
      add_room_for_copies(program, slack);
      const std::optional<Misfit> misfit = try_place(program, arch, layers, parts);
      if (!misfit) {
        arrange(program, arch);
        return program;
      }
      problem = misfit->problem;
      if (!replicator.fewer(misfit->layer)) break;
    }
  }
  throw base::MappingError(problem);
}

}  // namespace bitline::place
