// SPDX-License-Identifier: Apache-2.0
#include "sim/analyse.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "mapper/graph/signs.h"
#include "mapper/place/window_table.h"
#include "models/arch/arch_loader.h"
#include "models/base/errors.h"
#include "sim/analytic/estimate.h"
#include "sim/assemble.h"
#include "sim/prepare.h"
#include "sim/provenance.h"

namespace bitline::sim {
namespace {

using analytic::InputKind;

void check(std::int64_t batch, const analytic::ActivityFactors& activity) {
  std::vector<base::Problem> problems;
  if (batch < 1) problems.push_back({"--batch", std::to_string(batch), "a whole number from 1", ""});
  for (const analytic::NamedFactor& factor : analytic::kFactors) {
    const double value = activity.*factor.member;
    if (!(value >= 0 && value <= 1) && value != analytic::kMeasured)
      problems.push_back(
          {fmt::format("activity {}", factor.name), fmt::format("{}", value), "a share from 0 to 1", ""});
  }
  if (!problems.empty()) throw base::UsageError(std::move(problems));
}

/// The range of each value, as far as its sign: activations are quantised by it.
std::vector<quantize::Range> assumed_ranges(const graph::Graph& graph) {
  constexpr bool kInputsCan =
      false;  // pixels; and random inputs, which mode `cycle` takes where none are given
  std::vector<quantize::Range> ranges;
  for (const bool negative : graph::can_be_negative(graph, kInputsCan))
    ranges.push_back({negative ? -1.0 : 0.0, 1.0});
  return ranges;
}

InputKind kind_of(const Mapping& mapping, std::size_t layer) {
  const graph::Graph& graph = *mapping.graph;
  const graph::ValueId input = graph.node(mapping.quants[layer]->node).inputs.front();
  if (std::find(graph.inputs.begin(), graph.inputs.end(), input) != graph.inputs.end())
    return InputKind::network;
  if (!mapping.quants[layer]->input.is_signed) return InputKind::nonnegative;
  const graph::NodeId producer = graph.values[static_cast<std::size_t>(input)].producer;
  const auto* conv =
      producer < 0 ? nullptr : std::get_if<graph::ConvAttributes>(&graph.node(producer).attributes);
  const bool grouped = conv != nullptr && (conv->group > 1 || conv->spread_groups > 1);
  return grouped ? InputKind::depthwise : InputKind::with_sign;
}

/// The share of a layer's inputs that are not padding, over all its windows.
double inside(const Mapping& mapping, std::size_t layer) {
  const place::Program& program = mapping.program;
  const place::Stage& stage = program.stages[static_cast<std::size_t>(program.layers[layer].stage)];
  const place::Edge& edge = program.edges[static_cast<std::size_t>(stage.inputs.front())];
  const place::Window& window = edge.window;
  if (window.kind != place::Window::Kind::sliding) return 1;
  const auto taps = [](std::int64_t extent, std::int64_t dilation) {
    return (extent + dilation - 1) / dilation;
  };
  const std::int64_t each =
      taps(window.kernel_h, window.dilation_h) * taps(window.kernel_w, window.dilation_w);
  return static_cast<double>(edge.table->all_taken) / static_cast<double>(each * stage.pixels);
}

std::vector<std::shared_ptr<const engine::LayerActivity>> activities(const Mapping& mapping,
                                                                     const KnownLayers& known,
                                                                     const analytic::ActivityFactors& factors,
                                                                     std::int64_t images) {
  std::vector<std::shared_ptr<const engine::LayerActivity>> result;
  result.reserve(mapping.program.layers.size());
  for (std::size_t l = 0; l < mapping.program.layers.size(); ++l)
    result.push_back(known.activity(mapping.program.layers[l], mapping.sliced[l], kind_of(mapping, l),
                                    inside(mapping, l), factors, images));
  return result;
}

/// What the factors are for inputs of the machine's usual bits.
std::vector<std::pair<std::string, double>> stated(const analytic::ActivityFactors& factors,
                                                   const arch::Arch& arch) {
  const auto share = [&](InputKind kind) {
    return analytic::share_of_ones(factors, kind, arch.precision.activations.bits,
                                   analytic::missing_bits(arch));
  };
  return {{"input", share(InputKind::network)},    {"nonnegative", share(InputKind::nonnegative)},
          {"signed", share(InputKind::with_sign)}, {"depthwise", share(InputKind::depthwise)},
          {"zero_reads", factors.zero_reads},      {"mean_level", factors.mean_level}};
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

result::Estimate estimate_of(const std::string& activity, const place::Program& program,
                             const result::Result& r) {
  const bool copies = std::any_of(program.layers.begin(), program.layers.end(),
                                  [](const place::LayerPlacement& layer) { return layer.replicas > 1; });
  const bool spread = std::any_of(program.stages.begin(), program.stages.end(),
                                  [](const place::Stage& stage) { return stage.parts > 1; });
  result::Estimate e;
  e.activity = activity;
  e.latency_error = spread   ? analytic::kLatencyErrorSpread
                    : copies ? analytic::kLatencyErrorWithCopies
                             : analytic::kLatencyError;
  e.interval_error = spread   ? analytic::kIntervalErrorSpread
                     : copies ? analytic::kIntervalErrorWithCopies
                              : analytic::kIntervalError;
  if (activity == "measured" || r.energy.total <= 0) return e;
  for (const auto& [component, joules] : r.energy.by_component)
    if (component == "dac" || component == "crossbar")
      e.energy_error += analytic::kActivityError * joules / r.energy.total;
  return e;
}

result::Result analyse(const arch::LoadedArch& machine, const std::shared_ptr<const graph::Graph>& graph,
                       std::int64_t batch, const analytic::ActivityFactors& activity) {
  const KnownLayers none(machine);
  return analyse(none, graph, batch, activity);
}

result::Result analyse(const KnownLayers& known, const std::shared_ptr<const graph::Graph>& graph,
                       std::int64_t batch, const analytic::ActivityFactors& activity, Rows rows) {
  const arch::LoadedArch& machine = known.machine();
  check(batch, activity);
  const auto start = std::chrono::steady_clock::now();
  const std::vector<quantize::Range> ranges = assumed_ranges(*graph);
  const Mapping mapping = needs_weights(*graph, machine.arch) ? map_network(machine, graph, ranges)
                                                              : map_shapes(known, graph, ranges);
  const double prepared = seconds_since(start);
  const cycle::CycleResult timed =
      analytic::estimate(mapping.program, mapping.arch(), timed_layers(mapping), batch);
  result::Result r = assemble(mapping, timed, activities(mapping, known, activity, batch), rows);
  r.estimate = estimate_of("given", mapping.program, r);
  r.estimate->factors = stated(activity, machine.arch);
  const double done = seconds_since(start);
  r.wall_time = {prepared, 0, done - prepared, done};
  r.provenance.version = result::version();
  r.provenance.mode = "analytic";
  r.provenance.inputs = "none";
  r.provenance.calibration = "none";
  r.provenance.images_streamed = batch;
  r.provenance.images_evaluated = batch;
  return r;
}

result::Result analyse(const AnalyticRequest& request) {
  const auto start = std::chrono::steady_clock::now();
  const arch::LoadedArch machine = arch::load_arch(request.files.arch, request.files.overrides);
  const auto graph = import_network(request.files.network, request.files.dimensions);
  const double imported = seconds_since(start);
  result::Result r = analyse(machine, graph, request.batch, request.activity);
  r.wall_time.prepare += imported;
  add_files(request.files, machine, r.provenance);
  r.provenance.seed = request.seed;
  r.wall_time.total = seconds_since(start);
  return r;
}

}  // namespace bitline::sim
