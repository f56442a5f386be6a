// SPDX-License-Identifier: Apache-2.0
#include "sim/assemble.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "mapper/place/traffic.h"
#include "models/base/errors.h"
#include "sim/layer_map.h"
#include "sim/sparsity.h"

namespace bitline::sim {
namespace {

using place::Stage;
using place::StageKind;

const char* op_name(const graph::Graph& graph, const Mapping& mapping, const Stage& stage) {
  switch (stage.kind) {
    case StageKind::input:
      return stage.stored ? "load" : "input";
    case StageKind::output:
      return stage.stored ? "store" : "output";
    case StageKind::crossbar:
      return graph::to_string(
          graph.node(mapping.program.layers[static_cast<std::size_t>(stage.layer)].node).op);
    case StageKind::digital:
      break;
  }
  for (const place::UnitWork& work : stage.work)
    if (work.node >= 0) return graph::to_string(graph.node(work.node).op);
  const graph::NodeId producer = graph.values[static_cast<std::size_t>(stage.value)].producer;
  return producer >= 0 ? graph::to_string(graph.node(producer).op) : "copy";
}

std::shared_ptr<const engine::LayerActivity> sum_of(std::span<const engine::ImageResult> values,
                                                    std::size_t layer) {
  auto sum = std::make_shared<engine::LayerActivity>(values.front().activity[layer]);
  for (const engine::ImageResult& image : values.subspan(1)) *sum += image.activity[layer];
  return sum;
}

std::vector<result::SliceResult> slices(const slice::SlicedLayer& sliced,
                                        const engine::LayerActivity& activity) {
  const bool cells = !sliced.codes.empty();
  const auto statistics = cells ? slice::statistics(sliced) : std::vector<slice::SliceStatistics>();
  std::vector<result::SliceResult> out;
  out.reserve(sliced.slices.size());
  for (std::size_t s = 0; s < sliced.slices.size(); ++s) {
    result::SliceResult slice;
    slice.width = sliced.slices[s].width;
    if (cells) {
      slice.nonzero_ratio = statistics[s].nonzero_ratio();
      slice.max_column_sum = 0;
    }
    for (std::size_t b = 0; b < sliced.blocks.size(); ++b) {
      if (cells) slice.max_column_sum = std::max(*slice.max_column_sum, sliced.max_column_sum[b][s]);
      slice.adc_bits = std::max(slice.adc_bits, sliced.adc_bits[b][s]);
    }
    slice.conversions = activity.conversions_per_slice[s];
    slice.clipped = activity.clipped_per_slice[s];
    out.push_back(slice);
  }
  return out;
}

result::Pruned pruned(const LayerSparsity& sparse, int replicas) {
  const prune::NearlyEmpty& few = sparse.nearly_empty;
  return {sparse.before.rows_per_group,
          sparse.before.groups * sparse.before.outputs_per_group,
          sparse.crossbars_before * replicas,
          few.rows,
          few.columns,
          few.weights,
          sparse.crossbars_without * replicas};
}

void add_crossbars(const Mapping& mapping, const engine::LayerActivity& activity, std::size_t index,
                   const LayerSparsity& sparse, result::LayerResult& layer) {
  const place::LayerPlacement& placed = mapping.program.layers[index];
  const slice::SlicedLayer& sliced = *mapping.sliced[index];
  layer.crossbars = placed.crossbars;
  layer.replicas = placed.replicas;
  layer.rows = sliced.rows_per_group;
  layer.cols = sliced.outputs();
  place::Few<int, 16> tiles;
  for (const place::ImaPart& part : placed.imas) tiles.push_back(part.tile);
  std::sort(tiles.begin(), tiles.end());
  layer.imas = static_cast<std::int64_t>(placed.imas.size());
  layer.tiles = std::unique(tiles.begin(), tiles.end()) - tiles.begin();
  layer.cell_utilization = placed.cell_utilization;
  layer.slices = slices(sliced, activity);
  layer.zero_weights = sparse.zero_weights;
  // Layers on the crossbars of another one have saved nothing themselves.
  if (mapping.arch().mapping.prune != arch::Prune::none)
    layer.pruned = pruned(sparse, placed.shares >= 0 ? 0 : placed.replicas);
}

/// Of a stage or of all, in joules.
struct Energies {
  double total = 0, dynamic = 0, fixed = 0;
  std::array<double, arch::kComponents> by_component = {};

