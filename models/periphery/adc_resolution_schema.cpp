// SPDX-License-Identifier: Apache-2.0
#include "models/base/actions.h"
#include "models/base/layer_rows.h"
#include "models/base/schema.h"
#include "models/periphery/adc.h"

namespace bitline::periphery {

namespace {

using base::ConfigNode;
using base::ValueError;

constexpr const char* kFormat =
    "a list of {layer: conv1, bits: 6} or {layer: conv1, bits: [4, 6, 6, 6]}, bits from 1 to 24";
static_assert(base::kMaxAdcBits == 24);

int read_bits(const ConfigNode& node) {
  if (node.kind != ConfigNode::Kind::scalar) throw ValueError("bits that are no number", kFormat);
  const std::int64_t bits = base::parse_integer(node.text);
  if (bits < 1 || bits > base::kMaxAdcBits)
    throw ValueError("'" + node.text + "' bits are out of range", kFormat);
  return static_cast<int>(bits);
}

bool set_bits(LayerResolution& row, const ConfigNode::Member& member) {
  if (member.key != "bits") return false;
  if (member.node.kind == ConfigNode::Kind::list) {
    for (const ConfigNode& item : member.node.items) row.bits.push_back(read_bits(item));
  } else {
    row.bits.push_back(read_bits(member.node));
  }
  if (row.bits.empty()) throw ValueError("a row without bits", kFormat);
  return true;
}

std::string print_rows(const std::vector<LayerResolution>& rows) {
  std::string text;
  for (const LayerResolution& row : rows) {
    text += (text.empty() ? "{layer: " : ", {layer: ") + base::yaml_scalar(row.layer) + ", bits: [";
    for (std::size_t i = 0; i < row.bits.size(); ++i)
      text += (i == 0 ? "" : ", ") + std::to_string(row.bits[i]);
    text += "]}";
  }
  return "[" + text + "]";
}

base::Field layers_field(std::vector<LayerResolution>& rows) {
  base::Field field;
  field.key = "layers";
  field.type = "list of rows";
  field.allowed = "rows {layer, bits}, or []";
  field.doc =
      "resolution of single layers, by the name of their node, whatever the policy: bits as of policy fixed";
  field.get = [&rows] { return print_rows(rows); };
  field.set = [&rows](const ConfigNode& node) {
    rows = base::read_layer_rows<LayerResolution>(node, kFormat, set_bits);
  };
  return field;
}

}  // namespace

base::Schema schema(AdcResolution& params) {
  base::Schema s;
  s.choice<AdcPolicy>(
      "policy", params.policy,
      {{"fixed", AdcPolicy::fixed},
       {"isaac", AdcPolicy::isaac},
       {"lossless", AdcPolicy::lossless},
       {"percentile", AdcPolicy::percentile}},
      "fixed = `bits`; isaac = log2(rows) + cell + dac bits, one less if either is 1, one "
      "less with the flip encoding; lossless = ceil(log2(M+1)), M the largest possible column "
      "sum of the mapped weights; percentile = the same with M a percentile");
  s.integers("bits", params.bits, 1, base::kMaxAdcBits, false,
             "policy fixed: one number, or one per slice, most significant first");
  s.real("percentile", params.percentile, 50.0, 100.0,
         "policy percentile: share of `percentile_of` that M holds, in percent");
  s.choice<PercentileOf>("percentile_of", params.percentile_of,
                         {{"bounds", PercentileOf::bounds}, {"sums", PercentileOf::sums}},
                         "policy percentile: of the largest possible sums of the columns, or of the sums "
                         "seen on the calibration inputs");
  s.choice<AdcGranularity>("granularity", params.granularity,
                           {{"layer", AdcGranularity::layer},
                            {"slice", AdcGranularity::slice},
                            {"crossbar", AdcGranularity::crossbar}},
                           "conversions that share one resolution: of a layer, of each of its slices, or of "
                           "each row block and slice");
  s.add(layers_field(params.layers));
  return s;
}

}  // namespace bitline::periphery
