// SPDX-License-Identifier: Apache-2.0
// How fast tables of the DARTS space are made, on configs/isaac-8bit.yaml; read the CPU column.
//   build/release/bin/lut_bench
#include <benchmark/benchmark.h>

#include "tools/lut/lut.h"

namespace {

bitline::lut::Request request() {
  bitline::lut::Request request;
  request.arch = BITLINE_SOURCE_DIR "/configs/isaac-8bit.yaml";
  return request;
}

/// Of a network: cells, channels of the first.
void network(benchmark::State& state) {
  bitline::lut::Request of_network = request();
  of_network.network.emplace();
  of_network.network->layers = state.range(0);
  of_network.network->channels = state.range(1);
  std::size_t rows = 0;
  for (auto unused : state) {
    const bitline::lut::Table table = bitline::lut::make_table(of_network);
    rows += table.operations.size() + table.fixed.size();
  }
  state.counters["rows"] = benchmark::Counter(static_cast<double>(rows), benchmark::Counter::kAvgIterations);
}
BENCHMARK(network)->Args({8, 16})->Args({20, 36})->Unit(benchmark::kMillisecond);

/// Eight operations x two strides x three channels x three resolutions.
void operations(benchmark::State& state) {
  bitline::lut::Request of_operations = request();
  of_operations.channels = {16, 32, 64};
  of_operations.resolutions = {32, 16, 8};
  for (auto unused : state) benchmark::DoNotOptimize(bitline::lut::make_table(of_operations));
  state.SetItemsProcessed(state.iterations() * 8 * 2 * 9);
}
BENCHMARK(operations)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
