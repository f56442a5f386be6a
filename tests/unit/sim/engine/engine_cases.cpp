// SPDX-License-Identifier: Apache-2.0
#include "engine_cases.h"

#include <algorithm>
#include <sstream>

#include "mapper/slice/slicer.h"

namespace bitline::test {
namespace {

class Dice {
 public:
  explicit Dice(std::uint32_t seed) : engine_(seed) {}
  int between(int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine_); }
  bool one_in(int n) { return between(1, n) == 1; }
  template <class T>
  T pick(std::initializer_list<T> values) {
    return *(values.begin() + between(0, static_cast<int>(values.size()) - 1));
  }

 private:
  std::mt19937 engine_;
};

arch::Arch random_arch(Dice& dice) {
  arch::Arch arch;
  arch.encoding.weights =
      dice.pick({arch::WeightEncoding::differential, arch::WeightEncoding::offset,
                 arch::WeightEncoding::twos_complement, arch::WeightEncoding::centre_offset});
  arch.encoding.subtraction = dice.pick({arch::Subtraction::digital, arch::Subtraction::analog});
  arch.encoding.flip = !arch.encoding.analog() && dice.one_in(2);
  arch.device.bits_per_cell = dice.pick({1, 2, 2, 3, 4, 8});
  arch.dac.bits = dice.pick({1, 1, 1, 2, 3, 8});
  arch.crossbar.rows = dice.pick({16, 32, 64, 100, 128});
  arch.crossbar.active_rows = dice.one_in(3) ? dice.between(1, arch.crossbar.rows) : arch.crossbar.rows;
  arch.precision.weights.bits = dice.pick({2, 4, 7, 8, 16});
  arch.precision.weights.scheme =
      dice.one_in(4) ? arch::WeightScheme::dynamic_fixed_point : arch::WeightScheme::symmetric;
  arch.precision.activations.bits = dice.pick({2, 4, 8, 11, 16});
  arch.adc.conversion = dice.one_in(3) ? periphery::AdcConversion::truncate : periphery::AdcConversion::clip;
  arch.adc.resolution.policy = dice.pick({periphery::AdcPolicy::fixed, periphery::AdcPolicy::fixed,
                                          periphery::AdcPolicy::isaac, periphery::AdcPolicy::lossless});
  arch.adc.resolution.bits = {dice.between(2, 9)};
  arch.ima.gate_zero_chunks = dice.one_in(2);
  return arch;
}

std::vector<place::DriveSet> random_drives(Dice& dice, const slice::SlicedLayer& layer) {
  std::vector<place::DriveSet> drives;
  for (int block = 0; block < static_cast<int>(layer.blocks.size()); ++block) {
    for (int group = 0; group < layer.groups;) {
      place::DriveSet drive;
      drive.block = block;
      drive.group_first = group;
      drive.group_count = dice.between(1, layer.groups - group);
      drive.crossbars = dice.between(1, 3);
      drive.centre_additions = dice.between(0, 50);
      drive.reference_columns = dice.between(0, 3);
      for (std::size_t s = 0; s < layer.slices.size(); ++s) {
        const bool converted = layer.adc_bits[static_cast<std::size_t>(block)][s] > 0;
        drive.columns_per_slice.push_back(converted ? dice.between(1, 40) : 0);
        drive.partner_columns_per_slice.push_back(layer.analog && converted ? dice.between(1, 40) : 0);
      }
      drives.push_back(drive);
      group += drive.group_count;
    }
  }
  return drives;
}

}  // namespace

EngineCase random_case(std::uint32_t seed, const std::function<void(arch::Arch&)>& change) {
  Dice dice(seed);
  EngineCase test;
  SlowLayer& slow = test.slow;
  slow.arch = random_arch(dice);
  if (change) change(slow.arch);
  slow.groups = dice.pick({1, 1, 1, 2, 3});
  slow.outputs = dice.pick({1, 3, 17, 33, 40});
  slow.rows = dice.pick({1, 5, 27, 64, 130, 200});

  quantize::LayerQuant quant;
  quant.weights.bits = slow.arch.precision.weights.bits;
  quant.weights.scheme = slow.arch.precision.weights.scheme;
  const int limit = (1 << quant.weights.magnitude_bits()) - 1;
  const bool dense = dice.one_in(3);
  for (int i = 0; i < slow.groups * slow.outputs * slow.rows; ++i) {
    const int q = dense            ? dice.pick({limit, limit, -limit})
                  : dice.one_in(2) ? dice.between(-limit, limit)
                                   : dice.between(0, limit / 3);
    slow.q.push_back(q);
    quant.weights.codes.push_back(q);
  }
  quant.weights.scale.assign(static_cast<std::size_t>(slow.groups * slow.outputs), 1.0);
  quant.input.bits = slow.input_bits = slow.arch.precision.activations.bits;
  quant.input.is_signed = slow.input_signed = dice.one_in(2);
  quant.input.zero_point = slow.zero_point = dice.one_in(4) ? dice.between(0, 1 << (slow.input_bits - 1)) : 0;
  slow.signed_bits = quant.weights.magnitude_bits() + 1;

  test.sliced = std::make_shared<slice::SlicedLayer>(slice::slice_layer(
      {.groups = slow.groups, .outputs_per_group = slow.outputs, .rows_per_group = slow.rows}, quant,
      slow.arch));
  for (const slice::Slice& s : test.sliced->slices) slow.widths.push_back(s.width);
  slow.adc_bits = test.sliced->adc_bits;

  const int positions = dice.between(1, 9);
  const int low = static_cast<int>(quant.input.min_code());
  const int high = static_cast<int>(quant.input.max_code());
  const int zeros = dice.pick({1, 2, 8});  // one in so many inputs is not zero
  for (int i = 0; i < positions * slow.groups * slow.rows; ++i) {
    test.x.push_back(dice.one_in(zeros) ? dice.pick({dice.between(low, high), high}) : 0);
  }
  if (!dice.one_in(8)) test.drives = random_drives(dice, *test.sliced);
  return test;
}

std::string EngineCase::describe() const {
  std::ostringstream out;
  const arch::Arch& a = slow.arch;
  out << "groups " << slow.groups << " outputs " << slow.outputs << " rows " << slow.rows << " encoding "
      << static_cast<int>(a.encoding.weights) << " analog " << sliced->analog << " flip " << a.encoding.flip
      << " cell " << a.device.bits_per_cell << " dac " << a.dac.bits << " weights "
      << a.precision.weights.bits << " inputs " << slow.input_bits << (slow.input_signed ? "s" : "u")
      << " crossbar " << a.crossbar.rows << "/" << a.crossbar.active_rows << " conversion "
      << static_cast<int>(a.adc.conversion) << " policy " << static_cast<int>(a.adc.resolution.policy)
      << " bits " << a.adc.resolution.bits.front();
  return out.str();
}

}  // namespace bitline::test
