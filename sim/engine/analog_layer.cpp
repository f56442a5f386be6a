// SPDX-License-Identifier: Apache-2.0
#include "sim/engine/analog_layer.h"

#include <algorithm>
#include <cmath>

#include <tbb/enumerable_thread_specific.h>
#include <tbb/parallel_for.h>

#include "models/base/errors.h"
#include "sim/engine/analog_kernels.h"
#include "sim/engine/analog_phase.h"

namespace bitline::engine {
namespace {

constexpr std::int64_t kTilePositions = 16;

/// Where the draws of one image's reads come from.
struct ReadDraws {
  device::Key key{};
  bool read = false;  ///< read noise acts
  bool adc = false;   ///< ADC noise acts
};

/// Reads the phases of one window after another; one per thread.
class Reader {
 public:
  Reader(const slice::SlicedLayer& layer, const AnalogSetup& setup) : layer_(layer), setup_(setup) {}

  AnalogError read(const AnalogPhase& phase, const std::int32_t* x, std::int64_t window,
                   const ReadDraws& draws, std::int64_t* y) {
    AnalogError error;
    inputs_.clear();
    for (const int row : phase.rows) inputs_.push_back(static_cast<std::uint32_t>(x[row]));
    for (std::size_t k = 0; k < layer_.chunks.size(); ++k) {
      drive(phase.groups, layer_.chunks[k]);
      if (count_ == 0 && setup_.gate_zero_chunks) continue;
      sum(phase, draws.read);
      if (draws.read) draw(phase, window, k, 0, draws.key, read_normals_);
      if (draws.adc) draw(phase, window, k, 1, draws.key, adc_normals_);
      convert(phase, layer_.chunks[k], draws, y, error);
    }
    return error;
  }

 private:
  /// The rows that a chunk drives, and the sums of what is driven.
  void drive(int groups, const slice::InputChunk& chunk) {
    const std::uint32_t mask = (1u << chunk.width) - 1;
    const std::size_t rows = inputs_.size();
    const std::size_t group_rows = rows / static_cast<std::size_t>(groups);
    if (rows_.size() < rows) {
      rows_.resize(rows);
      values_.resize(rows);
    }
    group_sums_.clear();
    std::size_t used = 0;
    driven_ = 0;
    for (std::size_t r = 0; r < rows;) {
      std::uint32_t group_sum = 0;
      for (const std::size_t end = r + group_rows; r < end; ++r) {
        const std::uint32_t value = inputs_[r] >> chunk.shift & mask;
        rows_[used] = static_cast<int>(r);
        values_[used] = static_cast<float>(value);
        used += value != 0 ? 1 : 0;
        group_sum += value;
      }
      group_sums_.push_back(group_sum);
      driven_ += group_sum;
    }
    count_ = static_cast<int>(used);
  }

  void sum(const AnalogPhase& phase, bool squares) {
    const std::size_t used = phase.width;
    for (auto* buffer : {&sums_, &ideal_, &squares_, &partner_sums_, &partner_ideal_, &partner_squares_})
      if (buffer->size() < used) buffer->resize(used);
    ColumnSumsJob job{.cells = phase.cells.data(),
                      .levels = phase.levels.data(),
                      .columns = used,
                      .rows = rows_.data(),
                      .values = values_.data(),
                      .count = count_,
                      .sums = sums_.data(),
                      .ideal = ideal_.data(),
                      .squares = squares ? squares_.data() : nullptr};
    sum_columns(job);
    if (phase.partner_cells.empty()) return;
    job.cells = phase.partner_cells.data();
    job.levels = phase.partner_levels.data();
    job.sums = partner_sums_.data();
    job.ideal = partner_ideal_.data();
    job.squares = squares ? partner_squares_.data() : nullptr;
    sum_columns(job);
    for (std::size_t c = 0; c < used; ++c) {
      sums_[c] -= partner_sums_[c];
      ideal_[c] -= partner_ideal_[c];
      if (squares) squares_[c] += partner_squares_[c];
    }
  }

  /// A standard normal for every column; `kind` tells the draws of one conversion apart.
  static void draw(const AnalogPhase& phase, std::int64_t window, std::size_t chunk, std::uint32_t kind,
                   device::Key key, std::vector<double>& normals) {
    if (normals.size() < phase.width) normals.resize(phase.width);
    for (const DrawQuad& quad : phase.quads) {
      const device::Words words = device::philox({quad.first, static_cast<std::uint32_t>(window),
                                                  quad.what | static_cast<std::uint32_t>(chunk) << 10, kind},
                                                 key);
      for (std::size_t i = 0; i < 4; ++i)
        if (quad.columns[i] >= 0)
          normals[static_cast<std::size_t>(quad.columns[i])] = device::normal(words[i]);
    }
  }

