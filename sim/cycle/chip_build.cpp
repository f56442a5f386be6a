// SPDX-License-Identifier: Apache-2.0
// Construction of the chip from the program: modules for what is used, and per stage where pixels go.
#include <algorithm>
#include <string>

#include "models/base/errors.h"
#include "models/ima/ima_function.h"
#include "models/ima/transaction_ima.h"
#include "sim/cycle/chip.h"

namespace bitline::cycle {

namespace {

WorkStep step_of(place::Unit unit, std::int64_t elements) {
  switch (unit) {
    case place::Unit::activation:
      return {TileOp::activation, base::Action::activation, elements};
    case place::Unit::pooling:
      return {TileOp::pooling, base::Action::pooling, elements};
    case place::Unit::elementwise:
      return {TileOp::elementwise, base::Action::elementwise, elements};
    case place::Unit::requantise:
      return {TileOp::requantise, base::Action::requantise, elements};
    case place::Unit::none:
      break;
  }
  BITLINE_CHECK(false);
  return {};
}

}  // namespace

Chip::Chip(const sc_core::sc_module_name& name, const place::Program& program, const arch::Arch& arch,
           const std::vector<LayerSource>& layers, const CycleOptions& options)
    : sc_core::sc_module(name),
      program_(program),
      arch_(arch),
      options_(options),
      topology_(arch.chip.tiles, arch.chip.mesh_width, arch.noc.tiles_per_router),
      tiles_(static_cast<std::size_t>(arch.chip.tiles) * static_cast<std::size_t>(program.chips)),
      stages_(program.stages.size()),
      image_start_(static_cast<std::size_t>(options.images), base::Time::from_fs(-1)),
      image_end_(static_cast<std::size_t>(options.images)),
      images_left_(options.images) {
  if (options.trace) trace_ = std::make_unique<ChipTrace>(*options.trace, program);
  build_network();
  for (std::size_t s = 0; s < stages_.size(); ++s) build_stage(static_cast<int>(s), layers);
  for (StageRun& run : stages_) build_sources(run);
  build_edges();
  build_phases();
  const auto is_output = [](const place::Stage& stage) {
    return stage.kind == place::StageKind::output && !stage.stored;
  };
  const auto outputs = std::count_if(program.stages.begin(), program.stages.end(), is_output);
  outputs_left_.assign(static_cast<std::size_t>(options.images), static_cast<int>(outputs));
  SC_HAS_PROCESS(Chip);
  SC_METHOD(start);
  SC_METHOD(complete_due);
  sensitive << completions_.event();
  dont_initialize();
}

Chip::~Chip() = default;

void Chip::build_network() {
  for (int chip = 0; chip < program_.chips; ++chip) {
    const std::string number = program_.chips == 1 ? "" : std::to_string(chip);
    meshes_.push_back(std::make_unique<noc::MeshModule>(("mesh" + number).c_str(), arch_.noc, topology_,
                                                        chip * topology_.routers()));
    meshes_.back()->client(*this);
    links_.push_back(std::make_unique<noc::LinkModule>(("chip_link" + number).c_str(), arch_.chip.link));
    links_.back()->client(*this);
  }
}

tile::TileAccess& Chip::tile(int index) {
  std::unique_ptr<tile::TileModule>& module = tiles_.at(static_cast<std::size_t>(index));
  if (!module) {
    module = std::make_unique<tile::TileModule>(("tile" + std::to_string(index)).c_str(), arch_.tile);
    module->client(*this);
  }
  return module->access;
}

void Chip::build_stage(int index, const std::vector<LayerSource>& layers) {
  StageRun& run = stages_[static_cast<std::size_t>(index)];
  run.stage = &program_.stages[static_cast<std::size_t>(index)];
  run.windows = run.stage->pixels * options_.images;
  if (run.stage->kind != place::StageKind::crossbar) return;
  const auto layer = static_cast<std::size_t>(run.stage->layer);
  run.layer = &program_.layers.at(layer);
  BITLINE_CHECK(run.layer->windows == run.stage->pixels);
  build_imas(index, layers.at(layer));
  std::vector<int> imas(static_cast<std::size_t>(run.layer->replicas), 0);
  for (const place::ImaPart& part : run.layer->imas) ++imas.at(static_cast<std::size_t>(part.replica));
  run.filled = run.latched = run.drained = ItemCounter(imas);
  if (run.layer->after >= 0)
    stages_[static_cast<std::size_t>(program_.layers.at(static_cast<std::size_t>(run.layer->after)).stage)]
        .next_user = index;
  for (const place::Join& join : run.layer->joins) run.joins.emplace_back(join.parts);
}

void Chip::build_imas(int index, const LayerSource& source) {
  StageRun& run = stages_[static_cast<std::size_t>(index)];
  const bool structural = options_.structural != nullptr;
  for (std::size_t part = 0; part < run.layer->imas.size(); ++part) {
    const place::ImaPart& place = run.layer->imas[part];
    static_cast<void>(tile(place.tile));
    auto agent = std::make_unique<ImaAgent>(*this, index, static_cast<int>(part));
    agent->planned = build_plan(place, source, arch_, structural);
    agent->register_actions = ima::register_actions(agent->planned.plan, 1);
    agent->credits = arch_.ima.input_register.buffers;
    const ima::ImaTimingParams timing = timing_params(agent->planned.plan, arch_);
    for (const base::Time conversion : timing.conversion) {
      agent->adc_time += conversion * timing.chunks;
      agent->shortest_read += base::align_up(timing.read_latency, timing.clock) * timing.chunks;
    }
    std::string name = "ima" + std::to_string(place.tile) + "_" + std::to_string(place.ima);
    // A user of shared IMAs has them to itself until their results are drained, and a phase until it is over,
    // so each sees them as its own.
    if (run.layer->after >= 0 || !program_.phases.empty()) name.append("_").append(std::to_string(index));
    if (structural) {
      agent->module =
          std::make_unique<ima::StructuralIma>(name.c_str(), structural_params(arch_), agent->planned.plan);
    } else {
      agent->module = std::make_unique<ima::TransactionIma>(name.c_str(), timing);
      agent->planned = {};
    }
    agent->module->client(*agent);
    run.imas.push_back(std::move(agent));
  }
}

void Chip::build_sources(StageRun& run) {
  if (run.stage->kind == place::StageKind::output) return;
  if (run.layer != nullptr) {
    for (const place::Join& join : run.layer->joins) run.sources.push_back({join.tile, join.replica, {}, {}});
  } else {
    for (const int tile : run.stage->tiles) run.sources.push_back({tile, 0, {}, {}});
    run.latched = ItemCounter(static_cast<int>(run.sources.size()));
  }
  for (std::size_t part = 0; part < run.sources.size(); ++part) {
    static_cast<void>(tile(run.sources[part].tile));
    // What the joins of one replica make of each of its pixels.
    std::vector<std::int64_t> weights(run.sources.size(), run.layer == nullptr ? 1 : 0);
    for (std::size_t j = 0; run.layer != nullptr && j < weights.size(); ++j) {
      const place::Join& join = run.layer->joins[j];
      if (join.replica == run.sources[part].replica) weights[j] = join.outputs;
    }
    add_work(run, part, weights);
    add_shares(run, part, weights);
  }
}

void Chip::add_work(StageRun& run, std::size_t part, const std::vector<std::int64_t>& weights) {
  const auto reduces = [&](place::EdgeId e) {
    return program_.edges[static_cast<std::size_t>(e)].window.kind == place::Window::Kind::reduce;
  };
  // The first work of a reducing stage is done pixel by pixel as its input arrives.
  bool absorbing = std::any_of(run.stage->inputs.begin(), run.stage->inputs.end(), reduces);
  for (const place::UnitWork& unit : run.stage->work) {
    const std::int64_t elements = split(unit.elements, weights, part);
    if (unit.unit == place::Unit::none || elements == 0) continue;
    std::vector<WorkStep>& steps = absorbing ? run.absorbing : run.sources[part].work;
    steps.push_back(step_of(unit.unit, elements));
    absorbing = false;
  }
}

void Chip::add_shares(StageRun& run, std::size_t part, const std::vector<std::int64_t>& weights) {
  for (const place::EdgeId e : run.stage->outputs) {
    const place::Edge& edge = program_.edges[static_cast<std::size_t>(e)];
    const bool leaves =
        program_.stages[static_cast<std::size_t>(edge.consumer)].kind == place::StageKind::output;
    for (const place::Delivery& delivery : edge.deliveries) {
      if (!leaves) static_cast<void>(tile(delivery.tile));
      run.sources[part].shares.push_back(
          {e, delivery.tile, split(delivery.pixel_bytes, weights, part), leaves});
    }
  }
}

void Chip::build_edges() {
  for (std::size_t e = 0; e < program_.edges.size(); ++e) {
    const place::Edge& edge = program_.edges[e];
    const StageRun& producer = stages_[static_cast<std::size_t>(edge.producer)];
    std::vector<int> shares(
        producer.layer == nullptr ? 1 : static_cast<std::size_t>(producer.layer->replicas), 0);
    for (const Source& source : producer.sources) {
      const auto here = std::count_if(source.shares.begin(), source.shares.end(),
                                      [&](const Share& share) { return share.edge == static_cast<int>(e); });
      shares.at(static_cast<std::size_t>(source.replica)) += static_cast<int>(here);
    }
    BITLINE_CHECK(*std::min_element(shares.begin(), shares.end()) > 0);
    edges_.emplace_back(edge, producer.stage->pixels,
                        stages_[static_cast<std::size_t>(edge.consumer)].stage->pixels, shares);
  }
}

}  // namespace bitline::cycle
