// SPDX-License-Identifier: Apache-2.0
// One simulated chip: every layer of a network on cells and converters that are not ideal, in place of its
// bit-exact functions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sim/engine/analog_layer.h"
#include "sim/engine/engine.h"

namespace bitline::engine {

class AnalogChip {
 public:
  /// `layers` in node order; layers on the same crossbars have the same `sliced` and are programmed once, as
  /// the first of them is placed.
  AnalogChip(std::span<const AnalogSource> layers, AnalogSetup setup);
  AnalogChip(const AnalogChip&) = delete;
  AnalogChip& operator=(const AnalogChip&) = delete;

  [[nodiscard]] const AnalogLayer& layer(std::size_t layer) const { return *of_layer_.at(layer); }
  [[nodiscard]] std::size_t layers() const { return of_layer_.size(); }
  /// Cells with a weight that are stuck.
  [[nodiscard]] std::int64_t stuck_cells() const;

 private:
  AnalogSetup setup_;
  std::vector<AnalogLayer> programmed_;
  std::vector<const AnalogLayer*> of_layer_;
};

/// One image on a chip, for RunOptions::runner. `image` is its number among all images: it names its draws.
class AnalogImage final : public LayerRunner {
 public:
  AnalogImage(const AnalogChip& chip, std::int64_t image)
      : chip_(chip), image_(image), errors_(chip.layers()) {}
  LayerActivity run(std::size_t layer, const InputSource& source, OutputSink& sink) override;
  /// By layer, of the layers that have run.
  [[nodiscard]] const std::vector<AnalogError>& errors() const { return errors_; }

 private:
  const AnalogChip& chip_;
  std::int64_t image_;
  std::vector<AnalogError> errors_;
};

/// Bytes that the cells of the layers take in memory.
[[nodiscard]] std::int64_t analog_bytes(std::span<const AnalogSource> layers);

}  // namespace bitline::engine
