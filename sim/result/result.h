// SPDX-License-Identifier: Apache-2.0
// The result of one simulation as a tree of plain values in SI units (areas in mm2). Written by json.h and
// csv.h, printed by report.h; what each figure refers to is fixed here and in README.md of this folder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/result/profile.h"

namespace bitline::result {

inline constexpr const char* kSchema = "bitline.result/1";

/// Figures by component ("adc", "crossbar", ...), in the order of the cost model. Sums to the figure beside
/// it.
using Breakdown = std::vector<std::pair<std::string, double>>;

/// Seconds of simulated time, of the images that were streamed through the chip.
struct Latency {
  double image = 0;     ///< first image: from time zero to its last output value
  double interval = 0;  ///< between the ends of consecutive images (mean); with one image: `image`, nothing
                        ///< overlaps; where the network runs in phases: total / images
  double total = 0;     ///< from time zero to the last output value of the last image
};

/// Joule per streamed image (mean). total = dynamic + fixed = sum of by_component.
struct EnergyUse {
  double total = 0;
  double dynamic = 0;  ///< actions x energy per action
  double fixed = 0;    ///< static power x time (key "static")
  Breakdown by_component;
};

/// One slice of a layer's weights, all arrays and row blocks together.
struct SliceResult {
  int width = 0;  ///< bits per cell of this slice
  /// Cells of mapped weights that are not zero, before flipping; none where the weights were not read.
  std::optional<double> nonzero_ratio;
  /// Largest possible column sum, inputs at their maximum, after flipping; none where the weights were not
  /// read.
  std::optional<std::int64_t> max_column_sum;
  int adc_bits = 0;              ///< the widest conversion of any row block
  std::int64_t conversions = 0;  ///< over all streamed images
  std::int64_t clipped = 0;      ///< of these, sums above the converter's limit
};

struct Stalls {
  double input = 0;   ///< seconds without work because no window of input was complete
  double output = 0;  ///< seconds with input but no free place in a consumer's buffer
  double bus = 0;     ///< seconds that fills and drains of its IMAs waited for eDRAM or bus, summed over them
  double noc = 0;     ///< seconds that its packets took longer than through empty routers, summed over them
  double adc = 0;     ///< seconds that crossbars held a read for their ADCs, summed over its IMAs
};

/// All parts of one kind that are contended: how much they did, and how often one was not free when asked.
struct PartUse {
  std::string name;        ///< "ima", "adc", "edram", "bus", ..., "router_link", "chip_link"
  std::int64_t used = 0;   ///< parts that did anything
  double utilization = 0;  ///< mean busy time of these / time until all is at rest
  double busiest = 0;      ///< the same of the most used one
  std::int64_t requests = 0;
  std::int64_t stalls = 0;  ///< requests that had to wait
  double stalled = 0;       ///< seconds, summed over requests
};

/// A crossbar layer before zeros left the crossbars (mapping.prune), and what few weights still take.
struct Pruned {
  int rows_before = 0;                 ///< of the weight matrix of one group
  int cols_before = 0;                 ///< outputs of all groups
  std::int64_t crossbars_before = 0;   ///< of all copies
  std::int64_t nearly_empty_rows = 0;  ///< now: with few weights, but not none (mapping.nearly_empty)
  std::int64_t nearly_empty_columns = 0;
  std::int64_t nearly_empty_weights = 0;  ///< non-zero weights in them
  std::int64_t crossbars_without = 0;     ///< of all copies, were they removed
};

/// What a layer has in one tile: 0 crossbars where it runs on those of another layer, 0 IMAs where a digital
/// stage runs or partial sums meet.
struct TilePart {
  int tile = 0;  ///< numbered through all chips: chip c has those from c * Machine::tiles on
  std::int64_t crossbars = 0;
  std::int64_t imas = 0;
};

/// When a layer had nothing to work on: shares of consecutive spans of time, in 1/kFull.
struct Waits {
  static constexpr int kFull = 35;  ///< a digit of base 36 holds it
  std::int64_t first_bin = 0;       ///< the ones before are 0, and so are those after the last
  std::vector<int> input;           ///< for want of input
  std::vector<int> output;          ///< for want of room in a consumer's buffer; as many
};

/// One stage of the layer pipeline: a crossbar layer with the operators fused to it, or digital operators.
struct LayerResult {
  std::string name;
  std::string op;              ///< "conv", "linear", ...; "input" and "output" for the chip's link
  std::int64_t crossbars = 0;  ///< 0 for digital stages
  int replicas = 0;
  int rows = 0;  ///< of the weight matrix of one group
  int cols = 0;  ///< outputs of all groups (before slicing)
  std::int64_t imas = 0;
  std::int64_t tiles = 0;
  double cell_utilization = 0;   ///< cells that hold a weight / cells of the layer's crossbars
  double zero_weights = 0;       ///< share of the layer's weight codes that are 0
  std::optional<Pruned> pruned;  ///< crossbar layers, with mapping.prune
  std::vector<SliceResult> slices;
  double start = 0;    ///< seconds: first activity
  double latency = 0;  ///< seconds from first activity to last output, all streamed images
  double busy = 0;     ///< seconds of it in which at least one of its parts works
  Stalls stalls;
  EnergyUse energy;                    ///< static energy shared among layers in proportion to their crossbars
  std::vector<std::string> operators;  ///< of the network, that it does: "conv 3x3", "relu"
  std::vector<int> inputs;             ///< layers whose output it takes, by index
  std::int64_t macs = 0;               ///< multiply-accumulates of an image
  double bus_bytes = 0;                ///< of an image (mean) between the eDRAM of its tiles and their IMAs
  std::vector<TilePart> placement;     ///< by tile
  std::optional<Waits> waits;          ///< none in mode analytic
};

/// The floor of a chip, and the most that a tile can do.
struct Machine {
  std::int64_t tiles = 0;       ///< of one chip
  std::int64_t mesh_width = 0;  ///< tiles in a row of the floor
  std::int64_t tile_imas = 0;
  std::int64_t ima_crossbars = 0;
  double tile_macs_per_s = 0;   ///< every cell holds a weight and every crossbar is read all the time
  double tile_bytes_per_s = 0;  ///< of eDRAM or bus, whichever is less
};

/// Grouped (depthwise) convolutions: crossbars of one copy of each, by where the machine could put them.
struct Grouped {
  std::string mapping;  ///< the machine's choice: "packed", "dense" or "digital" (which takes none)
  std::int64_t layers = 0;
  std::int64_t packed = 0;
  std::int64_t dense = 0;
};

/// What crosses the network on chip for an image.
struct NocTraffic {
  std::string placement;  ///< the machine's choice: "row_major", "snake" or "annealed"
  std::int64_t bytes = 0;
  std::int64_t hop_bytes = 0;  ///< each byte times the links between routers that it crosses
  std::int64_t between_chips = 0;
};

/// A network that runs in phases, with its crossbars programmed before each; once for all streamed images.
struct Reprogramming {
  std::int64_t phases = 0;
  double time = 0;         ///< seconds in which crossbars are written and nothing runs; part of the latency
  double energy = 0;       ///< joule of the cells written; a run, not an image
  std::int64_t cells = 0;  ///< written
  std::int64_t weight_bytes = 0;     ///< of cell codes over the chip's link
  std::int64_t stored_bytes = 0;     ///< of an image: written outside the chip by a phase for later ones
  std::int64_t writes_per_cell = 0;  ///< of the cells written most
  double endurance = 0;              ///< writes that a cell lasts for, as the machine says
  double lifetime = 0;  ///< seconds until these cells have had them, running like this all the time
};

inline constexpr std::int64_t kMostConfusionClasses = 1000;

struct Accuracy {
  double top1 = 0;
  double top5 = 0;
  double float_top1 = 0;  ///< of the float32 network on the same images
  std::int64_t images = 0;
  /// [label][predicted class]: images; empty above kMostConfusionClasses.
  std::vector<std::vector<std::int64_t>> confusion;
};

/// What an analytic result rests on beside the machine and the network.
struct Estimate {
  std::string activity;  ///< "given": by factors; "measured": by the images' values
  std::vector<std::pair<std::string, double>> factors;  ///< by name; none where measured
  /// Mean relative error to expect against mode `cycle`: of the image latency, the interval and the energy.
  double latency_error = 0, interval_error = 0, energy_error = 0;
};

/// A figure over chips with different seeds.
struct Spread {
  double mean = 0;
  std::optional<double> deviation;  ///< standard deviation of a chip; none for one chip
  std::optional<double> low, high;  ///< 95 % confidence interval of the mean (Student's t); none for one chip
};
/// Mean, sample standard deviation and confidence interval of at least one value.
[[nodiscard]] Spread spread_of(const std::vector<double>& values);

/// One simulated chip, all images of the input.
struct ChipResult {
  std::uint64_t seed = 0;
  std::int64_t stuck_cells = 0;  ///< of those that hold a weight
  double column_sum_error = 0;   ///< rms difference of column sums from the ideal ones, in steps of a level
  double output_error = 0;     ///< rms difference of the outputs from the ideal ones / rms of the ideal ones
  std::optional<double> top1;  ///< where labels were given
};

/// What non-ideal cells and converters do. Ideal: every value exact, the ADCs' resolution included.
struct DeviceResult {
  std::vector<std::string> effects;  ///< keys of those that are on
  std::string fault_map_sha256;      ///< of the file; empty: none
  std::vector<ChipResult> chips;
  std::vector<std::pair<std::string, double>> layers;  ///< column_sum_error of each, over all chips
  std::optional<double> ideal_top1;
  [[nodiscard]] Spread over(double ChipResult::*figure) const;
  [[nodiscard]] Spread top1() const;
};

/// Where the result comes from; all that is needed to repeat it.
struct Provenance {
  std::string version;
  std::string mode;     ///< "cycle", "structural" or "analytic"
  std::string network;  ///< file as given
  std::string network_sha256;
  std::string arch;           ///< file as given
  std::string config_sha256;  ///< of the resolved constants, so overrides count
  std::vector<std::string> overrides;
  struct Constant {
    std::string key, value, source;
  };
  std::vector<Constant> config;  ///< every resolved constant
  std::uint64_t seed = 0;
  std::string inputs;                 ///< "given", "random" or (analytic) "none"
  std::string calibration;            ///< "given", "inputs", "random" or (analytic) "none"
  std::int64_t images_streamed = 0;   ///< latency, energy, conversions and stalls refer to these
  std::int64_t images_evaluated = 0;  ///< outputs and accuracy refer to these
};

/// Wall-clock seconds; the only part that differs between equal runs.
struct WallTime {
  double prepare = 0;  ///< read, calibrate, quantise, slice, place
  double values = 0;   ///< engine and float reference
  double timing = 0;   ///< simulation of time
  double total = 0;
};

struct Result {
  Latency latency;
  std::int64_t cycles = 0;    ///< `latency.total` in cycles of chip.clock, rounded up
  double throughput_ips = 0;  ///< 1 / latency.interval
  EnergyUse energy;
  std::int64_t chips = 1;
  double area_mm2 = 0;  ///< the whole chip, used or not; of all chips
  Breakdown area_by_component;
  double power_w = 0;              ///< mean over latency.total
  std::int64_t crossbar_macs = 0;  ///< multiply-accumulates of an image
  std::int64_t digital_macs =
      0;            ///< those of them that digital units do: computed products, digital convolutions
  double tops = 0;  ///< 2 x multiply-accumulates of an image x throughput, in 1e12/s
  std::optional<double> tops_per_w;    ///< none where the machine states no power
  std::optional<double> tops_per_mm2;  ///< none where the machine states no area
  std::int64_t conversions = 0;        ///< over all streamed images
  std::int64_t clipped = 0;
  std::int64_t gated = 0;  ///< conversions left out because the input chunk was zero on all driven rows
  std::int64_t crossbars_used = 0;
  std::int64_t crossbars_available = 0;
  double cell_utilization = 0;
  NocTraffic noc;
  std::optional<Reprogramming> reprogramming;  ///< where the network takes more than one phase
  std::optional<Grouped> grouped;              ///< where the network has grouped convolutions
  Machine machine;
  std::vector<PartUse> parts;          ///< contended ones
  std::optional<double> waits_bin;     ///< seconds of a bin of LayerResult::waits; none in mode analytic
  std::vector<LayerResult> layers;     ///< in pipeline order; energy sums to `energy`
  std::optional<Estimate> estimate;    ///< mode analytic
  std::optional<Accuracy> accuracy;    ///< where labels were given; of the first chip
  std::optional<DeviceResult> device;  ///< where cells or converters are not ideal
  Provenance provenance;
  WallTime wall_time;
  Profile profile;  ///< in no file: it differs between equal runs
};

/// The version of this build, "0.1.0".
[[nodiscard]] const char* version();

}  // namespace bitline::result
