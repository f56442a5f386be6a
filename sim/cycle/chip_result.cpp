// SPDX-License-Identifier: Apache-2.0
// What the chip reports at the end.
#include <algorithm>
#include <map>
#include <string>

#include "models/base/errors.h"
#include "models/ima/structural_ima.h"
#include "sim/cycle/chip.h"

namespace bitline::cycle {

using base::Time;

namespace {

struct NamedPart {
  tile::TileModule::Part part;
  const char* name;
};
constexpr NamedPart kTileParts[] = {{tile::TileModule::edram, "edram"},
                                    {tile::TileModule::bus, "bus"},
                                    {tile::TileModule::shift_add, "tile_shift_add"},
                                    {tile::TileModule::activation, "activation"},
                                    {tile::TileModule::pooling, "pooling"},
                                    {tile::TileModule::elementwise, "elementwise"},
                                    {tile::TileModule::requantise, "requantise"}};

struct OneUse {
  Time busy;
  std::int64_t uses = 0;
  std::int64_t waits = 0;
  Time waited;
  OneUse& operator+=(const OneUse& other) {
    busy += other.busy;
    uses += other.uses;
    waits += other.waits;
    waited += other.waited;
    return *this;
  }
};

void add_use(ResourceUse& use, const OneUse& one) {
  if (one.uses == 0) return;
  ++use.instances;
  use.busy += one.busy;
  use.busiest = std::max(use.busiest, one.busy);
  use.uses += one.uses;
  use.waits += one.waits;
  use.waited += one.waited;
}
void add_use(ResourceUse& use, const base::Resource& resource) {
  add_use(use, {resource.busy(), resource.uses(), resource.waits(), resource.waited()});
}
ResourceUse named(const char* name) {
  ResourceUse use;
  use.name = name;
  return use;
}

/// What the IMA's crossbars, DACs, S+Hs, ADCs and shift-adds did; its registers are counted with the stage.
base::ActionCounts without_registers(base::ActionCounts actions) {
  actions[base::Action::input_register_write] = 0;
  actions[base::Action::input_register_read] = 0;
  actions[base::Action::output_register_write] = 0;
  actions[base::Action::output_register_read] = 0;
  return actions;
}

}  // namespace

CycleResult Chip::result() const {
  CycleResult result;
  result.image_start = image_start_;
  result.image_end = image_end_;
  result.total = *std::max_element(image_end_.begin(), image_end_.end());
  result.end = result.total;
  result.events = events_;
  result.programming = programming_;
  ResourceUse imas = named("ima");
  ResourceUse adcs = named("adc");
  std::map<std::pair<int, int>, std::pair<OneUse, OneUse>> by_place;  // layers may share an IMA
  if (options_.structural != nullptr) result.structural_actions.resize(program_.layers.size());
  for (const StageRun& run : stages_) {
    StageStatistics statistics = run.statistics;
    statistics.windows = run.finished;
    statistics.input_stall = run.stalls.input();
    statistics.output_stall = run.stalls.output();
    statistics.busy = run.last_work - statistics.first_start - run.stalls.input() - run.stalls.output();
    for (std::size_t part = 0; part < run.imas.size(); ++part) {
      const auto& ima = run.imas[part];
      const place::ImaPart& place = run.layer->imas[part];
      const Time held = ima->module->read_time() - ima->shortest_read * ima->reads;
      statistics.adc_wait += held;
      auto& [of_ima, of_adc] = by_place[{place.tile, place.ima}];
      of_ima += {ima->module->read_time(), ima->reads, 0, {}};
      of_adc += {ima->adc_time * ima->reads, ima->reads, held > Time() ? ima->reads : 0, held};
      if (options_.structural == nullptr) continue;
      result.structural_actions[static_cast<std::size_t>(run.stage->layer)] +=
          without_registers(ima->module->actions());
    }
    result.actions += statistics.actions;
    result.stages.push_back(statistics);
    result.stall_bins.push_back({run.stalls.input_bins(), run.stalls.output_bins()});
    result.end = std::max({result.end, statistics.last_end, run.last_work});
  }
  for (const auto& [place, uses] : by_place) {
    add_use(imas, uses.first);
    add_use(adcs, uses.second);
  }
  result.imas_used = imas.instances;
  result.resources.push_back(imas);
  result.resources.push_back(adcs);
  for (const auto& [part, name] : kTileParts) {
    ResourceUse use = named(name);
    for (const auto& tile : tiles_) {
      if (tile) add_use(use, tile->resource(part));
    }
    result.resources.push_back(use);
  }
  ResourceUse links = named("router_link");
  for (const auto& mesh : meshes_) {
    for (const noc::MeshFlow::LinkUse& link : mesh->flow().links()) {
      add_use(links, {link.busy, link.packets, link.waits, link.waited});
    }
    result.flits_sent += mesh->flow().flits_sent();
    result.flits_delivered += mesh->flow().flits_delivered();
  }
  BITLINE_CHECK(result.flits_sent == result.flits_delivered && crossings_.empty());
  ResourceUse chip_link = named("chip_link");
  for (const auto& link : links_) add_use(chip_link, link->resource());
  result.resources.push_back(links);
  result.resources.push_back(chip_link);
  return result;
}

void Chip::trace(sc_core::sc_trace_file* file) const {
  for (const StageRun& run : stages_) {
    for (const auto& agent : run.imas) {
      if (const auto* ima = dynamic_cast<const ima::StructuralIma*>(agent->module.get())) ima->trace(file);
    }
  }
}

std::vector<base::Problem> Chip::blocked() const {
  std::vector<base::Problem> problems;
  for (const StageRun& run : stages_) {
    if (run.finished == run.windows) continue;
    std::string given = "stopped after " + std::to_string(run.finished) + " of " +
                        std::to_string(run.windows) + " output pixels";
    if (run.opened < run.windows) {
      const Wait wait = waits_for(run);
      if (wait == Wait::input) given += ", waits for input pixels";
      if (wait == Wait::output) given += ", waits for room in a consumer's buffer";
    }
    problems.push_back({run.stage->name, given, "", "enlarge the buffers (edges' capacity) of the program"});
  }
  return problems;
}

}  // namespace bitline::cycle
