// SPDX-License-Identifier: Apache-2.0
// Time of an import against the number of nodes: BigO must come out as N (or N lg N, where the caches end),
// not N^2.
//   build/release/bin/import_bench
#include <benchmark/benchmark.h>

#include <string>

#include "mapper/onnx/import.h"

namespace {

/// A length-delimited field of a protobuf message.
std::string field(int number, const std::string& data) {
  std::string bytes(1, static_cast<char>(number << 3 | 2));
  std::size_t size = data.size();
  for (; size > 127; size >>= 7) bytes += static_cast<char>((size & 127) | 128);
  return bytes + static_cast<char>(size) + data;
}

std::string value(std::int64_t i) {
  return std::string("v").append(std::to_string(i));
}

/// x [1,4] -> Relu -> Relu -> ... -> Add with a constant that is folded, `nodes` of each.
std::string chain(std::int64_t nodes) {
  const std::string dimension = field(1, std::string("\x08\x04", 2));  // 4
  const std::string type = field(1, std::string("\x08\x01", 2) + field(2, dimension));
  std::string graph = field(11, field(1, value(0)) + field(2, type)) + field(12, field(1, value(nodes)));
  graph += field(5, std::string("\x08\x04\x10\x01", 4) + field(8, "c") + field(9, std::string(16, '\0')));
  for (std::int64_t i = 0; i < nodes; ++i) {
    graph += field(1, field(1, value(i)) + field(2, value(i + 1)) + field(4, "Relu"));
    graph += field(1, field(1, "c") + field(1, "c") + field(2, std::string("c").append(std::to_string(i))) +
                          field(4, "Add"));
  }
  return field(8, std::string("\x10\x0d", 2)) + field(7, graph);
}

void import_of_nodes(benchmark::State& state) {
  const std::string bytes = chain(state.range(0));
  for (auto unused : state) {
    const bitline::graph::Graph graph = bitline::onnx::import_onnx_bytes(bytes, "chain.onnx");
    if (graph.nodes.size() != static_cast<std::size_t>(state.range(0)))
      state.SkipWithError("nodes are missing");
  }
  state.SetComplexityN(state.range(0));
}
BENCHMARK(import_of_nodes)
    ->RangeMultiplier(4)
    ->Range(1 << 10, 1 << 18)
    ->Complexity()
    ->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
