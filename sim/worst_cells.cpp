// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <queue>

#include "models/base/errors.h"
#include "sim/engine/analog_phase.h"
#include "sim/faults.h"

namespace bitline::sim {
namespace {

/// Sums of squares over calibration images of one layer's inputs and outputs.
struct LayerProfile {
  std::vector<double> row_squares;     ///< [row of all groups], in steps of the input
  std::vector<double> output_squares;  ///< [output], in steps of the sums
  std::int64_t positions = 0;
};

/// Sums the squares of what goes through a layer.
class ProfileSink final : public engine::OutputSink {
 public:
  ProfileSink(engine::OutputSink& next, const engine::InputSource& source, std::int64_t outputs)
      : next_(next), y_(static_cast<std::size_t>(source.positions() * outputs)), outputs_(outputs) {}
  void store(std::int64_t first, int count, const std::int64_t* y) override {
    std::copy_n(y, count * outputs_, y_.begin() + first * outputs_);
    next_.store(first, count, y);
  }
  [[nodiscard]] const std::vector<std::int64_t>& sums() const { return y_; }

 private:
  engine::OutputSink& next_;
  std::vector<std::int64_t> y_;
  std::int64_t outputs_;
};

void add_squares(const auto& values, std::vector<double>& sums) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto value = static_cast<double>(values[i]);
    sums[i % sums.size()] += value * value;
  }
}

/// Runs the exact functions and watches them. Layers on the same crossbars have one profile.
class Profiler final : public engine::LayerRunner {
 public:
  Profiler(const Mapping& mapping, const engine::NetworkFunction& network)
      : mapping_(mapping), network_(network), profiles_(mapping.sliced.size()) {
    for (std::size_t l = 0; l < profiles_.size(); ++l) {
      const slice::SlicedLayer& sliced = *mapping.sliced[l];
      profiles_[l].row_squares.resize(static_cast<std::size_t>(sliced.groups) * sliced.rows_per_group);
      profiles_[l].output_squares.resize(static_cast<std::size_t>(sliced.outputs()));
    }
  }

  engine::LayerActivity run(std::size_t layer, const engine::InputSource& source,
                            engine::OutputSink& sink) override {
    const int owner = mapping_.shares[layer];
    LayerProfile& profile = profiles_[owner < 0 ? layer : static_cast<std::size_t>(owner)];
    ProfileSink watched(sink, source, mapping_.sliced[layer]->outputs());
    engine::LayerActivity activity = network_.function(layer).run(source, watched);
    add_squares(watched.sums(), profile.output_squares);
    std::vector<std::int32_t> x(profile.row_squares.size());
    for (std::int64_t p = 0; p < source.positions(); ++p) {
      source.gather(p, 1, x.data());
      add_squares(x, profile.row_squares);
    }
    profile.positions += source.positions();
    return activity;
  }

  [[nodiscard]] const std::vector<LayerProfile>& profiles() const { return profiles_; }

 private:
  const Mapping& mapping_;
  const engine::NetworkFunction& network_;
  std::vector<LayerProfile> profiles_;
};

struct Candidate {
  double harm = 0;
  engine::WeightCell cell;
  device::Stuck stuck = device::Stuck::off;
  /// More harm first; of equal ones the earlier cell.
  [[nodiscard]] bool before(const Candidate& other) const {
    return harm != other.harm ? harm > other.harm : cell < other.cell;
  }
};

/// The best candidates so far.
class Choice {
 public:
  explicit Choice(std::size_t size) : size_(size) {}
  void offer(const Candidate& candidate) {
    if (kept_.size() == size_ && !candidate.before(kept_.top())) return;
    kept_.push(candidate);
    if (kept_.size() > size_) kept_.pop();
  }
  [[nodiscard]] std::map<engine::WeightCell, device::Stuck> faults() {
    std::map<engine::WeightCell, device::Stuck> faults;
    for (; !kept_.empty(); kept_.pop()) faults.emplace(kept_.top().cell, kept_.top().stuck);
    return faults;
  }

 private:
  struct WorstOnTop {
    bool operator()(const Candidate& a, const Candidate& b) const { return a.before(b); }
  };
  std::size_t size_;
  std::priority_queue<Candidate, std::vector<Candidate>, WorstOnTop> kept_;
};

