// SPDX-License-Identifier: Apache-2.0
// Rules across keys. The range of each key alone is in its schema.
#include <algorithm>
#include <numeric>
#include <string>

#include "models/arch/arch_loader.h"
#include "models/base/actions.h"
#include "models/base/quantity.h"

namespace bitline::arch {

namespace {

using base::Problem;
using std::to_string;

/// Collects the problems of one machine.
class Validator {
 public:
  explicit Validator(const Arch& arch) : arch_(arch), widths_(slice_widths(arch)) {}

  std::vector<Problem> run() {
    crossbars();
    converters_and_crossbars();
    precision();
    encoding();
    adc_model();
    device();
    const std::size_t before = problems_.size();
    slices();
    if (problems_.size() == before) {  // else these would only repeat it in other words
      resolution();
      registers();
    }
    return std::move(problems_);
  }

 private:
  void fault(std::string key, std::string given, std::string allowed, std::string remedy = "") {
    problems_.push_back({std::move(key), std::move(given), std::move(allowed), std::move(remedy)});
  }
  [[nodiscard]] bool analog() const { return arch_.encoding.subtraction == Subtraction::analog; }

  void crossbars() {
    if (arch_.crossbar.active_rows > arch_.crossbar.rows) {
      fault("crossbar.active_rows", to_string(arch_.crossbar.active_rows) + " rows driven together",
            "at most crossbar.rows = " + to_string(arch_.crossbar.rows));
    }
  }

  void converters_and_crossbars() {
    const int adcs = arch_.adc.per_ima;
    const int crossbars = arch_.ima.crossbars;
    if (adcs % crossbars != 0 && crossbars % adcs != 0) {
      fault("adc.per_ima", to_string(adcs) + " ADCs for ima.crossbars = " + to_string(crossbars),
            "a multiple or a divisor of ima.crossbars");
    }
  }

  void precision() {
    const PrecisionParams::Weights& weights = arch_.precision.weights;
    if (weights.scheme == WeightScheme::symmetric && weights.bits < 2) {
      fault("precision.weights.bits", to_string(weights.bits) + " bit with scheme symmetric",
            "2 and more: one is the sign");
    }
    if (weights.scheme == WeightScheme::dynamic_fixed_point &&
        weights.granularity != Granularity::per_tensor) {
      fault("precision.weights.granularity", "per_channel with scheme dynamic_fixed_point",
            "per_tensor: the scheme has one step per tensor");
    }
    if (weights.scheme == WeightScheme::dynamic_fixed_point && weights.calibration != WeightRange::minmax) {
      fault("precision.weights.calibration", "mse with scheme dynamic_fixed_point",
            "minmax: the step is a power of two that holds the largest weight");
    }
    layer_bits();
    if (arch_.dac.bits > arch_.precision.activations.bits) {
      fault("dac.bits", to_string(arch_.dac.bits),
            "at most precision.activations.bits = " + to_string(arch_.precision.activations.bits));
    }
  }

  void layer_bits() {
    const PrecisionParams& precision = arch_.precision;
    const int fewest = precision.weights.scheme == WeightScheme::symmetric ? 2 : 1;
    for (const LayerBits& row : precision.layers) {
      if (row.weights != 0 && (row.weights < fewest || row.weights > precision.weights.bits)) {
        fault("precision.layers", to_string(row.weights) + " bits for the weights of '" + row.layer + "'",
              to_string(fewest) + " ... precision.weights.bits = " + to_string(precision.weights.bits));
      }
      if (row.activations != 0 &&
          (row.activations < arch_.dac.bits || row.activations > precision.activations.bits)) {
        fault("precision.layers", to_string(row.activations) + " bits for the input of '" + row.layer + "'",
              "dac.bits = " + to_string(arch_.dac.bits) +
                  " ... precision.activations.bits = " + to_string(precision.activations.bits));
      }
    }
  }

  void slices() {
    const int needed = code_bits(arch_);
    const int held = std::accumulate(widths_.begin(), widths_.end(), 0);
    for (const int width : widths_) {
      if (width <= arch_.device.bits_per_cell) continue;
      fault("slices.widths", "a slice of " + to_string(width) + " bits",
            "at most device.bits_per_cell = " + to_string(arch_.device.bits_per_cell));
      break;
    }
    if (arch_.encoding.weights == WeightEncoding::twos_complement) {
      if (!widths_.empty() && widths_.front() != 1) {
        fault("slices.widths", "a most significant slice of " + to_string(widths_.front()) + " bits",
              "1 with encoding.weights twos_complement: it is the sign");
      }
      if (held != needed) width_fault(held, "exactly", needed);
    } else if (held < needed) {
      width_fault(held, "at least", needed);
    } else if (!widths_.empty() && held - widths_.front() >= needed) {
      fault("slices.widths", "a most significant slice that never holds a bit",
            "widths whose sum without the first is less than the " + to_string(needed) + " bits of a code");
    }
    if (arch_.slices.placement == SlicePlacement::interleaved &&
        static_cast<int>(widths_.size()) > arch_.crossbar.cols) {
      fault("crossbar.cols",
            to_string(arch_.crossbar.cols) + " columns for " + to_string(widths_.size()) +
                " slices side by side",
            "a column for each slice", "or use slices.placement separate");
    }
  }

  void width_fault(int held, const std::string& relation, int needed) {
    fault("slices.widths", to_string(held) + " bits together",
          relation + " " + to_string(needed) +
              ", the bits of a cell code (precision.weights, encoding.weights)");
  }

