// SPDX-License-Identifier: Apache-2.0
// How fast the cost oracle answers, on configs/isaac-8bit.yaml; read the CPU column.
//   build/release/bin/oracle_bench
// cold: the first evaluation of the process. warm: the process has evaluated this network, and keeps what is
// known of layers, windows and the times of stages, but neither its graph nor its cost; imported: its graph
// too. again: its cost is known. genotypes: networks that were never met.
#include <benchmark/benchmark.h>

#include <array>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "models/arch/arch_loader.h"
#include "models/base/files.h"
#include "sim/analyse.h"
#include "tools/oracle/oracle.h"

namespace {

using bitline::oracle::Oracle;
using bitline::oracle::Request;

constexpr const char* kArch = BITLINE_SOURCE_DIR "/configs/isaac-8bit.yaml";

Request darts(const std::string& genotype) {
  Request request;
  request.network.workload = "darts";
  request.network.options.genotype = genotype;
  request.arch = kArch;
  return request;
}

Request file(const std::string& path) {
  Request request;
  request.network.path = path;
  request.arch = kArch;
  return request;
}

/// A random cell of the space, two different inputs for each node.
std::string random_cell(std::mt19937& random) {
  constexpr std::array kOperations = {"max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3",
                                      "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5"};
  std::string cell;
  for (unsigned node = 0; node < 4; ++node) {
    const unsigned first = random() % (node + 2);
    const unsigned second = (first + 1 + random() % (node + 1)) % (node + 2);
    for (const unsigned input : {first, second})
      cell += std::string(cell.empty() ? "" : ",") + "[\"" + kOperations[random() % kOperations.size()] +
              "\"," + std::to_string(input) + "]";
  }
  return "[" + cell + "]";
}

void darts_v2_cold(benchmark::State& state) {
  for (auto unused : state) {
    Oracle oracle("bitline");
    benchmark::DoNotOptimize(oracle.answer(darts("DARTS_V2")));
  }
}
BENCHMARK(darts_v2_cold)->Iterations(1)->Unit(benchmark::kMillisecond);

/// From the genotype to the figures, with neither the graph nor the cost of this network kept.
void darts_v2_warm(benchmark::State& state) {
  const bitline::sim::KnownLayers machine(bitline::arch::load_arch(kArch, {}));
  for (auto unused : state) {
    const auto graph =
        std::make_shared<const bitline::graph::Graph>(bitline::workloads::make_shapes("darts"));
    benchmark::DoNotOptimize(bitline::sim::analyse(machine, graph, 1, {}, bitline::sim::Rows::none));
  }
}
BENCHMARK(darts_v2_warm)->Unit(benchmark::kMillisecond);

void darts_v2_imported(benchmark::State& state) {
  Oracle oracle("bitline");
  const Request request = darts("DARTS_V2");
  benchmark::DoNotOptimize(oracle.analyse(request, bitline::sim::Rows::none));
  for (auto unused : state) benchmark::DoNotOptimize(oracle.analyse(request, bitline::sim::Rows::none));
}
BENCHMARK(darts_v2_imported)->Unit(benchmark::kMillisecond);

void darts_v2_again(benchmark::State& state) {
  Oracle oracle("bitline");
  const Request request = darts("DARTS_V2");
  benchmark::DoNotOptimize(oracle.answer(request));
  for (auto unused : state) benchmark::DoNotOptimize(oracle.answer(request));
}
BENCHMARK(darts_v2_again)->Unit(benchmark::kMicrosecond);

/// Genotypes that all differ, by depth, channels of the first cells and pixels: the search on digits, the
/// search network of DARTS, its CIFAR-10 network. So many that the benchmark is run once: again, it would
/// have met them.
void genotypes(benchmark::State& state) {
  Oracle oracle("bitline");
  std::mt19937 random(1);
  for (auto unused : state) {
    const std::string normal = random_cell(random);
    Request request = darts(R"({"normal":)" + normal + R"(,"reduce":)" + random_cell(random) + "}");
    request.network.options.layers = state.range(0);
    request.network.options.channels = state.range(1);
    request.network.options.resolution = state.range(2);
    benchmark::DoNotOptimize(oracle.answer(request));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(genotypes)
    ->Args({3, 16, 8})
    ->Args({8, 16, 16})
    ->Args({8, 16, 32})
    ->Args({20, 36, 32})
    ->Iterations(200)
    ->Unit(benchmark::kMillisecond);

void from_onnx(benchmark::State& state, const char* name) {
  const std::string path =
      std::filesystem::temp_directory_path() / (std::string("oracle_bench-") + name + ".onnx");
  bitline::base::write_file_atomically(path, bitline::workloads::make(name, 1));
  for (auto unused : state) {
    Oracle oracle("bitline");
    benchmark::DoNotOptimize(oracle.answer(file(path)));
  }
  std::filesystem::remove(path);
}
BENCHMARK_CAPTURE(from_onnx, darts_v2, "darts")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(from_onnx, resnet18, "resnet18")->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
