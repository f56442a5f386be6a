// SPDX-License-Identifier: Apache-2.0
// Rates of the engine on one core, per instruction set: of its innermost loops on data in the first-level
// cache ("peak"), and of whole layers with everything that is counted. `conversions/s` where conversions are
// made one by one, `share` of the better of the two peaks; `MAC/s` of every layer.
//   build/release/bin/engine_bench --benchmark_filter=AMX
#include <benchmark/benchmark.h>
#include <tbb/global_control.h>

#include <algorithm>
#include <ctime>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "mapper/slice/slicer.h"
#include "sim/engine/kernels.h"
#include "sim/engine/layer_function.h"
#include "sim/engine/layer_plan.h"

namespace {

using namespace bitline;

constexpr int kPeakPositions = 16;
constexpr int kPeakBits = 8;

/// 16 positions of 8-bit inputs read a bit at a time, by 32 columns of 128 rows of 2-bit cells: 4096
/// conversions on 20 to 40 kB.
class PeakJob {
 public:
  PeakJob()
      : codes_(kPeakPositions * kPeakBits * 128),
        bytes_(128 * engine::kStrip),
        y_(kPeakPositions * engine::kStrip) {
    std::mt19937 random(1);
    for (auto& code : codes_) code = static_cast<std::uint8_t>(random() & 1);
    for (auto& cell : bytes_) cell = static_cast<std::int8_t>(random() & 3);
    for (int i = 0; i < kPeakPositions * kPeakBits * 8; ++i)
      planes_.push_back((random() & 0xffff) * 0x10001u);
    for (int i = 0; i < 2 * 8 * engine::kStrip; ++i) cells_.push_back(static_cast<std::uint16_t>(random()));
    for (int position = 0; position < kPeakPositions; ++position) {
      groups_.push_back({position, 0, false, position * kPeakBits, (position + 1) * kPeakBits});
      for (int bit = 0; bit < kPeakBits; ++bit) reads_.push_back({position, bit, 1, bit, 0x10001 << bit});
    }
  }
  static constexpr int kConversions = kPeakPositions * kPeakBits * engine::kStrip;

  void on_planes() {
    benchmark::DoNotOptimize(engine::convert_planes({.planes = planes_.data(),
                                                     .planes_stride = kPeakBits * 8,
                                                     .words = 8,
                                                     .cells = cells_.data(),
                                                     .cell_bits = 2,
                                                     .strips = 1,
                                                     .reads = reads_,
                                                     .groups = groups_,
                                                     .conversion = {.limit = 63},
                                                     .into = into()}));
  }
  void by_product() {
    benchmark::DoNotOptimize(engine::convert_sums({.product = {.a = codes_.data(),
                                                               .a_stride = 128,
                                                               .reads = kPeakPositions * kPeakBits,
                                                               .b = bytes_.data(),
                                                               .quads = 128 / engine::kQuad,
                                                               .strips = 1},
                                                   .narrow = true,
                                                   .reads = reads_,
                                                   .groups = groups_,
                                                   .conversion = {.limit = 63},
                                                   .into = into()}));
  }

 private:
  engine::Accumulation into() { return {.y = y_.data(), .stride = engine::kStrip, .count = engine::kStrip}; }