  void add(const Energies& part) {
    total += part.total;
    dynamic += part.dynamic;
    fixed += part.fixed;
    for (std::size_t c = 0; c < by_component.size(); ++c) by_component[c] += part.by_component[c];
  }
  [[nodiscard]] result::EnergyUse use() const {
    result::EnergyUse use{total, dynamic, fixed, {}};
    use.by_component.reserve(by_component.size());
    for (std::size_t c = 0; c < by_component.size(); ++c)
      use.by_component.emplace_back(arch::to_string(static_cast<arch::Component>(c)), by_component[c]);
    return use;
  }
};

Energies energies(const arch::ByComponent<base::Energy>& dynamic,
                  const arch::ByComponent<base::Power>& static_power, double static_seconds, double share) {
  Energies of;
  for (std::size_t c = 0; c < arch::kComponents; ++c) {
    const double moving = dynamic.values[c].value() * share;
    const double standing = static_power.values[c].value() * static_seconds;
    of.dynamic += moving;
    of.fixed += standing;
    of.by_component[c] = moving + standing;
  }
  of.total = of.dynamic + of.fixed;
  return of;
}

/// The part of the chip's static energy that a stage is charged: in proportion to its crossbars; with no
/// crossbar at all, the same for every stage.
double static_share(const Mapping& mapping, std::int64_t crossbars) {
  const place::Program& program = mapping.program;
  if (program.crossbars_used == 0) return 1.0 / static_cast<double>(program.stages.size());
  return static_cast<double>(crossbars) / static_cast<double>(program.crossbars_used);
}

void add_times(const cycle::StageStatistics& statistics, result::LayerResult& layer) {
  layer.start = statistics.first_start.seconds();
  layer.latency = (statistics.last_end - statistics.first_start).seconds();
  layer.busy = statistics.busy.seconds();
  layer.stalls = {statistics.input_stall.seconds(), statistics.output_stall.seconds(),
                  statistics.bus_wait.seconds(), statistics.noc_wait.seconds(),
                  statistics.adc_wait.seconds()};
}

void add_parts(const cycle::CycleResult& timed, result::Result& r) {
  const double end = timed.end.seconds();
  for (const cycle::ResourceUse& use : timed.resources) {
    result::PartUse part;
    part.name = use.name;
    part.used = use.instances;
    if (use.instances > 0) part.utilization = use.busy.seconds() / (end * static_cast<double>(use.instances));
    part.busiest = use.busiest.seconds() / end;
    part.requests = use.uses;
    part.stalls = use.waits;
    part.stalled = use.waited.seconds();
    r.parts.push_back(part);
  }
}

/// `in_phases`: images end together in the last phase; the next ones follow when all have.
result::Latency latency(const cycle::CycleResult& timed, bool in_phases) {
  result::Latency l;
  const std::vector<base::Time>& ends = timed.image_end;
  l.image = ends.front().seconds();
  l.total = timed.total.seconds();
  if (in_phases) {
    l.interval = l.total / static_cast<double>(ends.size());
  } else if (ends.size() < 2) {
    l.interval = l.image;
  } else {
    l.interval = (ends.back() - ends.front()).seconds() / static_cast<double>(ends.size() - 1);
  }
  return l;
}

/// Rows of a result: what each stage is and did.
class LayerRows {
 public:
  using Activities = std::vector<std::shared_ptr<const engine::LayerActivity>>;

  LayerRows(const Mapping& mapping, const cycle::CycleResult& timed, const Activities& activities)
      : mapping_(mapping),
        timed_(timed),
        activities_(activities),
        sparse_(sparsity(mapping)),
        map_(mapping) {}

  [[nodiscard]] result::LayerResult row(std::size_t s, const Energies& energy, double bus_bytes) {
    const Stage& stage = mapping_.program.stages[s];
    result::LayerResult layer;
    layer.name = stage.name;
    layer.op = op_name(*mapping_.graph, mapping_, stage);
    if (stage.kind == StageKind::crossbar) {
      const auto index = static_cast<std::size_t>(stage.layer);
      add_crossbars(mapping_, *activities_[index], index, sparse_[index], layer);
    }
    add_times(timed_.stages[s], layer);
    map_.add(s, layer);
    layer.bus_bytes = bus_bytes;
    layer.energy = energy.use();
    return layer;
  }

