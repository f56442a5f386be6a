// SPDX-License-Identifier: Apache-2.0
#include "sim/simulate.h"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <set>

#include "models/arch/arch_loader.h"
#include "models/base/errors.h"
#include "sim/analyse.h"
#include "sim/analytic/estimate.h"
#include "sim/assemble.h"
#include "sim/chips.h"
#include "sim/cycle/runner.h"
#include "sim/deadline.h"
#include "sim/engine/engine.h"
#include "sim/prepare.h"
#include "sim/provenance.h"
#include "sim/result/output_folder.h"
#include "sim/seen_sums.h"
#include "sim/structural.h"
#include "sim/trace_request.h"
#include "sim/values.h"

namespace bitline::sim {
namespace {

/// Consecutive phases of the wall-clock time.
class Stopwatch {
 public:
  explicit Stopwatch(const Deadline& deadline) : deadline_(deadline) {}
  /// What has been done since the last call; seconds.
  double done(const char* phase) {
    const double now = deadline_.elapsed_s();
    phases_.push_back({phase, now - last_});
    last_ = now;
    return phases_.back().seconds;
  }
  [[nodiscard]] const std::vector<result::Profile::Phase>& phases() const { return phases_; }

 private:
  const Deadline& deadline_;
  double last_ = 0;
  std::vector<result::Profile::Phase> phases_;
};

void check(const SimulationRequest& request) {
  std::vector<base::Problem> problems;
  if (request.batch < 1)
    problems.push_back({"--batch", std::to_string(request.batch), "a whole number from 1", ""});
  if (request.timeout_s < 0)
    problems.push_back({"--timeout", fmt::format("{}", request.timeout_s), "seconds, 0 for no limit", ""});
  if (!request.labels.empty() && request.input.empty() && request.named_inputs.empty())
    problems.push_back(
        {"--labels", "given without --input", "", "give the images that the labels belong to"});
  if (request.trials < 1)
    problems.push_back({"--trials", std::to_string(request.trials), "a whole number from 1", ""});
  check_trace(request, problems);
  if (!problems.empty()) throw base::UsageError(std::move(problems));
}

/// Chips that are all the same would only look like a statistic.
void check_trials(const SimulationRequest& request, const arch::Arch& arch) {
  if (request.trials == 1 || chips_differ(arch)) return;
  throw base::UsageError(base::Problem{
      "--trials", fmt::format("{} chips of a machine whose chips do not differ", request.trials), "1",
      "switch on an effect that does, such as --set device.variation.model=normal"});
}

/// Runs the simulation of time; in structural mode also its comparison with the engine.
cycle::CycleResult simulate_time(const SimulationRequest& request, const Mapping& mapping,
                                 const engine::NetworkFunction& network,
                                 const std::vector<engine::ImageResult>& streamed, const Deadline& deadline) {
  const std::vector<cycle::LayerSource> layers = timed_layers(mapping);
  if (request.mode == Mode::analytic)
    return analytic::estimate(mapping.program, mapping.arch(), layers, request.batch);
  cycle::CycleOptions options;
  options.images = request.batch;
  options.wall_clock_limit_s = deadline.left_s();
  set_trace(request, options);
  if (request.progress)
    options.progress = [&request](std::int64_t done) { request.progress("time", done, request.batch); };
  if (request.mode == Mode::cycle)
    return cycle::simulate_cycles(mapping.program, mapping.arch(), layers, options);

  const StructuralCheck structural(mapping, network, streamed);
  options.structural = &structural.data();
  cycle::CycleResult timed = cycle::simulate_cycles(mapping.program, mapping.arch(), layers, options);
  structural.compare(timed);
  return timed;
}

/// Names of files for the outputs of a network, all different.
std::vector<std::string> output_files(const graph::Graph& graph) {
  std::vector<std::string> files;
  std::set<std::string> taken;
  for (const graph::ValueId id : graph.outputs) {
    const std::string stem = file_name(graph.values[static_cast<std::size_t>(id)].name);
    std::string file = stem + ".npy";
    for (int n = 1; !taken.insert(file).second; ++n) file = fmt::format("{}_{}.npy", stem, n);
    files.push_back(std::move(file));
  }
  return files;
}

/// Writes the outputs of a network image by image.
class OutputDump {
 public:
  OutputDump(const graph::Graph& graph, const result::OutputFolder& folder, std::int64_t images)
      : files_(output_files(graph)), folder_(folder), images_(images) {}
  void write(std::int64_t index, const Outputs& outputs) {
    for (std::size_t o = 0; o < files_.size(); ++o) {
      if (writers_.size() == o)
        writers_.push_back(
            std::make_unique<tensor::NpyWriter>(folder_.path(files_[o]), images_, outputs.at(o)));
      writers_[o]->write(index, outputs.at(o));
    }
  }
  void finish() {
    for (const auto& writer : writers_) writer->finish();
  }
  [[nodiscard]] std::string path(std::size_t output) const { return folder_.path(files_[output]); }

