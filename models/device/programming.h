// SPDX-License-Identifier: Apache-2.0
// The conductance that a cell really has: level -> target -> programming variation -> stuck -> drift. Wires
// between cells: wires.h. Equations and their sources: README.md of this folder.
#pragma once

#include "models/device/cell.h"
#include "models/device/random.h"

namespace bitline::device {

enum class Stuck { no, off, on };

/// Target conductance in siemens of `level`: that of conductance(), less 1/r_off with an ideal off state.
[[nodiscard]] double target(const DeviceParams& device, double level);
/// Siemens from one level to the next.
[[nodiscard]] double level_step(const DeviceParams& device);

/// Standard deviation in siemens of a conductance programmed to `siemens` as measured by Wan et al. (Nature
/// 608, 2022): 0.348 + 16.03x - 43.853x^2 + 45.393x^3 - 16.815x^4 uS at x = G/40uS, scaled from 40 uS to
/// 1/r_on.
[[nodiscard]] double measured_deviation(const DeviceParams& device, double siemens);

/// Whether the rates of stuck cells hit a cell with these draws.
[[nodiscard]] Stuck drawn_fault(const EffectParams& effects, const Words& draws);
/// Conductance in siemens of a cell programmed to `level`, never below 0. Of the draws, word 0 is for the
/// variation, 1 for stuck cells (drawn_fault), 2 for the drift's exponent.
[[nodiscard]] double programmed(const DeviceParams& device, double level, Stuck stuck, const Words& draws);

}  // namespace bitline::device
