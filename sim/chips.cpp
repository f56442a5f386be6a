// SPDX-License-Identifier: Apache-2.0
#include "sim/chips.h"

#include <cmath>
#include <mutex>

#include "models/base/errors.h"
#include "models/base/memory_limit.h"
#include "models/ima/ima_plan.h"
#include "sim/faults.h"
#include "sim/result/sha256.h"

namespace bitline::sim {
namespace {

/// One image on one chip.
struct ImageFigures {
  double error_squares = 0;  ///< of the outputs' differences from the ideal ones
  double ideal_squares = 0;
  bool hit = false;  ///< the label has the highest score
  bool ideal_hit = false;
  std::vector<engine::AnalogError> layers;
};

void compare(const Outputs& outputs, const Outputs& ideal, ImageFigures& figures) {
  for (std::size_t o = 0; o < outputs.size(); ++o) {
    const std::vector<float>& a = outputs[o].as<float>();
    const std::vector<float>& b = ideal[o].as<float>();
    for (std::size_t i = 0; i < a.size(); ++i) {
      const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
      figures.error_squares += difference * difference;
      figures.ideal_squares += static_cast<double>(b[i]) * static_cast<double>(b[i]);
    }
  }
}

double relative(double squares, double of) {
  if (squares == 0.0) return 0.0;
  return of == 0.0 ? 1.0 : std::sqrt(squares / of);
}

double rms(const engine::AnalogError& error) {
  return error.conversions == 0 ? 0.0 : std::sqrt(error.squares / static_cast<double>(error.conversions));
}

std::vector<std::string> effects_of(const arch::Arch& arch) {
  std::vector<std::string> keys = device::acting(arch.device.effects);
  if (arch.adc.errors.any()) keys.emplace_back("adc.errors");
  return keys;
}

class ChipRuns {
 public:
  ChipRuns(const Mapping& mapping, const engine::NetworkFunction& network, const Images& images,
           const ChipsRequest& request, const Deadline& deadline, const Progress& progress)
      : mapping_(mapping),
        network_(network),
        images_(images),
        request_(request),
        deadline_(deadline),
        progress_(progress),
        layers_(mapping.sliced.size()) {}

  ChipsValues run() {
    find_faults();
    if (request_.labels != nullptr) score_.emplace(classes(network_.graph()));
    for (std::int64_t chip = 0; chip < request_.chips; ++chip) run_chip(chip);
    values_.device.effects = effects_of(mapping_.arch());
    for (std::size_t l = 0; l < layers_.size(); ++l)
      values_.device.layers.emplace_back(mapping_.program.layers[l].name, rms(layers_[l]));
    if (score_) values_.accuracy = score_->accuracy();
    return std::move(values_);
  }

 private:
  void find_faults() {
    const device::EffectParams& effects = mapping_.arch().device.effects;
    if (effects.stuck_map == "none") return;
    by_place_ = read_fault_map(effects.stuck_map, mapping_.arch());
    values_.device.fault_map_sha256 = result::sha256_of_file(effects.stuck_map);
  }

  [[nodiscard]] engine::AnalogSetup setup(std::uint64_t seed) {
    engine::AnalogSetup setup = analog_setup(mapping_.arch(), seed);
    const device::EffectParams& effects = mapping_.arch().device.effects;
    setup.faults.by_place = by_place_;
    const bool by_chip = effects.worst_case_choice == device::WorstCaseChoice::random;
    if (effects.worst_case_cells > 0 && (by_chip || values_.device.chips.empty()))
      by_weight_ = worst_cells(mapping_, network_, request_.calibration, seed);
    setup.faults.by_weight = by_weight_;
    return setup;
  }

  void run_chip(std::int64_t number) {
    const auto seed = static_cast<std::uint64_t>(mapping_.arch().device.effects.seed + number);
    const engine::AnalogChip chip(analog_sources(mapping_), setup(seed));
    const bool first = number == 0;
    std::optional<engine::LayerDumper> dumper;
    if (first && !request_.dump_layers.empty())
      dumper.emplace(request_.dump_layers, network_, images_.count());
    std::vector<ImageFigures> figures(images_.size());
    std::mutex mutex;
    for_each_image(images_.size(), [&](std::size_t i) {
      deadline_.check("the computation of values");
      const auto index = static_cast<std::int64_t>(i);
      const quantize::Inputs image = images_[i];
      const Outputs ideal = network_.run(image).outputs;
      engine::AnalogImage analog(chip, index);
      const bool integers = dumper.has_value();
      const engine::ImageResult result = network_.run(image, {integers, integers, &analog});
      figures[i] = figures_of(i, result.outputs, ideal, analog);
      Outputs reference;
      if (first && score_) reference = request_.reference->run(image);

      const std::lock_guard lock(mutex);
      if (first && score_) score_->add((*request_.labels)[i], result.outputs.front(), reference.front());
      if (first && request_.outputs) request_.outputs(index, result.outputs);
      if (dumper) dumper->write(index, result);
      if (progress_) progress_("chips", ++done_, images_.count() * request_.chips);
    });
    if (dumper) dumper->finish();
    add_chip(seed, chip.stuck_cells(), figures);
  }

