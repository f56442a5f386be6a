// SPDX-License-Identifier: Apache-2.0
#include "mapper/place/replicate.h"

#include <algorithm>
#include <cmath>
#include <queue>

#include "mapper/place/digital_work.h"
#include "mapper/place/layout.h"
#include "models/arch/arch_loader.h"
#include "models/base/errors.h"

namespace bitline::place {
namespace {

std::size_t index(int id) {
  return static_cast<std::size_t>(id);
}

int at_most_one_per_window(std::int64_t copies, const CopyCost& cost) {
  return static_cast<int>(std::clamp<std::int64_t>(copies, 1, std::max<std::int64_t>(cost.windows, 1)));
}

/// Copies for which sending the inputs to all their tiles, one after another from one source, takes no longer
/// than the reads: beyond, the network and not the crossbars would set the pace.
std::int64_t copies_worth_feeding(const Program& program, const LayerPlacement& layer, const CopyCost& cost,
                                  const arch::Arch& arch) {
  std::int64_t sending = 0;  // all pixels of an image to one tile
  for (const EdgeId e : program.stages[index(layer.stage)].inputs) {
    const Stage& producer = program.stages[index(program.edges[index(e)].producer)];
    sending += producer.pixels * noc::occupancy(arch.noc, producer.pixel_bytes * 8).fs();
  }
  const std::int64_t reading =
      cost.windows * cost.reads * arch::input_chunks(arch) * arch.crossbar.read_latency.fs();
  std::int64_t copies = 1;
  for (; copies < cost.windows; ++copies) {
    const std::int64_t tiles = ((copies + 1) * cost.imas + arch.tile.imas - 1) / arch.tile.imas;
    if (sending * tiles > reading / (copies + 1)) break;
  }
  return copies;
}

/// Of each layer alone; one copy at most.
std::vector<CopyCost> costs_alone(const Program& program, const Partitions& parts, const arch::Arch& arch) {
  std::vector<CopyCost> costs;
  costs.reserve(parts.size());
  for (std::size_t l = 0; l < parts.size(); ++l)
    costs.push_back({program.layers[l].windows, parts[l]->reads, imas_of_copy(*parts[l], arch), 1});
  return costs;
}

/// Layers on the same crossbars take turns: their windows are the work of the first one's copies.
void unite(const Program& program, std::vector<CopyCost>& costs) {
  for (std::size_t l = 0; l < costs.size(); ++l) {
    if (program.layers[l].shares < 0) continue;
    CopyCost& owner = costs[index(program.layers[l].shares)];
    owner.windows += costs[l].windows;
    owner.most = std::max(owner.most, costs[l].most);
    costs[l] = {0, costs[l].reads, 0, 1};
  }
}

double seconds_of_read(const arch::Arch& arch) {
  return arch.crossbar.read_latency.seconds() * arch::input_chunks(arch);
}

/// What the busiest unit of a digital stage takes for an image, all in one tile, in reads of a crossbar.
double reads_of_units(const Stage& stage, const arch::Arch& arch) {
  if (stage.kind != StageKind::digital) return 0;
  double seconds = 0;
  for (const UnitWork& work : stage.work)
    seconds = std::max(seconds, static_cast<double>(stage.pixels) * seconds_of(work, arch.tile));
  return seconds / seconds_of_read(arch);
}

/// An image in the slowest layer, with the copies that it has, or slowest_part().
double reads_of_slowest(const Program& program, const std::vector<CopyCost>& costs, const arch::Arch& arch) {
  double reads = slowest_part(program, arch);
  for (std::size_t l = 0; l < costs.size(); ++l) {
    const auto windows = static_cast<double>(costs[l].windows * costs[l].reads);
    reads = std::max(reads, windows / program.layers[l].replicas);
  }
  return reads;
}

int copies_of(const Program& program, StageId s) {
  const Stage& stage = program.stages[index(s)];
  return stage.layer < 0 ? 1 : program.layers[index(stage.layer)].replicas;
}

}  // namespace

std::int64_t most_parts(const Program& program, const Stage& stage, const arch::Arch& arch) {
  if (stage.kind != StageKind::digital || !stage.by_channel) return 1;
  const std::int64_t channels = stage.pixel_bytes * 8 / arch.precision.activations.bits;
  return std::clamp<std::int64_t>(channels, 1, std::int64_t{arch.chip.tiles} * program.chips);
}

std::vector<CopyCost> copy_costs(const Program& program, const Partitions& parts, const arch::Arch& arch) {
  std::vector<CopyCost> costs = costs_alone(program, parts, arch);
  for (std::size_t l = 0; l < parts.size(); ++l)
    costs[l].most =
        at_most_one_per_window(copies_worth_feeding(program, program.layers[l], costs[l], arch), costs[l]);
  unite(program, costs);
  return costs;
}

double slowest_part(const Program& program, const arch::Arch& arch) {
  std::int64_t link_bytes = 0;
  double reads = 0;
  for (const Stage& stage : program.stages) {
    if (stage.kind == StageKind::input || stage.kind == StageKind::output)
      link_bytes += stage.pixels * stage.pixel_bytes;
    const bool spread = arch.mapping.digital == arch::DigitalStages::spread;
    const auto parts = static_cast<double>(spread ? most_parts(program, stage, arch) : 1);
    reads = std::max(reads, reads_of_units(stage, arch) / parts);
  }
  return std::max(reads, noc::occupancy(arch.chip.link, link_bytes).seconds() / seconds_of_read(arch));
}

double pace_of(const Program& program, const Partitions& parts, const arch::Arch& arch) {
  std::vector<CopyCost> costs = costs_alone(program, parts, arch);
  unite(program, costs);
  return reads_of_slowest(program, costs, arch) * seconds_of_read(arch);
}

void choose_parts(Program& program, const std::vector<CopyCost>& costs, const arch::Arch& arch) {
  const double pace = reads_of_slowest(program, costs, arch);
  for (Stage& stage : program.stages) {
    const auto most = static_cast<double>(most_parts(program, stage, arch));
    stage.parts = static_cast<int>(std::clamp(std::ceil(reads_of_units(stage, arch) / pace), 1.0, most));
  }
}

std::vector<int> balanced_copies(const std::vector<CopyCost>& costs, std::int64_t imas, double least_reads) {
  std::vector<int> copies(costs.size(), 1);
  for (const CopyCost& cost : costs) imas -= cost.imas;
  const auto less_left = [&](std::size_t a, std::size_t b) {
    const std::int64_t left_a = costs[a].windows * costs[a].reads * copies[b];
    const std::int64_t left_b = costs[b].windows * costs[b].reads * copies[a];
    return left_a != left_b ? left_a < left_b : a > b;
  };
  std::priority_queue<std::size_t, std::vector<std::size_t>, decltype(less_left)> heap(less_left);
  for (std::size_t l = 0; l < costs.size(); ++l) heap.push(l);
  while (!heap.empty()) {
    const std::size_t l = heap.top();
    heap.pop();
    if (costs[l].imas > imas || copies[l] >= costs[l].most) continue;
    imas -= costs[l].imas;
    ++copies[l];
    heap.push(l);
  }
  const auto reads = [&](std::size_t l) { return static_cast<double>(costs[l].windows * costs[l].reads); };
  double pace = least_reads;
  for (std::size_t l = 0; l < costs.size(); ++l) pace = std::max(pace, reads(l) / copies[l]);
  for (std::size_t l = 0; l < costs.size(); ++l) {
    while (copies[l] > 1 && reads(l) <= pace * (copies[l] - 1)) --copies[l];
  }
  return copies;
}

std::vector<int> given_copies(const Program& program, const std::vector<CopyCost>& costs,
                              const std::vector<int>& numbers) {
  if (numbers.size() != 1 && numbers.size() != costs.size()) {
    throw base::MappingError({"mapping.replicas", std::to_string(numbers.size()) + " numbers",
                              "one for all layers, or one for each of the " + std::to_string(costs.size()) +
                                  " crossbar layers of " + program.graph->name,
                              "'bitline map' lists the layers in order"});
  }
  std::vector<int> copies;
  for (std::size_t l = 0; l < costs.size(); ++l) {
    copies.push_back(at_most_one_per_window(numbers[numbers.size() == 1 ? 0 : l], costs[l]));
  }
  return copies;
}

void add_room_for_copies(Program& program, const Slack& slack) {
  // Windows that are in flight between the network's input and a stage, beyond one per stage.
  std::vector<std::int64_t> further(program.stages.size(), 0);
  for (std::size_t s = 0; s < program.stages.size(); ++s) {
    for (const EdgeId e : program.stages[s].inputs) {
      const Edge& edge = program.edges[index(e)];
      const std::int64_t made = copies_of(program, edge.producer);
      const std::int64_t taken = (copies_of(program, static_cast<StageId>(s)) - 1) * edge.window.stride_w + 1;
      further[s] = std::max(further[s], further[index(edge.producer)] + std::max(made, taken) - 1);
    }
  }
  const std::int64_t each = (slack.pixels + 1) / 2;
  for (Edge& edge : program.edges) {
    const std::int64_t pixels = program.stages[index(edge.producer)].pixels;
    const std::int64_t more = each * (further[index(edge.consumer)] - further[index(edge.producer)]);
    edge.capacity = std::max(edge.capacity, std::min(edge.capacity + more, 2 * pixels));
  }
}

}  // namespace bitline::place
