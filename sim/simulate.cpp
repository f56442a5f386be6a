// SPDX-License-Identifier: Apache-2.0
#include "sim/simulate.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "models/arch/arch_loader.h"
#include "models/base/errors.h"
#include "models/base/files.h"
#include "sim/assemble.h"
#include "sim/cycle/runner.h"
#include "sim/deadline.h"
#include "sim/engine/engine.h"
#include "sim/result/output_folder.h"
#include "sim/result/sha256.h"
#include "sim/structural.h"
#include "sim/values.h"

namespace bitline::sim {
namespace {

constexpr std::int64_t kLargestNetwork = std::int64_t{1} << 31;

/// What a simulation reads.
struct Data {
  Images images;
  std::optional<std::vector<std::int64_t>> labels;
  Images calibration;
};

Images first(const Images& images, std::int64_t count) {
  return {images.begin(), images.begin() + std::min<std::ptrdiff_t>(count, std::ssize(images))};
}

void check(const SimulationRequest& request) {
  std::vector<base::Problem> problems;
  if (request.batch < 1)
    problems.push_back({"--batch", std::to_string(request.batch), "a whole number from 1", ""});
  if (request.timeout_s < 0)
    problems.push_back({"--timeout", fmt::format("{}", request.timeout_s), "seconds, 0 for no limit", ""});
  if (!request.labels.empty() && request.input.empty())
    problems.push_back(
        {"--labels", "given without --input", "", "give the images that the labels belong to"});
  if (!problems.empty()) throw base::UsageError(std::move(problems));
}

Data load(const SimulationRequest& request, const graph::Graph& graph) {
  Data data;
  data.images = request.input.empty() ? random_images(graph, request.batch, request.seed)
                                      : load_images(graph, request.input, "--input");
  const auto count = static_cast<std::int64_t>(data.images.size());
  if (request.batch > count)
    throw base::UsageError(base::Problem{"--batch", fmt::format("{} images to stream", request.batch),
                                         fmt::format("1 to {}, the images of --input", count), ""});
  if (!request.labels.empty()) data.labels = load_labels(request.labels, count, classes(graph));
  data.calibration = request.calibration.empty() ? first(data.images, kCalibrationImages)
                                                 : load_images(graph, request.calibration, "--calibrate");
  return data;
}

std::vector<engine::NetworkLayer> network_layers(const Mapping& mapping) {
  std::vector<engine::NetworkLayer> layers;
  for (std::size_t i = 0; i < mapping.quants.size(); ++i)
    layers.push_back({mapping.quants[i], mapping.sliced[i],
                      place::drive_sets(mapping.program.layers[i], *mapping.sliced[i])});
  return layers;
}

/// Runs the simulation of time; in structural mode also its comparison with the engine.
cycle::CycleResult simulate_time(const SimulationRequest& request, const Mapping& mapping,
                                 const engine::NetworkFunction& network,
                                 const std::vector<engine::ImageResult>& streamed, const Deadline& deadline) {
  std::vector<cycle::LayerSource> layers;
  for (std::size_t i = 0; i < mapping.quants.size(); ++i)
    layers.push_back({mapping.sliced[i], mapping.quants[i].input.bits, mapping.quants[i].input.is_signed});
  cycle::CycleOptions options;
  options.images = request.batch;
  options.wall_clock_limit_s = deadline.left_s();
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

/// Output `index` of every image as one array.
template <class OutputsOf>
tensor::Tensor joined_output(std::size_t images, std::size_t index, const OutputsOf& outputs_of) {
  std::vector<const tensor::Tensor*> parts;
  for (std::size_t i = 0; i < images; ++i) parts.push_back(&outputs_of(i)[index]);
  return join_images(parts);
}

void dump_outputs(const graph::Graph& graph, const std::vector<engine::ImageResult>& values,
                  const result::OutputFolder& folder) {
  const std::vector<std::string> files = output_files(graph);
  for (std::size_t o = 0; o < files.size(); ++o) {
    const auto outputs_of = [&](std::size_t i) -> const auto& {
      return values[i].outputs;
    };
    tensor::save_npy(folder.path(files[o]), joined_output(values.size(), o, outputs_of));
  }
}

result::Provenance provenance(const SimulationRequest& request, const Mapping& mapping, std::int64_t images) {
  result::Provenance p;
  p.version = result::version();
  p.mode = request.mode == Mode::cycle ? "cycle" : "structural";
  p.network = request.files.network;
  p.network_sha256 = result::sha256(base::read_file(request.files.network, kLargestNetwork));
  p.arch = request.files.arch;
  p.overrides = request.files.overrides;
  std::string resolved;
  for (const arch::ConstantSource& c : mapping.machine.constants) {
    p.config.push_back({c.key, c.value, c.source});
    resolved += fmt::format("{}={}\n", c.key, c.value);
  }
  p.config_sha256 = result::sha256(resolved);
  p.seed = request.seed;
  p.inputs = request.input.empty() ? "random" : "given";
  p.calibration = !request.calibration.empty() ? "given" : request.input.empty() ? "random" : "inputs";
  p.images_streamed = request.batch;
  p.images_evaluated = images;
  return p;
}

}  // namespace

result::Result simulate(const SimulationRequest& request) {
  const Deadline deadline(request.timeout_s);
  check(request);
  std::optional<result::OutputFolder> outputs;
  if (!request.dump_outputs.empty()) outputs.emplace(request.dump_outputs, "--dump-outputs");
  if (!request.dump_layers.empty()) result::OutputFolder(request.dump_layers, "--dump-layers");

  arch::LoadedArch machine = arch::load_arch(request.files.arch, request.files.overrides);
  const std::shared_ptr<const graph::Graph> graph = import_network(request.files.network);
  const Data data = load(request, *graph);
  const reference::Executor executor(graph);
  const auto ranges = quantize::calibrate(executor, data.calibration, machine.arch.precision.activations);
  deadline.check("the calibration");
  const Mapping mapping = map_network(std::move(machine), graph, ranges);
  deadline.check("the mapping");
  const double prepared = deadline.elapsed_s();

  const engine::NetworkFunction network(graph, network_layers(mapping), mapping.arch().ima.gate_zero_chunks);
  const std::int64_t kept = !request.dump_layers.empty()       ? std::ssize(data.images)
                            : request.mode == Mode::structural ? request.batch
                                                               : 0;
  std::vector<engine::ImageResult> values =
      run_images(network, data.images, kept, deadline, request.progress);
  if (outputs) dump_outputs(*graph, values, *outputs);
  if (!request.dump_layers.empty()) engine::dump_layers(request.dump_layers, network, values);
  std::optional<result::Accuracy> scored;
  if (data.labels) scored = accuracy(values, run_reference(executor, data.images, deadline), *data.labels);
  const double valued = deadline.elapsed_s();

  values.resize(static_cast<std::size_t>(request.batch));
  const cycle::CycleResult timed = simulate_time(request, mapping, network, values, deadline);
  result::Result r = assemble(mapping, timed, values);
  const double done = deadline.elapsed_s();
  r.accuracy = scored;
  r.provenance = provenance(request, mapping, static_cast<std::int64_t>(data.images.size()));
  r.wall_time = {prepared, valued - prepared, done - valued, deadline.elapsed_s()};
  return r;
}

InferResult infer(const InferRequest& request) {
  std::optional<result::OutputFolder> folder;
  if (!request.dump_outputs.empty()) folder.emplace(request.dump_outputs, "--dump-outputs");
  const std::shared_ptr<const graph::Graph> graph = import_network(request.network);
  const Images images = load_images(*graph, request.input, "--input");
  std::vector<std::int64_t> labels;
  InferResult r;
  r.images = static_cast<std::int64_t>(images.size());
  if (!request.labels.empty()) labels = load_labels(request.labels, r.images, classes(*graph));

  const auto outputs = run_reference(reference::Executor(graph), images, Deadline(0));
  const std::vector<std::string> files = output_files(*graph);
  for (std::size_t o = 0; o < files.size(); ++o) {
    const auto outputs_of = [&](std::size_t i) -> const auto& {
      return outputs[i];
    };
    const tensor::Tensor joined = joined_output(outputs.size(), o, outputs_of);
    InferResult::Output output{graph->values[static_cast<std::size_t>(graph->outputs[o])].name, joined.shape,
                               ""};
    if (folder) tensor::save_npy(output.file = folder->path(files[o]), joined);
    r.outputs.push_back(std::move(output));
  }
  for (const auto& image : outputs) {
    const auto& scores = image.front().as<float>();
    r.top1.push_back(std::max_element(scores.begin(), scores.end()) - scores.begin());
  }
  if (!labels.empty()) {
    std::int64_t right = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) right += r.top1[i] == labels[i] ? 1 : 0;
    r.accuracy = static_cast<double>(right) / static_cast<double>(r.images);
  }
  return r;
}

}  // namespace bitline::sim