 private:
  std::vector<std::string> files_;
  result::OutputFolder folder_;
  std::int64_t images_;
  std::vector<std::unique_ptr<tensor::NpyWriter>> writers_;
};

/// The shape of one output of all images: joined along its first axis, scalars along a new one.
tensor::Shape joined_shape(tensor::Shape shape, std::int64_t images) {
  if (shape.empty()) return {images};
  shape.front() *= images;
  return shape;
}

result::Provenance provenance(const SimulationRequest& request, const Mapping& mapping, std::int64_t images) {
  result::Provenance p;
  p.version = result::version();
  p.mode = to_string(request.mode);
  add_files(request.files, mapping.machine, p);
  p.seed = request.seed;
  const bool given = !request.input.empty() || !request.named_inputs.empty();
  p.inputs = given ? "given" : "random";
  p.calibration = !request.calibration.empty() ? "given" : given ? "inputs" : "random";
  p.images_streamed = request.batch;
  p.images_evaluated = images;
  return p;
}

}  // namespace

const char* to_string(Mode mode) {
  switch (mode) {
    case Mode::cycle:
      return "cycle";
    case Mode::structural:
      return "structural";
    case Mode::analytic:
      break;
  }
  return "analytic";
}

namespace {

result::Result simulate_loaded(const SimulationRequest& request, arch::LoadedArch machine,
                               std::shared_ptr<const graph::Graph> graph, const Deadline& deadline,
                               Stopwatch& watch) {
  std::optional<result::OutputFolder> outputs;
  if (!request.dump_outputs.empty()) outputs.emplace(request.dump_outputs, "--dump-outputs");
  const Data data = load_data(request, *graph);
  std::optional<OutputDump> dump;
  if (outputs) dump.emplace(*graph, *outputs, data.images.count());
  watch.done("import");
  std::optional<reference::Executor> executor(graph);
  const auto ranges = quantize::calibrate(*executor, data.calibration, machine.arch.precision.activations);
  deadline.check("the calibration");
  watch.done("calibration");
  // Real weights, twice in memory until here, make room where nothing is scored against them.
  if (!data.labels) executor.reset();
  Mapping mapping = map_network(std::move(machine), std::move(graph), ranges, deadline.left_s());
  if (wants_sums(mapping.arch())) resolve_by_sums(mapping, data.calibration);
  deadline.check("the mapping");
  watch.done("mapping");
  const double prepared = deadline.elapsed_s();

  const engine::NetworkFunction network(mapping.graph, network_layers(mapping),
                                        mapping.arch().ima.gate_zero_chunks);
  const auto write = [&](std::int64_t i, const Outputs& values) {
    if (dump) dump->write(i, values);
  };
  ValuesRequest wanted;
  wanted.kept = request.batch;
  wanted.kept_integers = request.mode == Mode::structural;
  // With effects of devices, the exact integers are for costs and time only.
  const bool effects = has_effects(mapping.arch());
  const std::vector<std::int64_t>* const labels = data.labels ? &*data.labels : nullptr;
  const reference::Executor* const reference = executor ? &*executor : nullptr;
  if (effects) {
    wanted.only_kept = true;
  } else {
    wanted.labels = labels;
    wanted.reference = reference;
    wanted.dump_layers = request.dump_layers;
    if (dump) wanted.outputs = write;
  }
  Values values = run_images(network, data.images, wanted, deadline, request.progress);
  std::optional<result::DeviceResult> device;
  if (effects) {
    const ChipsRequest chips{request.trials, labels, reference, data.calibration, request.dump_layers, write};
    ChipsValues real = run_chips(mapping, network, data.images, chips, deadline, request.progress);
    device = std::move(real.device);
    values.accuracy = std::move(real.accuracy);
  }
  if (dump) dump->finish();
  const double valued = deadline.elapsed_s();
  watch.done("engine");

  const cycle::CycleResult timed = simulate_time(request, mapping, network, values.kept, deadline);
  const double kernel = watch.done("SystemC");
  result::Result r = assemble(mapping, timed, values.kept);
  const double done = deadline.elapsed_s();
  if (request.mode == Mode::analytic) r.estimate = estimate_of("measured", mapping.program, r);
  r.accuracy = values.accuracy;
  r.device = std::move(device);
  r.provenance = provenance(request, mapping, data.images.count());
  r.wall_time = {prepared, valued - prepared, done - valued, deadline.elapsed_s()};
  watch.done("result");
  r.profile = {watch.phases(), timed.events, kernel};
  return r;
}

/// Found before anything long is read.
void check_folders(const SimulationRequest& request) {
  if (!request.dump_outputs.empty()) result::OutputFolder(request.dump_outputs, "--dump-outputs");
  if (!request.dump_layers.empty()) result::OutputFolder(request.dump_layers, "--dump-layers");
}

}  // namespace

result::Result simulate(const SimulationRequest& request) {
  const Deadline deadline(request.timeout_s);
  Stopwatch watch(deadline);
  check(request);
  check_folders(request);
  arch::LoadedArch machine = arch::load_arch(request.files.arch, request.files.overrides);
  check_trials(request, machine.arch);
  std::shared_ptr<const graph::Graph> graph = import_network(request.files.network, request.files.dimensions);
  return simulate_loaded(request, std::move(machine), std::move(graph), deadline, watch);
}

result::Result simulate(const SimulationRequest& request, arch::LoadedArch machine,
                        const std::shared_ptr<const graph::Graph>& graph) {
  const Deadline deadline(request.timeout_s);
  Stopwatch watch(deadline);
  check(request);
  check_folders(request);
  check_trials(request, machine.arch);
  return simulate_loaded(request, std::move(machine), graph, deadline, watch);
}

InferResult infer(const InferRequest& request) {
  std::optional<result::OutputFolder> folder;
  if (!request.dump_outputs.empty()) folder.emplace(request.dump_outputs, "--dump-outputs");
  const std::shared_ptr<const graph::Graph> graph = import_network(request.network, request.dimensions);
  const Images images = input_images(*graph, request.input, request.named_inputs, request.normalisation);
  InferResult r;
  r.images = images.count();
  r.top1.resize(images.size());
  const auto labels = labels_of(request.labels, request.input, images, *graph);
  std::optional<OutputDump> dump;
  if (folder) dump.emplace(*graph, *folder, r.images);
  run_reference(reference::Executor(graph), images, [&](std::int64_t i, const Outputs& outputs) {
    if (r.outputs.empty())
      for (const tensor::Tensor& output : outputs)
        r.outputs.push_back({"", joined_shape(output.shape, r.images), ""});
    r.top1[static_cast<std::size_t>(i)] = best_of(outputs.front());
    if (dump) dump->write(i, outputs);
  });
  if (dump) dump->finish();
  for (std::size_t o = 0; o < r.outputs.size(); ++o) {
    r.outputs[o].name = graph->values[static_cast<std::size_t>(graph->outputs[o])].name;
    if (dump) r.outputs[o].file = dump->path(o);
  }
  if (labels) {
    std::int64_t right = 0;
    for (std::size_t i = 0; i < labels->size(); ++i) right += r.top1[i] == (*labels)[i] ? 1 : 0;
    r.accuracy = static_cast<double>(right) / static_cast<double>(r.images);
  }
  return r;
}

}  // namespace bitline::sim