/// Offers every cell of a layer that holds a slice of a weight.
class LayerCells {
 public:
  LayerCells(const Mapping& mapping, std::size_t layer, const LayerProfile& profile)
      : mapping_(mapping), layer_(layer), sliced_(*mapping.sliced[layer]), profile_(profile) {
    double squares = 0;
    for (int o = 0; o < sliced_.outputs(); ++o) squares += square(scale(o)) * profile.output_squares[at(o)];
    length_ = std::sqrt(squares);
  }

  template <class Harm>
  void offer(const Harm& harm_of, Choice& choice) const {
    const int copies = mapping_.program.layers[layer_].replicas;
    const int highest = (1 << mapping_.arch().device.bits_per_cell) - 1;
    for (int block = 0; block < static_cast<int>(sliced_.blocks.size()); ++block)
      for (int output = 0; output < sliced_.outputs(); ++output)
        for (int row = sliced_.blocks[at(block)].first; row < sliced_.blocks[at(block)].last; ++row)
          for (int array = 0; array < sliced_.arrays; ++array)
            for (int s = 0; s < static_cast<int>(sliced_.slices.size()); ++s) {
              const int group = output / sliced_.outputs_per_group;
              const auto level = static_cast<int>(
                  sliced_.cell(array, block, s, group, output % sliced_.outputs_per_group, row));
              const bool on = highest - level > level;
              const double change = on ? highest - level : level;
              Candidate candidate{
                  0.0,
                  {static_cast<int>(layer_), 0, array, s, output, group * sliced_.rows_per_group + row},
                  on ? device::Stuck::on : device::Stuck::off};
              for (candidate.cell.copy = 0; candidate.cell.copy < copies; ++candidate.cell.copy) {
                candidate.harm = harm_of(*this, candidate.cell, change);
                choice.offer(candidate);
              }
            }
  }

  /// Root mean square of what a change of level does to the layer's outputs, relative to these.
  [[nodiscard]] double harm(const engine::WeightCell& cell, double change) const {
    if (length_ == 0.0) return 0.0;
    const double bit = std::ldexp(1.0, sliced_.slices[at(cell.slice)].shift);
    const int copies = mapping_.program.layers[layer_].replicas;  // each makes its share of the windows
    return change * bit * scale(cell.output) * std::sqrt(profile_.row_squares[at(cell.row)] / copies) /
           length_;
  }

 private:
  static std::size_t at(int i) { return static_cast<std::size_t>(i); }
  static double square(double x) { return x * x; }
  [[nodiscard]] double scale(int output) const {
    return mapping_.quants[layer_]->weights.scale[at(sliced_.channel(output))];
  }

  const Mapping& mapping_;
  std::size_t layer_;
  const slice::SlicedLayer& sliced_;
  const LayerProfile& profile_;
  double length_ = 0;
};

}  // namespace

std::map<engine::WeightCell, device::Stuck> worst_cells(const Mapping& mapping,
                                                        const engine::NetworkFunction& network,
                                                        const std::vector<quantize::Inputs>& calibration,
                                                        std::uint64_t seed) {
  const device::EffectParams& effects = mapping.arch().device.effects;
  const bool random = effects.worst_case_choice == device::WorstCaseChoice::random;
  Profiler profiler(mapping, network);
  if (!random)
    for (const quantize::Inputs& image : calibration) (void)network.run(image, {.runner = &profiler});
  Choice choice(static_cast<std::size_t>(effects.worst_case_cells));
  for (std::size_t l = 0; l < mapping.sliced.size(); ++l) {
    if (mapping.shares[l] >= 0) continue;
    const LayerCells cells(mapping, l, profiler.profiles()[l]);
    if (random) {
      cells.offer(
          [&](const LayerCells&, const engine::WeightCell& cell, double) {
            const auto what = static_cast<std::uint32_t>(cell.slice) |
                              static_cast<std::uint32_t>(cell.array) << 8 |
                              static_cast<std::uint32_t>(cell.copy) << 10;
            const device::Words words =
                device::philox({static_cast<std::uint32_t>(cell.row), static_cast<std::uint32_t>(cell.output),
                                what, engine::draw_word(engine::DrawKind::faults, cell.layer)},
                               device::key_of(seed));
            return device::uniform(words[0]);
          },
          choice);
    } else {
      cells.offer([](const LayerCells& of, const engine::WeightCell& cell,
                     double change) { return of.harm(cell, change); },
                  choice);
    }
  }
  return choice.faults();
}

}  // namespace bitline::sim
