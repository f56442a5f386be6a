// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "models/base/actions.h"
#include "models/base/schema.h"
#include "models/periphery/adc.h"

namespace bitline::periphery {

namespace {

using base::ConfigNode;
using base::Dimension;
using base::ValueError;

constexpr base::Frequency kSlowest{1e4};  // conversion_time() must not overflow
constexpr base::Frequency kFastest{1e12};
constexpr const char* kRowFormat = "a list of {bits: 8, energy: 1.5 pJ, area: 1200 um2, rate: 1.28 GS/s}";

const std::string& member_text(const ConfigNode& row, std::string_view key) {
  for (const ConfigNode::Member& member : row.members) {
    if (member.key == key && member.node.kind == ConfigNode::Kind::scalar) return member.node.text;
  }
  throw ValueError("a row without " + std::string(key), kRowFormat);
}

double positive(const std::string& text, Dimension dimension) {
  const double value = base::parse_quantity(text, dimension);
  if (value <= 0.0) throw ValueError("'" + text + "' is out of range", "a positive value");
  return value;
}

AdcTableRow read_row(const ConfigNode& node) {
  if (node.kind != ConfigNode::Kind::map) throw ValueError("a row that is not {...}", kRowFormat);
  constexpr std::array kKeys{"bits", "energy", "area", "rate"};
  for (const ConfigNode::Member& member : node.members) {
    if (std::find(kKeys.begin(), kKeys.end(), member.key) == kKeys.end()) {
      throw ValueError("unknown key '" + member.key + "' in a row", kRowFormat);
    }
  }
  AdcTableRow row;
  const std::int64_t bits = base::parse_integer(member_text(node, "bits"));
  if (bits < 1 || bits > base::kMaxAdcBits) {
    throw ValueError("'" + member_text(node, "bits") + "' bits are out of range",
                     "1 ... " + std::to_string(base::kMaxAdcBits));
  }
  row.bits = static_cast<int>(bits);
  row.energy = base::Energy(positive(member_text(node, "energy"), Dimension::energy));
  row.area = base::Area(positive(member_text(node, "area"), Dimension::area));
  row.rate = base::Frequency(positive(member_text(node, "rate"), Dimension::frequency));
  if (row.rate < kSlowest || row.rate > kFastest) {
    throw ValueError("'" + member_text(node, "rate") + "' is out of range", "10 kHz ... 1000 GHz");
  }
  return row;
}

std::vector<AdcTableRow> read_table(const ConfigNode& node) {
  if (node.kind != ConfigNode::Kind::list) throw ValueError("not a list", kRowFormat);
  std::vector<AdcTableRow> table;
  for (const ConfigNode& item : node.items) {
    const AdcTableRow row = read_row(item);
    for (const AdcTableRow& other : table) {
      if (other.bits == row.bits)
        throw ValueError("two rows for " + std::to_string(row.bits) + " bits", "one row per resolution");
    }
    table.push_back(row);
  }
  return table;
}

std::string print_table(const std::vector<AdcTableRow>& table) {
  std::string text;
  for (const AdcTableRow& row : table) {
    if (!text.empty()) text += ", ";
    text += "{bits: " + std::to_string(row.bits) +
            ", energy: " + base::print_quantity(row.energy.value(), Dimension::energy) +
            ", area: " + base::print_quantity(row.area.value(), Dimension::area) +
            ", rate: " + base::print_quantity(row.rate.value(), Dimension::frequency) + "}";
  }
  return "[" + text + "]";
}

base::Field table_field(std::vector<AdcTableRow>& table) {
  base::Field field;
  field.key = "table";
  field.type = "list of rows";
  field.allowed = "rows {bits, energy, area, rate}, or []";
  field.doc =
      "rows of the table model: energy per conversion, area of one ADC and samples per second at each "
      "resolution";
  field.get = [&table] { return print_table(table); };
  field.set = [&table](const ConfigNode& node) { table = read_table(node); };
  return field;
}

base::Schema errors_schema(AdcErrors& errors) {
  base::Schema s;
  s.real("offset", errors.offset, -1e6, 1e6,
         "added before rounding to a code, of every ADC, in LSB (the sum of one code)");
  s.real("offset_spread", errors.offset_spread, 0.0, 1e6,
         "standard deviation of the offset among the ADCs of a chip, in LSB");
  s.real("gain", errors.gain, -1.0, 10.0, "relative error of the gain of every ADC");
  s.real("gain_spread", errors.gain_spread, 0.0, 10.0,
         "standard deviation of the gain among the ADCs of a chip");
  s.real("noise", errors.noise, 0.0, 1e6, "standard deviation of a conversion's input, in LSB");
  return s;
}

}  // namespace

base::Schema schema(AdcParams& params) {
  base::Schema s;
  s.choice<AdcKind>(
      "kind", params.kind, {{"sar", AdcKind::sar}, {"flash", AdcKind::flash}, {"ramp", AdcKind::ramp}},
      "time of an n-bit conversion: sar n/rated_bits of a sample period, flash one, ramp 2^n/2^rated_bits");
  s.integer("per_ima", params.per_ima, 1, 4096, "ADCs of an IMA; it and ima.crossbars divide one another");
  s.integer("rated_bits", params.rated_bits, 1, base::kMaxAdcBits,
            "resolution at which rate, power and area are given");
  s.frequency("rate", params.rate, kSlowest, kFastest, "samples per second of one ADC at rated_bits");
  s.choice<AdcConversion>(
      "conversion", params.conversion, {{"clip", AdcConversion::clip}, {"truncate", AdcConversion::truncate}},
      "what happens to sums beyond the resolution: clip at the top code, or drop low bits");
  s.choice<AdcModel>(
      "model", params.model,
      {{"isaac_fit", AdcModel::isaac_fit},
       {"power_law", AdcModel::power_law},
       {"regression", AdcModel::regression},
       {"table", AdcModel::table}},
      "how energy and area follow from the resolution (equations: models/periphery/README.md)");
  s.flag("anchored", params.anchored,
         "scale the model so that it meets power and area at rated_bits; false: its own values");
  s.length("technology", params.technology_nm, 1.0, 1000.0, "process node (regression only)");
  s.add(table_field(params.table));
  s.add("resolution", schema(params.resolution));
  s.add("errors", errors_schema(params.errors));
  s.cost(params.cost, "ADCs of an IMA at rated_bits");
  return s;
}

}  // namespace bitline::periphery
