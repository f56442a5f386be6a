// SPDX-License-Identifier: Apache-2.0
#include "models/base/schema.h"

#include "models/arch/arch_loader.h"

namespace bitline::arch {

namespace {

using base::Frequency;
using base::Schema;

constexpr Frequency kSlowest{1e3};
constexpr Frequency kFastest{1e12};
constexpr int kMostWeightBits = 16;

Schema ima_schema(ima::ImaParams& params) {
  Schema s;
  s.integer("crossbars", params.crossbars, 1, 4096, "crossbars of an IMA");
  s.frequency("clock", params.clock, kSlowest, kFastest,
              "of the IMA's controller: reads start and sample-and-holds latch on its edges");
  s.flag("gate_zero_chunks", params.gate_zero_chunks,
         "an input chunk that is zero on all driven rows is neither read nor converted (saves energy, not "
         "time)");
  s.integer("output_bits", params.output_bits, 1, 64,
            "of one result in registers, on the bus and between tiles (values are not truncated to it)");
  s.add("input_register", schema(params.input_register));
  s.add("shift_add", schema(params.shift_add));
  s.add("output_register", schema(params.output_register));
  return s;
}

Schema encoding_schema(EncodingParams& params) {
  Schema s;
  s.choice<WeightEncoding>(
      "weights", params.weights,
      {{"differential", WeightEncoding::differential},
       {"offset", WeightEncoding::offset},
       {"twos_complement", WeightEncoding::twos_complement},
       {"centre_offset", WeightEncoding::centre_offset}},
      "differential = a positive and a negative array hold |q|; offset = cells hold q + 2^(b-1); "
      "twos_complement = one-bit most significant slice of negative weight; centre_offset = as differential, "
      "of q "
      "less a centre of each output, which the digital side multiplies by the sum of the inputs (RAELLA)");
  s.choice<Subtraction>("subtraction", params.subtraction,
                        {{"digital", Subtraction::digital}, {"analog", Subtraction::analog}},
                        "of two arrays (differential, centre_offset): subtract them after conversion, or "
                        "before one signed conversion");
  s.flag("flip", params.flip, "store a column whose cells sum to more than half as its complement (ISAAC)");
  return s;
}

Schema slices_schema(SliceParams& params) {
  Schema s;
  s.choice<SlicePlacement>(
      "placement", params.placement,
      {{"interleaved", SlicePlacement::interleaved}, {"separate", SlicePlacement::separate}},
      "slices side by side in a crossbar (ADCs built for the widest), or each in crossbars of its "
      "own (ADCs built for their slice)");
  s.integers("widths", params.widths, 1, 8, true,
             "bits of each slice, most significant first; []: device.bits_per_cell each, the rest on top");
  return s;
}

Schema weights_schema(PrecisionParams::Weights& params) {
  Schema s;
  s.integer("bits", params.bits, 1, kMostWeightBits,
            "bits of a weight, sign included (dynamic_fixed_point: magnitude bits)");
  s.choice<WeightScheme>(
      "scheme", params.scheme,
      {{"symmetric", WeightScheme::symmetric}, {"dynamic_fixed_point", WeightScheme::dynamic_fixed_point}},
      "symmetric = scale max|w| / (2^(b-1)-1); dynamic_fixed_point = step 2^(ceil(log2 max|w|) - b) per "
      "tensor");
  s.choice<Granularity>("granularity", params.granularity,
                        {{"per_channel", Granularity::per_channel}, {"per_tensor", Granularity::per_tensor}},
                        "one scale per output channel or per tensor (symmetric only)");
  s.choice<WeightRange>(
      "calibration", params.calibration, {{"minmax", WeightRange::minmax}, {"mse", WeightRange::mse}},
      "what the scale covers (symmetric only): the largest weight, or less where the squared "
      "error then is less");
  return s;
}

Schema activations_schema(PrecisionParams::Activations& params) {
  Schema s;
  s.integer("bits", params.bits, 1, 16, "bits of an activation");
  s.choice<Calibration>(
      "calibration", params.calibration,
      {{"minmax", Calibration::minmax}, {"percentile", Calibration::percentile}, {"mse", Calibration::mse}},
      "how the scale follows from the calibration inputs: it covers all values, `percentile` of "
      "them, or what makes the expected squared error least");
  s.real("percentile", params.percentile, 50.0, 100.0,
         "share of values within the range, in percent (percentile only)");
  return s;
}

Schema chip_schema(ChipParams& params) {
  Schema s;
  s.integer("tiles", params.tiles, 1, 1 << 20, "tiles of the chip");
  s.integer("mesh_width", params.mesh_width, 1, 1 << 20, "tiles per row of the floorplan");
  s.frequency("clock", params.clock, kSlowest, kFastest, "reference cycle of reported cycle counts");
  s.add("link", schema(params.link));
  return s;
}

Schema mapping_schema(MappingParams& params) {
  Schema s;
  s.choice<Replication>("replication", params.replication,
                        {{"none", Replication::none},
                         {"per_layer", Replication::per_layer},
                         {"balanced", Replication::balanced}},
                        "copies of a layer that share its windows: one, as many as `replicas` says, or those "
                        "that balance the layers within the chip's IMAs");
  s.integers(
      "replicas", params.replicas, 1, 1 << 20, false,
      "per_layer: copies of every layer (one number) or of each layer in network order; never more than "
      "a layer has windows");
  s.choice<Depthwise>(
      "depthwise", params.depthwise,
      {{"packed", Depthwise::packed}, {"dense", Depthwise::dense}, {"digital", Depthwise::digital}},
      "grouped convolutions: packed = groups block-diagonal in crossbars, cells between them empty; "
      "dense = one matrix of all groups, zeros stored between them; digital = no crossbars, in "
      "float32 on tile.elementwise");
  s.choice<DigitalStages>("digital", params.digital,
                          {{"whole", DigitalStages::whole}, {"spread", DigitalStages::spread}},
                          "pooling, additions and other operators whose output channels take their own input "
                          "channels only: whole "
                          "= in one tile, in more where buffers are too large for it; spread = by channels "
                          "over so many tiles that "
                          "they are as fast as the slowest layer on crossbars");
  s.choice<Placement>(
      "placement", params.placement,
      {{"row_major", Placement::row_major}, {"snake", Placement::snake}, {"annealed", Placement::annealed}},
      "tiles in network order: along each row of the floorplan; every other row backwards; or where "
      "simulated "
      "annealing makes the hop-bytes of the network on chip least");
  s.integer("placement_seed", params.placement_seed, 0, std::int64_t{1} << 53, "of placement annealed");
  s.choice<Oversize>(
      "oversize", params.oversize,
      {{"error", Oversize::error}, {"more_chips", Oversize::more_chips}, {"reprogram", Oversize::reprogram}},
      "a network larger than the chip: refused; spread over as many chips as it needs, which exchange data "
      "over "
      "their links (chip.link); or run in phases on one chip, whose crossbars are programmed before each "
      "(device)");
  s.choice<Prune>(
      "prune", params.prune,
      {{"none", Prune::none}, {"rows_cols", Prune::rows_cols}, {"paths", Prune::paths}},
      "what zeros take off the crossbars: nothing; all-zero rows and columns of a layer; also the "
      "channels that no layer then reads, the filters that only made these, and so on");
  s.real("nearly_empty", params.nearly_empty, 0.0, 100.0,
         "rows and columns of which at most so many percent of the weights are not zero are reported, with "
         "what removing them would save (with prune)");
  return s;
}

}  // namespace

Schema schema(Arch& arch) {
  Schema s;
  s.text("name", arch.name, "of the machine, for reports");
  s.add("device", schema(arch.device));
  s.add("crossbar", schema(arch.crossbar));
  s.add("dac", schema(arch.dac));
  s.add("sample_hold", schema(arch.sample_hold));
  s.add("adc", schema(arch.adc));
  s.add("encoding", encoding_schema(arch.encoding));
  s.add("slices", slices_schema(arch.slices));
  s.add("precision.weights", weights_schema(arch.precision.weights));
  s.add("precision.activations", activations_schema(arch.precision.activations));
  Schema layers;
  layers.add(layer_bits_field(arch.precision.layers));
  s.add("precision", std::move(layers));
  s.add("ima", ima_schema(arch.ima));
  s.add("tile", schema(arch.tile));
  s.add("noc", schema(arch.noc));
  s.add("chip", chip_schema(arch.chip));
  s.add("mapping", mapping_schema(arch.mapping));
  return s;
}

}  // namespace bitline::arch