  engine::AlignedVector<std::uint8_t> codes_;
  engine::AlignedVector<std::int8_t> bytes_;
  engine::AlignedVector<std::uint32_t> planes_;
  engine::AlignedVector<std::uint16_t> cells_;
  std::vector<engine::Read> reads_;
  std::vector<engine::ReadGroup> groups_;
  engine::AlignedVector<std::int64_t> y_;
};

double cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// Conversions per second of the better innermost loop: the best of many short runs.
double peak(const std::string& target) {
  static std::map<std::string, double> known;
  double& best = known[target];
  if (best > 0) return best;
  PeakJob job;
  for (const bool planes : {true, false}) {
    for (int run = 0; run < 50; ++run) {
      constexpr int kJobs = 100;
      const double start = cpu_seconds();
      for (int i = 0; i < kJobs; ++i) planes ? job.on_planes() : job.by_product();
      best = std::max(best, kJobs * PeakJob::kConversions / (cpu_seconds() - start));
    }
  }
  return best;
}

void run_peak(benchmark::State& state, const std::string& target, bool planes) {
  engine::force_target(target);
  PeakJob job;
  for (auto _ : state) planes ? job.on_planes() : job.by_product();
  state.counters["conversions/s"] =
      benchmark::Counter(PeakJob::kConversions, benchmark::Counter::kIsIterationInvariantRate);
  engine::force_target("");
}

struct Shape {
  int positions = 256;
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

/// One drive set per row block, all its columns converted.
std::vector<place::DriveSet> drives(const slice::SlicedLayer& layer) {
  std::vector<place::DriveSet> sets;
  for (int block = 0; block < static_cast<int>(layer.blocks.size()); ++block) {
    place::DriveSet set{
        .block = block, .crossbars = 1, .columns_per_slice = {}, .partner_columns_per_slice = {}};
    set.columns_per_slice.assign(layer.slices.size(), layer.outputs_per_group);
    set.partner_columns_per_slice.assign(layer.slices.size(), 0);
    sets.push_back(std::move(set));
  }
  return sets;
}

void run_layer(benchmark::State& state, const std::string& target, const Shape& shape) {
  const tbb::global_control one_thread(tbb::global_control::max_allowed_parallelism, 1);
  engine::force_target(target);
  const auto layer = random_layer(shape);
  const engine::LayerFunction function(layer, drives(*layer), true);
  std::mt19937 random(2);
  std::vector<std::int32_t> x(static_cast<std::size_t>(shape.positions) * shape.rows);
  for (std::int32_t& v : x) v = static_cast<std::int32_t>(random() % (1u << shape.input_bits));
  std::vector<std::int64_t> y(static_cast<std::size_t>(shape.positions) * shape.outputs);
  const double start = cpu_seconds();
  for (auto _ : state) {
    function.run(x, y);
    benchmark::DoNotOptimize(y.data());
  }
  const double time = cpu_seconds() - start;
  const double macs = static_cast<double>(shape.positions) * shape.rows * shape.outputs;
  const double conversions =
      static_cast<double>(shape.positions) * shape.outputs * static_cast<double>(layer->slices.size()) *
      static_cast<double>(layer->chunks.size()) * static_cast<double>(layer->blocks.size());
  const auto rate = benchmark::Counter::kIsIterationInvariantRate;
  if (function.converting_sets() > 0) {
    state.counters["conversions/s"] = benchmark::Counter(conversions, rate);
    // of the peak, which is of 128 rows, 2-bit cells and single bits
    if (shape.cell_bits == 2 && shape.dac_bits == 1)
      state.counters["share"] = conversions * static_cast<double>(state.iterations()) / time / peak(target);
  }
  state.counters["MAC/s"] = benchmark::Counter(macs, rate);
  engine::force_target("");
}

void add(const std::string& name, const std::string& target, const Shape& shape) {
  benchmark::RegisterBenchmark((name + "/" + target).c_str(), [target, shape](benchmark::State& state) {
    run_layer(state, target, shape);
  })->Unit(benchmark::kMillisecond);
}

void add_peak(const std::string& name, const std::string& target, bool planes) {
  benchmark::RegisterBenchmark((name + "/" + target).c_str(), [target, planes](benchmark::State& state) {
    run_peak(state, target, planes);
  })->Unit(benchmark::kMicrosecond);
}

}  // namespace

int main(int argc, char** argv) {
  for (const std::string& target : engine::supported_targets()) {
    add_peak("peak, bit planes", target, true);
    add_peak("peak, products of bytes", target, false);
    Shape shape;
    add("clipping, 128 rows, 2-bit cells, 1-bit DAC", target, shape);
    shape.cell_bits = 4;
    shape.dac_bits = 2;
    add("clipping, 128 rows, 4-bit cells, 2-bit DAC", target, shape);
    shape.cell_bits = shape.dac_bits = 8;
    shape.adc_bits = 12;
    add("clipping, 128 rows, 8-bit cells, 8-bit DAC", target, shape);
    // the layers of ResNet-18's stages, 8-bit
    add("clipping, resnet18 layer1", target,
        {.positions = 3136, .rows = 576, .outputs = 64, .weight_bits = 8, .input_bits = 8});
    add("clipping, resnet18 layer2", target,
        {.positions = 784, .rows = 1152, .outputs = 128, .weight_bits = 8, .input_bits = 8});
    add("clipping, resnet18 layer3", target,
        {.positions = 196, .rows = 2304, .outputs = 256, .weight_bits = 8, .input_bits = 8});
    add("clipping, resnet18 layer4", target,
        {.positions = 49, .rows = 4608, .outputs = 512, .weight_bits = 8, .input_bits = 8});
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
