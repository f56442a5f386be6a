// SPDX-License-Identifier: Apache-2.0
// Rates of the engine's kernels on one core: conversions per second where every conversion is made, and
// multiply-accumulates per second where the layer collapses to a matrix product. One benchmark per
// instruction set.
#include <benchmark/benchmark.h>
#include <tbb/global_control.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "mapper/slice/slicer.h"
#include "sim/engine/layer_function.h"

namespace {

using namespace bitline;

constexpr int kPositions = 256;

struct Shape {
  int rows = 128;
  int outputs = 128;
  int weight_bits = 16;
  int input_bits = 16;
  int cell_bits = 2;
  int dac_bits = 1;
  int adc_bits = 6;
};

std::shared_ptr<const slice::SlicedLayer> random_layer(const Shape& shape) {
  arch::Arch arch;
  arch.encoding.weights = arch::WeightEncoding::offset;
  arch.device.bits_per_cell = shape.cell_bits;
  arch.dac.bits = shape.dac_bits;
  arch.adc.resolution = {.policy = periphery::AdcPolicy::fixed, .bits = {shape.adc_bits}};
  quantize::LayerQuant quant;
  quant.weights.bits = shape.weight_bits;
  quant.input.bits = shape.input_bits;
  std::mt19937 random(1);
  const int limit = (1 << (shape.weight_bits - 1)) - 1;
  for (int i = 0; i < shape.rows * shape.outputs; ++i) {
    quant.weights.codes.push_back(static_cast<std::int32_t>(random() % (2 * limit + 1)) - limit);
  }
  return std::make_shared<slice::SlicedLayer>(slice::slice_layer(
      {.groups = 1, .outputs_per_group = shape.outputs, .rows_per_group = shape.rows}, quant, arch));
}

void run(benchmark::State& state, const std::string& target, const Shape& shape) {
  const tbb::global_control one_thread(tbb::global_control::max_allowed_parallelism, 1);
  engine::force_target(target);
  const auto layer = random_layer(shape);
  const engine::LayerFunction function(layer, {}, false);
  std::mt19937 random(2);
  std::vector<std::int32_t> x(static_cast<std::size_t>(kPositions) * shape.rows);
  for (std::int32_t& v : x) v = static_cast<std::int32_t>(random() % (1u << shape.input_bits));
  std::vector<std::int64_t> y(static_cast<std::size_t>(kPositions) * shape.outputs);
  for (auto _ : state) {
    function.run(x, y);
    benchmark::DoNotOptimize(y.data());
  }
  const double macs = static_cast<double>(kPositions) * shape.rows * shape.outputs;
  const double conversions =
      static_cast<double>(kPositions) * shape.outputs * static_cast<double>(layer->slices.size()) *
      static_cast<double>(layer->chunks.size()) * static_cast<double>(layer->blocks.size());
  const auto rate = benchmark::Counter::kIsIterationInvariantRate;
  if (function.converting_sets() > 0) state.counters["conversions/s"] = benchmark::Counter(conversions, rate);
  state.counters["MAC/s"] = benchmark::Counter(macs, rate);
  engine::force_target("");
}

void add(const std::string& name, const std::string& target, const Shape& shape) {
  benchmark::RegisterBenchmark((name + "/" + target).c_str(), [target, shape](benchmark::State& state) {
    run(state, target, shape);
  })->Unit(benchmark::kMillisecond);
}

}  // namespace

int main(int argc, char** argv) {
  for (const std::string& target : engine::supported_targets()) {
    Shape shape;
    add("clipping, 128 rows, 2-bit cells, 1-bit DAC", target, shape);
    shape.cell_bits = 4;
    shape.dac_bits = 2;
    add("clipping, 128 rows, 4-bit cells, 2-bit DAC", target, shape);
    shape.cell_bits = shape.dac_bits = 8;
    shape.adc_bits = 12;
    add("clipping, 128 rows, 8-bit cells, 8-bit DAC", target, shape);
    shape = {};
    shape.rows = 1152;
    shape.adc_bits = 10;
    add("collapsed, 1152 rows, 16 x 16 bits", target, shape);
    shape.weight_bits = shape.input_bits = 8;
    add("collapsed, 1152 rows, 8 x 8 bits", target, shape);
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