  /// The sum of a column as the converter sees it, in steps of a level.
  [[nodiscard]] double current(std::size_t column, bool noisy) const {
    const double sum = sums_[column];
    if (!noisy) return sum;
    const double deviation =
        setup_.device.effects.read_noise * std::sqrt(static_cast<double>(squares_[column]));
    return sum + deviation * read_normals_[column];
  }

  void convert(const AnalogPhase& phase, const slice::InputChunk& chunk, const ReadDraws& draws,
               std::int64_t* y, AnalogError& error) const {
    const double reference = phase.reference ? current(phase.columns.size(), draws.read) : 0.0;
    const std::int64_t off = digital_off();
    const std::int64_t chunk_weight = (std::int64_t{1} << chunk.shift) * chunk.sign;
    for (std::size_t c = 0; c < phase.columns.size(); ++c) {
      const AnalogColumn& column = phase.columns[c];
      std::int64_t value = 0;
      if (column.bits > 0) {
        const double sum = current(c, draws.read) - reference;
        const double difference = sum - static_cast<double>(ideal_[c]);
        error.squares += difference * difference;
        ++error.conversions;
        const double noise = draws.adc ? setup_.adc.noise * adc_normals_[c] : 0.0;
        value = code(column, sum, noise) - off;
      }
      if (column.flip != 0) value = column.flip * group_sums_[static_cast<std::size_t>(column.group)] - value;
      y[column.output] += column.weight * chunk_weight * value;
    }
  }

  static std::int64_t code(const AnalogColumn& column, double sum, double noise) {
    // Adding and taking away 1.5 * 2^52 rounds to whole numbers, half to even; a code is far below.
    constexpr double kRound = 0x1.8p52;
    const double steps =
        std::clamp(sum * column.scale + column.offset + noise, column.lowest, column.highest);
    return static_cast<std::int64_t>((steps + kRound) - kRound) << column.drop;
  }

  /// What the digital side takes off every sum for the current of level 0.
  [[nodiscard]] std::int64_t digital_off() const {
    const device::EffectParams& effects = setup_.device.effects;
    if (effects.off_state != device::OffState::finite || effects.off_current != device::OffCurrent::digital ||
        layer_.analog)
      return 0;
    const double per_row =
        std::min(device::target(setup_.device, 0) / device::level_step(setup_.device), kMostSteps);
    return std::llrint(per_row * static_cast<double>(driven_));
  }

  const slice::SlicedLayer& layer_;
  const AnalogSetup& setup_;
  std::vector<std::uint32_t> inputs_;  ///< of the phase's rows
  std::vector<int> rows_;              ///< the first count_ are driven
  std::vector<float> values_;
  int count_ = 0;
  std::vector<std::int64_t> group_sums_;
  std::int64_t driven_ = 0;
  std::vector<float> sums_, ideal_, squares_, partner_sums_, partner_ideal_, partner_squares_;
  std::vector<double> read_normals_, adc_normals_;
};

std::size_t at(int position, std::size_t stride) {
  return static_cast<std::size_t>(position) * stride;
}

/// The sum of the weights of each output, as the arrays are meant to hold them.
std::vector<std::int64_t> weight_sums(const slice::SlicedLayer& layer) {
  std::vector<std::int64_t> sums(static_cast<std::size_t>(layer.outputs()));
  for (int output = 0; output < layer.outputs(); ++output) {
    std::int64_t& sum = sums[static_cast<std::size_t>(output)];
    sum = layer.centre(output) * layer.rows_per_group;
    for (int array = 0; array < layer.arrays; ++array) {
      const std::uint32_t* codes =
          layer.column(array, output / layer.outputs_per_group, output % layer.outputs_per_group);
      for (const slice::Slice& cut : layer.slices) {
        const std::int64_t sign = array == 1 ? -cut.sign : cut.sign;
        for (int row = 0; row < layer.rows_per_group; ++row)
          sum += sign * std::int64_t{(codes[row] >> cut.shift & ((1u << cut.width) - 1)) << cut.shift};
      }
    }
  }
  return sums;
}

}  // namespace

AnalogError& AnalogError::operator+=(const AnalogError& other) {
  squares += other.squares;
  conversions += other.conversions;
  return *this;
}

struct AnalogLayer::Impl {
  Impl(const AnalogSource& source, const AnalogSetup& s)
      : sliced(source.sliced),
        setup(s),
        copies(program_cells(source, s, stuck)),
        weights(weight_sums(*source.sliced)) {}

