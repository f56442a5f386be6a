// SPDX-License-Identifier: Apache-2.0
// One crossbar layer of one simulated chip whose cells and converters are not ideal: every column sum in real
// numbers, converted, then the digital side of the bit-exact function. See README.md of this folder.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "mapper/place/program.h"
#include "mapper/slice/sliced_layer.h"
#include "models/arch/arch.h"
#include "models/device/programming.h"
#include "sim/engine/layer_function.h"

namespace bitline::engine {

/// A cell of the chip: rows and columns count within the crossbar, in the order that the layer fills it.
struct ChipCell {
  int tile = 0, ima = 0, crossbar = 0, row = 0, column = 0;
  friend auto operator<=>(const ChipCell&, const ChipCell&) = default;
};
/// A cell by what it holds: rows and outputs count over all groups of the layer.
struct WeightCell {
  int layer = 0, copy = 0, array = 0, slice = 0, output = 0, row = 0;
  friend auto operator<=>(const WeightCell&, const WeightCell&) = default;
};
/// Cells that are known to be stuck.
struct Faults {
  std::map<ChipCell, device::Stuck> by_place;
  std::map<WeightCell, device::Stuck> by_weight;
};

/// What a chip is made by.
struct AnalogSetup {
  device::DeviceParams device;
  periphery::AdcErrors adc;
  bool gate_zero_chunks = false;
  std::uint64_t seed = 1;  ///< of this chip
  Faults faults;
  /// The ADC of its IMA that converts the `converted`-th converted column of a phase of crossbar `slot`.
  std::function<int(int slot, int converted)> adc_of;
};

/// A crossbar layer as placed.
struct AnalogSource {
  std::shared_ptr<const slice::SlicedLayer> sliced;
  std::vector<place::ImaPart> imas;
  int copies = 1;
  int layer = 0;  ///< its number, for draws and faults
};

/// Squared differences of column sums (read noise included, before the conversion) from the ideal integers,
/// in steps of a level.
struct AnalogError {
  double squares = 0;
  std::int64_t conversions = 0;
  AnalogError& operator+=(const AnalogError& other);
};

struct AnalogPhase;

class AnalogLayer {
 public:
  /// Programs the cells. The setup must outlive the layer.
  AnalogLayer(const AnalogSource& source, const AnalogSetup& setup);
  ~AnalogLayer();
  AnalogLayer(AnalogLayer&&) noexcept;
  AnalogLayer& operator=(AnalogLayer&&) noexcept;

  /// The sums of all positions of image number `image`; `layer` names the draws of its reads where layers
  /// share crossbars. The result does not depend on threads.
  AnalogError run(std::int64_t image, int layer, const InputSource& source, OutputSink& sink) const;
  /// By copy, the reads that make one window.
  [[nodiscard]] const std::vector<std::vector<AnalogPhase>>& copies() const;
  [[nodiscard]] std::int64_t stuck_cells() const;  ///< of those that hold a weight

  struct Impl;

 private:
  std::unique_ptr<const Impl> impl_;
};

}  // namespace bitline::engine