 private:
  const Mapping& mapping_;
  const cycle::CycleResult& timed_;
  const Activities& activities_;
  std::vector<LayerSparsity> sparse_;
  LayerMap map_;
};

void add_layers(const Mapping& mapping, const cycle::CycleResult& timed,
                const LayerRows::Activities& activities, const arch::CostModel& costs, Rows rows,
                result::Result& r) {
  const double per_image = 1.0 / static_cast<double>(timed.image_end.size());
  const arch::ByComponent<base::Power> static_power = costs.static_power();
  std::map<const engine::LayerActivity*, base::Energy> converting;  // equal layers share their activity
  std::optional<LayerRows> described;
  if (rows == Rows::all) {
    described.emplace(mapping, timed, activities);
    r.layers.reserve(mapping.program.stages.size());
  }
  Energies sum;
  for (std::size_t s = 0; s < mapping.program.stages.size(); ++s) {
    const Stage& stage = mapping.program.stages[s];
    base::ActionCounts counts = timed.stages[s].actions;
    base::Energy conversions;
    std::int64_t crossbars = 0;
    if (stage.kind == StageKind::crossbar) {
      const auto index = static_cast<std::size_t>(stage.layer);
      const place::LayerPlacement& placed = mapping.program.layers[index];
      const engine::LayerActivity& activity = *activities[index];
      counts += activity.counts;
      const auto [known, is_new] = converting.try_emplace(&activity);
      if (is_new) known->second = costs.conversion_energy(activity.slice_conversions);
      conversions = known->second;
      crossbars = placed.crossbars;
      r.cell_utilization += placed.cell_utilization * static_cast<double>(crossbars);
    }
    const double static_seconds =
        r.latency.total * per_image * mapping.program.chips * static_share(mapping, crossbars);
    arch::ByComponent<base::Energy> dynamic = costs.energy_but_conversions(counts);
    dynamic[arch::Component::adc] += conversions;
    const Energies energy = energies(dynamic, static_power, static_seconds, per_image);
    sum.add(energy);
    r.conversions += counts.total_conversions();
    r.clipped += counts.clipped;
    r.gated += counts.gated;
    if (described)
      r.layers.push_back(
          described->row(s, energy, static_cast<double>(counts[base::Action::bus_transfer]) / 8 * per_image));
  }
  r.energy = sum.use();
  if (mapping.program.crossbars_used > 0)
    r.cell_utilization /= static_cast<double>(mapping.program.crossbars_used);
}

result::Reprogramming reprogramming(const Mapping& mapping, const cycle::CycleResult& timed,
                                    const arch::CostModel& costs) {
  const place::Program& program = mapping.program;
  result::Reprogramming r;
  r.phases = static_cast<std::int64_t>(program.phases.size());
  r.time = timed.programming.seconds();
  r.energy = costs.write_energy(timed.actions).value();
  r.cells = timed.actions[base::Action::cell_write];
  for (const place::Programming& phase : program.phases) r.weight_bytes += phase.bytes;
  for (const Stage& stage : program.stages) {
    if (stage.stored && stage.kind == StageKind::output) r.stored_bytes += stage.pixels * stage.pixel_bytes;
  }
  r.writes_per_cell = program.writes_per_cell;
  r.endurance = mapping.arch().device.endurance;
  if (r.writes_per_cell > 0)
    r.lifetime = r.endurance / static_cast<double>(r.writes_per_cell) * timed.total.seconds();
  return r;
}

}  // namespace

result::Result assemble(const Mapping& mapping, const cycle::CycleResult& timed,
                        std::span<const engine::ImageResult> values) {
  BITLINE_CHECK(!values.empty() && timed.image_end.size() == values.size());
  LayerRows::Activities activities;
  for (std::size_t l = 0; l < mapping.program.layers.size(); ++l) activities.push_back(sum_of(values, l));
  return assemble(mapping, timed, activities);
}

result::Result assemble(const Mapping& mapping, const cycle::CycleResult& timed,
                        const LayerRows::Activities& activities, Rows rows) {
  BITLINE_CHECK(activities.size() == mapping.program.layers.size() && timed.total.fs() > 0);
  const auto images = static_cast<double>(timed.image_end.size());
  result::Result r;
  r.latency = latency(timed, !mapping.program.phases.empty());
  const std::int64_t cycle = base::period(mapping.arch().chip.clock).fs();
  r.cycles = (timed.total.fs() + cycle - 1) / cycle;
  r.throughput_ips = 1.0 / r.latency.interval;

  const arch::CostModel costs = cost_model(mapping);
  add_layers(mapping, timed, activities, costs, rows, r);
  r.machine = machine_of(mapping);
  if (mapping.grouped.layers > 0)
    r.grouped = result::Grouped{to_string(mapping.arch().mapping.depthwise), mapping.grouped.layers,
                                mapping.grouped.packed, mapping.grouped.dense};
  if (rows == Rows::all) {
    add_parts(timed, r);
    add_waits(timed, r);
    const place::NocTraffic traffic = place::noc_traffic(mapping.program, mapping.arch());
    r.noc = {to_string(mapping.arch().mapping.placement), traffic.bytes, traffic.hop_bytes,
             traffic.between_chips};
  }
  if (!mapping.program.phases.empty()) r.reprogramming = reprogramming(mapping, timed, costs);
  r.crossbars_used = mapping.program.crossbars_used;
  r.crossbars_available = mapping.program.crossbars_available;

  const arch::ByComponent<base::Area> area = costs.chip_area();
  const auto chips = static_cast<double>(mapping.program.chips);
  r.chips = mapping.program.chips;
  r.area_mm2 = area.total().value() * chips;
  r.area_by_component = breakdown(area, chips);
  r.power_w = r.energy.total * images / r.latency.total;

  for (const graph::Node& node : mapping.graph->nodes) {
    (graph::on_crossbars(node) ? r.crossbar_macs : r.digital_macs) += graph::macs(*mapping.graph, node);
  }
  r.tops = 2.0 * static_cast<double>(r.crossbar_macs + r.digital_macs) * r.throughput_ips * 1e-12;
  if (r.power_w > 0) r.tops_per_w = r.tops / r.power_w;
  if (r.area_mm2 > 0) r.tops_per_mm2 = r.tops / r.area_mm2;
  return r;
}

}  // namespace bitline::sim
