// SPDX-License-Identifier: Apache-2.0
// Conversions per second on cells that are not ideal: one layer of 128 rows, 2-bit cells and 1-bit reads,
// without and with noise; and cells programmed per second.
#include <benchmark/benchmark.h>

#include <random>

#include "mapper/place/partition.h"
#include "mapper/slice/slicer.h"
#include "sim/engine/analog_layer.h"

namespace {

using namespace bitline;

constexpr int kRows = 128;
constexpr int kOutputs = 128;
constexpr int kPositions = 256;

engine::AnalogSource layer(const arch::Arch& arch) {
  std::mt19937 random(1);
  quantize::LayerQuant quant;
  quant.weights.bits = quant.input.bits = 8;
  for (int i = 0; i < kRows * kOutputs; ++i)
    quant.weights.codes.push_back(static_cast<std::int32_t>(random() % 255) - 127);
  quant.weights.scale.assign(kOutputs, 1.0);
  engine::AnalogSource source;
  source.sliced = std::make_shared<slice::SlicedLayer>(
      slice::slice_layer({.groups = 1, .outputs_per_group = kOutputs, .rows_per_group = kRows}, quant, arch));
  source.imas.emplace_back();
  for (place::CrossbarPiece& piece : place::partition("layer", *source.sliced, arch).pieces)
    source.imas.back().crossbars.own().push_back(std::move(piece.part));
  return source;
}

engine::AnalogSetup chip(bool noisy) {
  engine::AnalogSetup setup;
  setup.device.effects.variation = device::Variation::measured;
  if (noisy) setup.device.effects.read_noise = 0.01;
  if (noisy) setup.adc.noise = 0.1;
  setup.adc_of = [](int, int) { return 0; };
  return setup;
}

class Inputs final : public engine::InputSource {
 public:
  Inputs() : x_(kPositions * kRows) {
    std::mt19937 random(2);
    for (std::int32_t& x : x_) x = random() % 2 == 0 ? 0 : static_cast<std::int32_t>(random() % 256);
  }
  [[nodiscard]] std::int64_t positions() const override { return kPositions; }
  void gather(std::int64_t first, int count, std::int32_t* out) const override {
    std::copy_n(x_.begin() + first * kRows, count * kRows, out);
  }

 private:
  std::vector<std::int32_t> x_;
};

class Nothing final : public engine::OutputSink {
 public:
  void store(std::int64_t, int, const std::int64_t* y) override { benchmark::DoNotOptimize(*y); }
};

arch::Arch machine() {
  arch::Arch arch;
  arch.precision.weights.bits = arch.precision.activations.bits = 8;
  return arch;
}

void read(benchmark::State& state) {
  const engine::AnalogSetup setup = chip(state.range(0) != 0);
  const engine::AnalogLayer analog(layer(machine()), setup);
  const Inputs inputs;
  Nothing sink;
  std::int64_t conversions = 0;
  for (auto _ : state) conversions += analog.run(0, 0, inputs, sink).conversions;
  state.counters["conversions"] =
      benchmark::Counter(static_cast<double>(conversions), benchmark::Counter::kIsRate);
}
BENCHMARK(read)->Arg(0)->Arg(1)->ArgName("noisy")->UseRealTime();

void program(benchmark::State& state) {
  const engine::AnalogSetup setup = chip(false);
  const engine::AnalogSource source = layer(machine());
  for (auto _ : state) benchmark::DoNotOptimize(engine::AnalogLayer(source, setup).stuck_cells());
  state.counters["cells"] = benchmark::Counter(static_cast<double>(state.iterations()) * kRows * kOutputs * 4,
                                               benchmark::Counter::kIsRate);
}
BENCHMARK(program)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
