// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "models/crossbar/crossbar.h"
#include "models/device/cell.h"
#include "models/ima/ima_params.h"
#include "models/noc/noc.h"
#include "models/periphery/adc.h"
#include "models/periphery/dac.h"
#include "models/periphery/sample_hold.h"
#include "models/tile/tile_params.h"

namespace bitline::arch {

enum class WeightEncoding { differential, offset, twos_complement, centre_offset };
enum class Subtraction { digital, analog };
enum class SlicePlacement { interleaved, separate };
enum class WeightScheme { symmetric, dynamic_fixed_point };
enum class Granularity { per_channel, per_tensor };
enum class Calibration { minmax, percentile, mse };
enum class WeightRange { minmax, mse };
enum class Replication { none, per_layer, balanced };
enum class Depthwise { packed, dense, digital };
enum class DigitalStages { whole, spread };
enum class Oversize { error, more_chips, reprogram };
enum class Placement { row_major, snake, annealed };
enum class Prune { none, rows_cols, paths };

/// Keys `encoding.*`.
struct EncodingParams {
  WeightEncoding weights = WeightEncoding::offset;
  Subtraction subtraction = Subtraction::digital;  ///< of two arrays only
  bool flip = false;                               ///< ISAAC's flip encoding of dense columns

  /// Arrays that hold a weight: a positive and a negative one, or one.
  [[nodiscard]] int arrays() const {
    return weights == WeightEncoding::differential || weights == WeightEncoding::centre_offset ? 2 : 1;
  }
  /// Two arrays are subtracted before one signed conversion.
  [[nodiscard]] bool analog() const { return arrays() == 2 && subtraction == Subtraction::analog; }
};

/// Keys `slices.*`.
struct SliceParams {
  SlicePlacement placement = SlicePlacement::interleaved;
  std::vector<int> widths;  ///< bits per slice, most significant first; empty: device.bits_per_cell each
};

/// Bits of one layer that differ from those of the others.
struct LayerBits {
  std::string layer;    ///< name of its node
  int weights = 0;      ///< 0: precision.weights.bits
  int activations = 0;  ///< of its input; 0: precision.activations.bits
  friend bool operator==(const LayerBits&, const LayerBits&) = default;
};

/// Keys `precision.*`.
struct PrecisionParams {
  struct Weights {
    int bits = 16;
    WeightScheme scheme = WeightScheme::symmetric;
    Granularity granularity = Granularity::per_channel;
    WeightRange calibration = WeightRange::minmax;
  } weights;
  struct Activations {
    int bits = 16;
    Calibration calibration = Calibration::minmax;
    double percentile = 99.99;
  } activations;
  std::vector<LayerBits> layers;
};

/// Keys `chip.*`.
struct ChipParams {
  int tiles = 168;
  int mesh_width = 14;          ///< tiles per row of the floorplan
  base::Frequency clock{10e6};  ///< the reference cycle of reported cycle counts
  noc::LinkParams link;
};

/// Keys `mapping.*`: choices that are free when a network is put on the chip.
struct MappingParams {
  Replication replication = Replication::none;
  std::vector<int> replicas{1};             ///< per_layer: copies of all layers, or of each in network order
  Depthwise depthwise = Depthwise::packed;  ///< where grouped convolutions go
  DigitalStages digital = DigitalStages::whole;  ///< whether pooling and additions run in several tiles
  Placement placement = Placement::row_major;    ///< in which order tiles are taken on the floor of the chip
  std::int64_t placement_seed = 1;               ///< annealed
  Oversize oversize = Oversize::error;           ///< what becomes of a network larger than the chip
  Prune prune = Prune::none;                     ///< what zeros take off the crossbars
  double nearly_empty = 5.0;  ///< percent of non-zero weights up to which a structure is reported
};

[[nodiscard]] const char* to_string(Depthwise depthwise);
[[nodiscard]] const char* to_string(Placement placement);
[[nodiscard]] const char* to_string(Prune prune);

struct Arch;
/// Whether each crossbar has a column beyond crossbar.cols, all cells at level 0, whose current is taken off
/// before every conversion: device.off_state finite with off_current reference_column, but not with analog
/// subtraction.
[[nodiscard]] bool has_reference_column(const Arch& arch);

/// A whole machine. Loaded, checked and printed by arch_loader.h.
struct Arch {
  std::string name;
  device::DeviceParams device;
  crossbar::CrossbarParams crossbar;
  periphery::DacParams dac;
  periphery::SampleHoldParams sample_hold;
  periphery::AdcParams adc;
  EncodingParams encoding;
  SliceParams slices;
  PrecisionParams precision;
  ima::ImaParams ima;
  tile::TileParams tile;
  noc::NocParams noc;
  ChipParams chip;
  MappingParams mapping;
};

/// Where each constant of a loaded machine comes from.
struct ConstantSource {
  std::string key;     ///< "adc.rate"
  std::string value;   ///< "1.28 GHz"
  std::string source;  ///< the config's `source:`, "--set", or "default"
};

struct LoadedArch {
  Arch arch;
  std::vector<ConstantSource> constants;  ///< every key, in schema order
};

/// Reads `path`, applies `overrides` ("key.path=value"), validates across fields.
/// Throws base::ConfigError with every problem of the file and the overrides.
[[nodiscard]] LoadedArch load_arch(const std::string& path, const std::vector<std::string>& overrides = {});
/// The same from text; `name` stands for the file in messages.
[[nodiscard]] LoadedArch parse_arch(const std::string& yaml, const std::string& name,
                                    const std::vector<std::string>& overrides = {});

}  // namespace bitline::arch