  [[nodiscard]] ImageFigures figures_of(std::size_t image, const Outputs& outputs, const Outputs& ideal,
                                        const engine::AnalogImage& analog) const {
    ImageFigures figures;
    compare(outputs, ideal, figures);
    figures.layers = analog.errors();
    if (request_.labels != nullptr) {
      const std::int64_t label = (*request_.labels)[image];
      figures.hit = rank_of(outputs.front(), label) < 1;
      figures.ideal_hit = rank_of(ideal.front(), label) < 1;
    }
    return figures;
  }

  /// Images are added up in their order, whichever was done first.
  void add_chip(std::uint64_t seed, std::int64_t stuck, const std::vector<ImageFigures>& figures) {
    double error = 0;
    double ideal = 0;
    std::int64_t hits = 0;
    std::int64_t ideal_hits = 0;
    engine::AnalogError sums;
    for (const ImageFigures& image : figures) {
      error += image.error_squares;
      ideal += image.ideal_squares;
      hits += image.hit ? 1 : 0;
      ideal_hits += image.ideal_hit ? 1 : 0;
      for (std::size_t l = 0; l < layers_.size(); ++l) {
        sums += image.layers[l];
        layers_[l] += image.layers[l];
      }
    }
    result::ChipResult chip{seed, stuck, rms(sums), relative(error, ideal), {}};
    const auto images = static_cast<double>(figures.size());
    if (request_.labels != nullptr) {
      chip.top1 = static_cast<double>(hits) / images;
      values_.device.ideal_top1 = static_cast<double>(ideal_hits) / images;
    }
    values_.device.chips.push_back(chip);
  }

  const Mapping& mapping_;
  const engine::NetworkFunction& network_;
  const Images& images_;
  const ChipsRequest& request_;
  const Deadline& deadline_;
  const Progress& progress_;
  std::map<engine::ChipCell, device::Stuck> by_place_;
  std::map<engine::WeightCell, device::Stuck> by_weight_;
  std::vector<engine::AnalogError> layers_;
  std::optional<Score> score_;
  std::int64_t done_ = 0;
  ChipsValues values_;
};

}  // namespace

bool has_effects(const arch::Arch& arch) {
  return !effects_of(arch).empty();
}

void require_no_effects(const arch::Arch& arch) {
  std::vector<base::Problem> problems;
  for (std::string& key : effects_of(arch))
    problems.push_back({std::move(key), "is on", "off: this command compares exact integers",
                        "see what it makes of its answer with bitline run --trials"});
  if (!problems.empty()) throw base::ConfigError(std::move(problems));
}

bool chips_differ(const arch::Arch& arch) {
  return device::is_random(arch.device.effects) || arch.adc.errors.random();
}

std::vector<engine::AnalogSource> analog_sources(const Mapping& mapping) {
  std::vector<engine::AnalogSource> sources;
  for (std::size_t l = 0; l < mapping.sliced.size(); ++l) {
    const int owner = mapping.shares[l];
    const std::size_t placed = owner < 0 ? l : static_cast<std::size_t>(owner);
    const place::LayerPlacement& placement = mapping.program.layers[placed];
    sources.push_back({mapping.sliced[l], placement.imas, placement.replicas, static_cast<int>(placed)});
  }
  return sources;
}

engine::AnalogSetup analog_setup(const arch::Arch& arch, std::uint64_t seed) {
  engine::AnalogSetup setup;
  setup.device = arch.device;
  setup.adc = arch.adc.errors;
  setup.gate_zero_chunks = arch.ima.gate_zero_chunks;
  setup.seed = seed;
  setup.adc_of = [slots = arch.ima.crossbars, adcs = arch.adc.per_ima](int slot, int converted) {
    return ima::adc_of(slots, adcs, slot, converted);
  };
  return setup;
}

ChipsValues run_chips(const Mapping& mapping, const engine::NetworkFunction& network, const Images& images,
                      const ChipsRequest& request, const Deadline& deadline, const Progress& progress) {
  BITLINE_CHECK(request.labels == nullptr || request.reference != nullptr);
  const std::int64_t bytes = engine::analog_bytes(analog_sources(mapping));
  if (bytes > base::memory_limit())
    throw base::MappingError(
        base::too_much_memory(mapping.graph->name, "the conductances of its cells", bytes));
  return ChipRuns(mapping, network, images, request, deadline, progress).run();
}

}  // namespace bitline::sim
