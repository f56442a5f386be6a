// SPDX-License-Identifier: Apache-2.0
// Runs a placed program on the SystemC model of its chip and reports when everything happened. Only time and
// the actions that do not depend on data are simulated here; values, and what depends on them, come from
// sim/engine (or, with `structural`, from live crossbars). See README.md for the timing equations.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "mapper/place/program.h"
#include "mapper/slice/sliced_layer.h"
#include "models/arch/arch.h"
#include "models/base/actions.h"
#include "models/base/units.h"
#include "sim/cycle/activity_trace.h"
#include "sim/cycle/time_bins.h"

namespace bitline::cycle {

/// What the time of a crossbar layer depends on beside its placement.
struct LayerSource {
  std::shared_ptr<const slice::SlicedLayer> sliced;
  int activation_bits = 0;
  bool activation_signed = false;  ///< low bits in chunks of dac.bits, then the one-bit sign chunk
};

/// One MVM of one IMA: window `window` (images concatenated: image * windows + position) of layer `layer`.
struct MvmId {
  place::LayerId layer = 0;
  int ima_part = 0;  ///< index in LayerPlacement::imas
  std::int64_t window = 0;
};
/// Where a structural run gets its integers from and puts its results to. Called once per MVM, in the order
/// of simulated time. The input is the whole unfolded window, [group][row of the group's flattened weight];
/// the result has one partial sum per entry of `outputs` (group * outputs_per_group + output): the
/// conversions of this IMA shifted, added and unflipped; the terms of encodings `offset` and `centre_offset`
/// are left to the receiver.
struct StructuralData {
  std::function<void(const MvmId& id, std::vector<std::int32_t>& x)> input;
  std::function<void(const MvmId& id, std::span<const int> outputs, std::span<const std::int64_t> values)>
      result;
};

struct CycleOptions {
  std::int64_t images = 1;                     ///< streamed one after another through the pipeline
  double wall_clock_limit_s = 0;               ///< 0: none; beyond it base::TimeoutError
  const StructuralData* structural = nullptr;  ///< not null: every IMA is structural
  std::optional<TraceOptions>
      trace;             ///< activities of every part; not with `structural`, which knows less ahead
  std::string waveform;  ///< only with `structural`: the IMAs' signals, <waveform>.vcd; empty: none
  /// Called now and then with the images finished so far.
  std::function<void(std::int64_t images_done)> progress;
};

/// One stage of the layer pipeline, all images together.
struct StageStatistics {
  base::Time first_start;  ///< its first window opened
  base::Time last_end;     ///< its last output pixel arrived at every consumer (output stages: left the chip)
  base::Time busy;         ///< from first_start to the end of its last window's reading, without the stalls
  base::Time input_stall;  ///< idle because the next window lacked input pixels
  base::Time output_stall;  ///< idle because a consumer's buffer had no place (and no input was lacking)
  base::Time bus_wait;      ///< fills and drains that waited for eDRAM or bus, summed over them
  base::Time noc_wait;      ///< packets later than through empty routers, summed over them
  base::Time adc_wait;  ///< crossbars that held a read for ADCs (or a full output register), summed over IMAs
  std::int64_t windows = 0;  ///< output pixels made
  base::ActionCounts
      actions;  ///< that do not depend on data: registers, eDRAM, bus, tile units, NoC, chip link
};

/// When the stalls of a stage were.
struct StallBins {
  TimeBins input, output;
};

/// A group of equal contended resources.
struct ResourceUse {
  std::string name;  ///< "ima", "adc", "edram", "bus", "activation", ..., "router_link", "chip_link"
  std::int64_t instances = 0;  ///< that were used at least once
  base::Time busy;             ///< summed over the instances
  base::Time busiest;          ///< of the most used instance
  std::int64_t uses = 0;       ///< grants
  std::int64_t waits = 0;      ///< grants that came later than asked for
  base::Time waited;           ///< and by how much, summed
};

struct CycleResult {
  base::Time total;  ///< until the last output byte has left the chip
  /// When the last stage has come to rest: pixels that no output needs may be worked on after `total`.
  base::Time end;
  std::vector<base::Time> image_start;  ///< [image] when its first byte was asked from the chip link
  std::vector<base::Time> image_end;    ///< [image] when its last output byte left the chip
  std::vector<StageStatistics> stages;  ///< [StageId]
  std::vector<StallBins> stall_bins;    ///< [StageId]; empty in mode analytic
  std::vector<ResourceUse> resources;
  base::ActionCounts actions;  ///< sum over the stages
  /// Only with `structural`: [LayerId] the actions of the live crossbars, DACs, S+Hs, ADCs and shift-adds.
  std::vector<base::ActionCounts> structural_actions;
  base::Time programming;  ///< in which crossbars are written and nothing runs; Program::phases
  std::int64_t imas_used = 0;
  std::int64_t flits_sent = 0;  ///< into the mesh; all of them are delivered
  std::int64_t flits_delivered = 0;
  std::int64_t events = 0;  ///< model events of the simulation (for speed figures)
};

/// Simulates. `layers[l]` belongs to program.layers[l]. One simulation per process: SystemC has one global
/// kernel, a second call throws base::SimulationError; so does a pipeline that stops before its last output,
/// naming the stages that wait and for what. Throws base::TimeoutError at the wall-clock limit.
[[nodiscard]] CycleResult simulate_cycles(const place::Program& program, const arch::Arch& arch,
                                          const std::vector<LayerSource>& layers,
                                          const CycleOptions& options = {});

}  // namespace bitline::cycle
