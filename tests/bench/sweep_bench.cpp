// SPDX-License-Identifier: Apache-2.0
// What a sweep does beside its simulations: fronts, samples, machines, the journal. Whole sweeps and their
// page: sweep_bench.py.
//   build/release/bin/sweep_bench
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <random>

#include "models/arch/arch_loader.h"
#include "models/base/files.h"
#include "tools/sweep/journal.h"
#include "tools/sweep/pareto.h"
#include "tools/sweep/sampling.h"

namespace {

using namespace bitline::sweep;

/// On a sphere every point is on the front, in a cube few are.
std::vector<std::vector<double>> values(std::int64_t points, std::int64_t objectives, bool sphere) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> uniform(0, 1);
  std::vector<std::vector<double>> result(static_cast<std::size_t>(points));
  for (auto& point : result) {
    double square = 0;
    for (std::int64_t i = 0; i < objectives; ++i) {
      point.push_back(uniform(random));
      square += point.back() * point.back();
    }
    for (double& x : point) x = sphere ? 1 - x / std::sqrt(square) : x;
  }
  return result;
}

void front(benchmark::State& state) {
  const auto points = values(state.range(0), state.range(1), state.range(2) != 0);
  for (auto _ : state) benchmark::DoNotOptimize(pareto_front(points));
}
BENCHMARK(front)
    ->ArgNames({"points", "objectives", "sphere"})
    ->ArgsProduct({{1000, 10'000}, {2, 3, 4}, {0, 1}})
    ->Unit(benchmark::kMillisecond);

void sobol(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(sobol_points(state.range(0), 8, 1));
}
BENCHMARK(sobol)->Arg(10'000)->Unit(benchmark::kMillisecond);

/// The machine of a point: its file read each time, and read once.
void machine_parsed(benchmark::State& state) {
  const std::string yaml = bitline::base::read_file(BITLINE_SOURCE_DIR "/configs/isaac-8bit.yaml", 1 << 20);
  for (auto _ : state)
    benchmark::DoNotOptimize(bitline::arch::parse_arch(yaml, "machine", {"crossbar.read_latency=50 ns"}));
}
BENCHMARK(machine_parsed)->Unit(benchmark::kMicrosecond);

void machine_kept(benchmark::State& state) {
  bitline::arch::ArchText text(
      bitline::base::read_file(BITLINE_SOURCE_DIR "/configs/isaac-8bit.yaml", 1 << 20), "machine");
  for (auto _ : state) benchmark::DoNotOptimize(text.with({"crossbar.read_latency=50 ns"}));
}
BENCHMARK(machine_kept)->Unit(benchmark::kMicrosecond);

/// A record without its flush, which costs what the disk costs.
void journal_add(benchmark::State& state) {
  const std::string path = std::filesystem::temp_directory_path() / ("bench-" + std::to_string(getpid()));
  {
    Journal journal(path, {{"schema", "bench"}});
    const Json record = {{"point", "0001"}, {"figures", figures_json({})}};
    for (auto _ : state) journal.add(record);
  }
  std::filesystem::remove(path);
}
BENCHMARK(journal_add)->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
