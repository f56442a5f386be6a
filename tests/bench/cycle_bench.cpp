// SPDX-License-Identifier: Apache-2.0
// Speed of the simulation of time: ResNet-18 at 224 x 224 and smaller networks of the same shape, placed on
// ISAAC with 8-bit weights and activations. Each iteration is a process of its own (SystemC has one kernel
// per process).
//   build/release/bin/cycle_bench
#include <benchmark/benchmark.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <string>

#include "sim/cycle/runner.h"
#include "tests/unit/mapper/place/networks.h"

namespace {

using namespace bitline;

/// ResNet-18 as a graph of shapes.
std::shared_ptr<const graph::Graph> resnet18(std::int64_t size) {
  place::testing::GraphBuilder g;
  graph::ValueId x = g.relu(g.conv(g.input({1, 3, size, size}), 64, 7, 2, 3));
  x = g.conv(x, 64, 3, 2, 1, 64);  // in place of the max pool: the same windows
  std::int64_t channels = 64;
  for (int block = 0; block < 8; ++block) {
    const bool first = block % 2 == 0 && block > 0;
    if (first) channels *= 2;
    const std::int64_t stride = first ? 2 : 1;
    const graph::ValueId skip = first ? g.conv(x, channels, 1, stride, 0) : x;
    const graph::ValueId a = g.relu(g.conv(x, channels, 3, stride, 1));
    x = g.relu(g.add(g.conv(a, channels, 3, 1, 1), skip));
  }
  return g.output(g.linear(g.flatten(g.global_pool(x)), 1000));
}

struct Speed {
  double seconds = 0;
  double events = 0;
  double jobs = 0;  ///< windows x IMAs
  double simulated = 0;
};

Speed run(const place::Program& program, const arch::Arch& arch,
          const std::vector<cycle::LayerSource>& layers) {
  const auto start = std::chrono::steady_clock::now();
  const cycle::CycleResult result = cycle::simulate_cycles(program, arch, layers);
  Speed speed;
  speed.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  speed.events = static_cast<double>(result.events);
  for (const place::LayerPlacement& layer : program.layers) {
    speed.jobs += static_cast<double>(layer.windows) * static_cast<double>(layer.imas.size());
  }
  speed.simulated = result.total.seconds();
  return speed;
}

Speed run_in_child(const place::Program& program, const arch::Arch& arch,
                   const std::vector<cycle::LayerSource>& layers) {
  int ends[2];
  Speed speed;
  if (pipe(ends) != 0) return speed;
  const pid_t child = fork();
  if (child == 0) {
    speed = run(program, arch, layers);
    _exit(write(ends[1], &speed, sizeof speed) == sizeof speed ? 0 : 1);
  }
  close(ends[1]);
  const bool complete = read(ends[0], &speed, sizeof speed) == sizeof speed;
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return complete ? speed : Speed{};
}

void ResNet18(benchmark::State& state) {
  arch::Arch arch = arch::load_arch(std::string(BITLINE_SOURCE_DIR) + "/configs/isaac-8bit.yaml").arch;
  arch.chip.tiles = 400;
  const auto graph = resnet18(state.range(0));
  const auto inputs = place::testing::sliced_layers(*graph, arch);
  const place::Program program = place::place(graph, arch, inputs);
  std::vector<cycle::LayerSource> layers;
  for (const place::LayerInput& input : inputs) layers.push_back({input.sliced, 8, false});
  Speed speed;
  for (auto _ : state) {
    speed = run_in_child(program, arch, layers);
    if (speed.seconds == 0) state.SkipWithError("the simulation failed");
    state.SetIterationTime(speed.seconds);
  }
  state.counters["events/s"] = speed.events / speed.seconds;
  state.counters["window_jobs/s"] = speed.jobs / speed.seconds;
  state.counters["window_jobs"] = speed.jobs;
  state.counters["simulated_s"] = speed.simulated;
}
BENCHMARK(ResNet18)
    ->Arg(32)
    ->Arg(64)
    ->Arg(224)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1);

}  // namespace

BENCHMARK_MAIN();