  /// What does not depend on conversions: the offset or centre of the encoding and the zero point of the
  /// inputs.
  void start(const std::int32_t* x, std::int64_t* y) const {
    for (int output = 0; output < sliced->outputs(); ++output)
      y[output] = -sliced->activation_zero_point * weights[static_cast<std::size_t>(output)];
    if (sliced->offset == 0 && sliced->centres.empty()) return;
    for (int group = 0; group < sliced->groups; ++group, x += sliced->rows_per_group) {
      std::int64_t sum = 0;
      for (int row = 0; row < sliced->rows_per_group; ++row) sum += x[row];
      for (int o = group * sliced->outputs_per_group; o < (group + 1) * sliced->outputs_per_group; ++o)
        y[o] += sliced->centre(o) * sum;
    }
  }

  std::shared_ptr<const slice::SlicedLayer> sliced;
  const AnalogSetup& setup;
  std::int64_t stuck = 0;
  std::vector<std::vector<AnalogPhase>> copies;
  std::vector<std::int64_t> weights;
};

AnalogLayer::AnalogLayer(const AnalogSource& source, const AnalogSetup& setup)
    : impl_(std::make_unique<const Impl>(source, setup)) {}
AnalogLayer::~AnalogLayer() = default;
AnalogLayer::AnalogLayer(AnalogLayer&&) noexcept = default;
AnalogLayer& AnalogLayer::operator=(AnalogLayer&&) noexcept = default;

const std::vector<std::vector<AnalogPhase>>& AnalogLayer::copies() const {
  return impl_->copies;
}
std::int64_t AnalogLayer::stuck_cells() const {
  return impl_->stuck;
}

AnalogError AnalogLayer::run(std::int64_t image, int layer, const InputSource& source,
                             OutputSink& sink) const {
  const slice::SlicedLayer& sliced = *impl_->sliced;
  const std::int64_t positions = source.positions();
  const auto inputs = static_cast<std::size_t>(sliced.groups) * sliced.rows_per_group;
  const auto outputs = static_cast<std::size_t>(sliced.outputs());
  const device::Words key =
      device::philox({static_cast<std::uint32_t>(image), 0, 0, draw_word(DrawKind::reads, layer)},
                     device::key_of(impl_->setup.seed));
  const ReadDraws draws{
      {key[0], key[1]}, impl_->setup.device.effects.read_noise > 0.0, impl_->setup.adc.noise > 0.0};
  tbb::enumerable_thread_specific<Reader> readers([&] { return Reader(sliced, impl_->setup); });
  std::vector<AnalogError> errors(static_cast<std::size_t>(positions));
  const std::int64_t tiles = (positions + kTilePositions - 1) / kTilePositions;
  tbb::parallel_for(std::int64_t{0}, tiles, [&](std::int64_t tile) {
    const std::int64_t first = tile * kTilePositions;
    const int count = static_cast<int>(std::min(kTilePositions, positions - first));
    std::vector<std::int32_t> x(inputs * static_cast<std::size_t>(count));
    std::vector<std::int64_t> y(outputs * static_cast<std::size_t>(count));
    source.gather(first, count, x.data());
    for (int i = 0; i < count; ++i) impl_->start(&x[at(i, inputs)], &y[at(i, outputs)]);
    // Windows go round the copies, those of all images one after another. All windows of a tile before the
    // next crossbar, so that its cells stay in the cache.
    const auto copies = std::ssize(impl_->copies);
    for (std::int64_t copy = 0; copy < copies; ++copy) {
      for (const AnalogPhase& phase : impl_->copies[static_cast<std::size_t>(copy)]) {
        for (int i = 0; i < count; ++i) {
          const std::int64_t window = first + i;
          if ((image * positions + window) % copies != copy) continue;
          errors[static_cast<std::size_t>(window)] +=
              readers.local().read(phase, &x[at(i, inputs)], window, draws, &y[at(i, outputs)]);
        }
      }
    }
    sink.store(first, count, y.data());
  });
  AnalogError total;
  for (const AnalogError& error : errors) total += error;
  return total;
}

}  // namespace bitline::engine