  void encoding() {
    if (!analog()) return;
    if (arch_.encoding.arrays() != 2) {
      fault("encoding.subtraction", "analog without a second array",
            "digital, or encoding.weights differential or centre_offset");
    }
    if (arch_.encoding.flip) {
      fault("encoding.flip", "true with encoding.subtraction analog",
            "false: a complemented column cannot be subtracted before the conversion");
    }
    if (arch_.ima.crossbars % 2 != 0) {
      fault("ima.crossbars", to_string(arch_.ima.crossbars) + " with encoding.subtraction analog",
            "an even number: each positive array needs its negative one beside it");
    }
  }

  void resolution() {
    const periphery::AdcResolution& resolution = arch_.adc.resolution;
    const std::vector<int>& bits = resolution.bits;
    if (resolution.policy == periphery::AdcPolicy::fixed) {
      if (bits.size() != 1 && bits.size() != widths_.size()) {
        fault("adc.resolution.bits", to_string(bits.size()) + " numbers",
              "one, or one for each of the " + to_string(widths_.size()) + " slices");
      }
      if (analog() && *std::min_element(bits.begin(), bits.end()) < 2) {
        fault("adc.resolution.bits", "1 bit with encoding.subtraction analog", "2 and more: one is the sign");
      }
    }
    for (const periphery::LayerResolution& row : resolution.layers) {
      if (row.bits.size() != 1 && row.bits.size() != widths_.size()) {
        fault("adc.resolution.layers", to_string(row.bits.size()) + " numbers for '" + row.layer + "'",
              "one, or one for each of the " + to_string(widths_.size()) + " slices");
      }
      if (analog() && *std::min_element(row.bits.begin(), row.bits.end()) < 2) {
        fault("adc.resolution.layers", "1 bit for '" + row.layer + "' with encoding.subtraction analog",
              "2 and more: one is the sign");
      }
    }
    if (resolution.policy == periphery::AdcPolicy::isaac) {
      const std::vector<int> built = *built_adc_bits(arch_);
      const int lowest = analog() ? 2 : 1;
      for (const int b : built) {
        if (b >= lowest && b <= base::kMaxAdcBits) continue;
        fault("adc.resolution.policy", "isaac gives " + to_string(b) + " bits",
              to_string(lowest) + " ... " + to_string(base::kMaxAdcBits),
              "change crossbar.active_rows, device.bits_per_cell or dac.bits, or use another policy");
        break;
      }
    }
  }

  void adc_model() {
    const periphery::AdcParams& adc = arch_.adc;
    if (adc.model == periphery::AdcModel::power_law) {
      if (!adc.anchored) {
        fault("adc.anchored", "false with adc.model power_law",
              "true: the model is a ratio to rated_bits only");
      }
      if (adc.kind != periphery::AdcKind::sar) {
        fault("adc.kind", "not sar with adc.model power_law",
              "sar: the model takes time proportional to the bits");
      }
    }
    std::vector<int> used = built_adc_bits(arch_).value_or(std::vector<int>{});
    for (const periphery::LayerResolution& row : adc.resolution.layers)
      used.insert(used.end(), row.bits.begin(), row.bits.end());
    if (adc.anchored) used.push_back(adc.rated_bits);
    for (Problem& problem : periphery::resolution_problems(adc, used))
      problems_.push_back(std::move(problem));
  }

  void registers() {
    const auto bytes = [](int bits) { return (bits + 7) / 8; };
    const std::int64_t inputs =
        std::int64_t{arch_.crossbar.active_rows} * bytes(arch_.precision.activations.bits);
    if (inputs > arch_.ima.input_register.capacity_bytes) {
      fault("ima.input_register.capacity", base::print_bytes(arch_.ima.input_register.capacity_bytes),
            "at least " + base::print_bytes(inputs) + " for the rows that one crossbar drives together");
    }
    const int arrays = arch_.encoding.arrays();
    const auto slices = static_cast<std::int64_t>(std::max<std::size_t>(1, widths_.size()));
    const std::int64_t columns = std::int64_t{arch_.ima.crossbars} * arch_.crossbar.cols;
    const std::int64_t results = columns / (slices * arrays) * bytes(arch_.ima.output_bits);
    if (results > arch_.ima.output_register.capacity_bytes) {
      fault("ima.output_register.capacity", base::print_bytes(arch_.ima.output_register.capacity_bytes),
            "at least " + base::print_bytes(results) + " for the results of all columns of the IMA");
    }
  }

  void device() {
    const device::DeviceParams& cell = arch_.device;
    if (cell.r_on >= cell.r_off) {
      fault("device.r_on", base::print_quantity(cell.r_on.value(), base::Dimension::resistance),
            "less than device.r_off = " +
                base::print_quantity(cell.r_off.value(), base::Dimension::resistance));
    }
    if (cell.read_energy == device::ReadEnergyModel::ohmic && arch_.dac.bits != 1) {
      fault("device.read_energy", "ohmic with dac.bits = " + to_string(arch_.dac.bits),
            "dac.bits = 1: the model takes one voltage for every driven row");
    }
    effects();
  }

  void effects() {
    const device::EffectParams& effects = arch_.device.effects;
    if (effects.stuck_off + effects.stuck_on > 1.0) {
      fault("device.stuck.on", "with device.stuck.off more than all cells",
            "two shares of at most 1 together");
    }
    if (effects.drift_time_s < effects.drift_reference_s) {
      fault("device.drift.time", base::print_quantity(effects.drift_time_s, base::Dimension::none) + " s",
            "at least device.drift.reference_time = " +
                base::print_quantity(effects.drift_reference_s, base::Dimension::none) + " s");
    }
  }

  const Arch& arch_;
  std::vector<int> widths_;
  std::vector<Problem> problems_;
};

}  // namespace

std::vector<Problem> validate(const Arch& arch) {
  return Validator(arch).run();
}

}  // namespace bitline::arch
