// SPDX-License-Identifier: Apache-2.0
#include "models/device/effects.h"

#include "models/base/schema.h"

namespace bitline::device {
namespace {

using base::Dimension;
using base::ValueError;

constexpr double kLongest = 1e10;  // about 300 years

/// A time that may be years, in seconds.
base::Field long_time(std::string key, double& seconds, std::string doc) {
  base::Field field;
  field.key = std::move(key);
  field.dimension = Dimension::time;
  field.type = "time";
  field.allowed = "1 ns ... 10000000000 s";
  field.doc = std::move(doc);
  field.get = [&seconds] { return base::print_quantity(seconds, Dimension::none) + " s"; };
  field.set = [&seconds, allowed = field.allowed](const base::ConfigNode& node) {
    if (node.kind != base::ConfigNode::Kind::scalar) throw ValueError("not a single value", allowed);
    const double value = base::parse_seconds(node.text);
    if (value < 1e-9 || value > kLongest) throw ValueError("'" + node.text + "' is out of range", allowed);
    seconds = value;
  };
  return field;
}

base::Schema variation_schema(EffectParams& effects) {
  base::Schema s;
  s.choice<Variation>(
      "model", effects.variation,
      {{"none", Variation::none},
       {"normal", Variation::normal},
       {"normal_of_range", Variation::normal_of_range},
       {"lognormal", Variation::lognormal},
       {"measured", Variation::measured}},
      "how a programmed conductance misses its target G, once per cell and chip (z standard "
      "normal, the result never below 0): normal = G (1 + sigma z); normal_of_range = G + sigma z "
      "/ r_on; lognormal = G exp(sigma z); measured = by conductance as on the chip of Wan et "
      "al. (Nature 2022), whose 40 uS stand for 1/r_on");
  s.real("sigma", effects.variation_sigma, 0.0, 10.0, "of normal, normal_of_range and lognormal");
  return s;
}

base::Schema stuck_schema(EffectParams& effects) {
  base::Schema s;
  s.real("off", effects.stuck_off, 0.0, 1.0, "share of cells that stay at level 0 (stuck at 0)");
  s.real("on", effects.stuck_on, 0.0, 1.0, "share of cells that stay at the highest level (stuck at 1)");
  s.text("map", effects.stuck_map,
         "file of known faults, one per line: tile,ima,crossbar,row,column,off or on (a relative path is "
         "from the working directory); none: no file");
  return s;
}

base::Schema drift_schema(EffectParams& effects) {
  base::Schema s;
  s.real("exponent", effects.drift_exponent, 0.0, 1.0,
         "nu of retention drift, G(t) = G (t / reference_time)^-nu; stuck cells do not drift");
  s.real("spread", effects.drift_spread, 0.0, 1.0, "standard deviation of nu among cells");
  s.add(long_time("time", effects.drift_time_s, "from programming to the run"));
  s.add(long_time("reference_time", effects.drift_reference_s,
                  "from programming to when the programmed conductance holds"));
  return s;
}

base::Schema worst_case_schema(EffectParams& effects) {
  base::Schema s;
  s.integer("cells", effects.worst_case_cells, 0, 1'000'000'000,
            "cells that are broken on purpose: stuck at whichever end is farther from their level");
  s.choice<WorstCaseChoice>(
      "choice", effects.worst_case_choice,
      {{"worst", WorstCaseChoice::worst}, {"random", WorstCaseChoice::random}},
      "which cells: those whose fault moves the outputs of their layer most, relative to "
      "the layer's outputs on the calibration inputs, or any by device.seed");
  return s;
}

}  // namespace

void add_effects(base::Schema& s, EffectParams& effects) {
  s.integer(
      "seed", effects.seed, 0, std::int64_t{1} << 52,
      "of all draws of device and ADC effects: one simulated chip; --trials takes this and those after it");
  s.choice<OffState>("off_state", effects.off_state,
                     {{"ideal", OffState::ideal}, {"finite", OffState::finite}},
                     "what level 0 conducts: nothing, or 1/r_off (other levels equidistant up to 1/r_on)");
  s.choice<OffCurrent>(
      "off_current", effects.off_current,
      {{"kept", OffCurrent::kept},
       {"digital", OffCurrent::digital},
       {"reference_column", OffCurrent::reference_column}},
      "current of level 0 in every driven cell (off_state finite): kept in the sum; its nominal "
      "value subtracted after the conversion (digital), which it may clip; or that of a column of "
      "cells at level 0 subtracted before it. Analog subtraction of the arrays cancels it");
  s.real("read_noise", effects.read_noise, 0.0, 10.0,
         "standard deviation of a cell's current from read to read, relative to its current");
  s.resistance("wire_resistance", effects.wire_resistance, base::Resistance(0.0), base::Resistance(1e6),
               "of a wordline or bitline from one cell to the next (IR drop); 0: none");
  s.add("variation", variation_schema(effects));
  s.add("stuck", stuck_schema(effects));
  s.add("drift", drift_schema(effects));
  s.add("worst_case", worst_case_schema(effects));
}

std::vector<std::string> acting(const EffectParams& e) {
  std::vector<std::string> keys;
  if (e.off_state == OffState::finite) keys.emplace_back("device.off_state");
  if (e.variation == Variation::measured || (e.variation != Variation::none && e.variation_sigma > 0))
    keys.emplace_back("device.variation");
  if (e.stuck_off > 0 || e.stuck_on > 0 || e.stuck_map != "none") keys.emplace_back("device.stuck");
  if (e.read_noise > 0) keys.emplace_back("device.read_noise");
  if (e.wire_resistance.value() > 0) keys.emplace_back("device.wire_resistance");
  if (e.drift_exponent > 0 || e.drift_spread > 0) keys.emplace_back("device.drift");
  if (e.worst_case_cells > 0) keys.emplace_back("device.worst_case");
  return keys;
}

bool is_random(const EffectParams& e) {
  return e.variation == Variation::measured || (e.variation != Variation::none && e.variation_sigma > 0) ||
         e.stuck_off > 0 || e.stuck_on > 0 || e.read_noise > 0 || e.drift_spread > 0 ||
         (e.worst_case_cells > 0 && e.worst_case_choice == WorstCaseChoice::random);
}

}  // namespace bitline::device
