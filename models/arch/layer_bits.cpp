// SPDX-License-Identifier: Apache-2.0
// The key precision.layers: bits of single layers.
#include "models/arch/arch_loader.h"
#include "models/base/layer_rows.h"

namespace bitline::arch {
namespace {

using base::ConfigNode;
using base::ValueError;

constexpr const char* kFormat = "a list of {layer: conv1, weights: 4, activations: 6}, bits from 1 to 16";
constexpr int kMostBits = 16;

int read_bits(const std::string& text) {
  const std::int64_t bits = base::parse_integer(text);
  if (bits < 1 || bits > kMostBits) throw ValueError("'" + text + "' bits are out of range", kFormat);
  return static_cast<int>(bits);
}

bool set_bits(LayerBits& row, const ConfigNode::Member& member) {
  if (member.key != "weights" && member.key != "activations") return false;
  (member.key == "weights" ? row.weights : row.activations) = read_bits(base::scalar_of_row(member, kFormat));
  return true;
}

std::string print_rows(const std::vector<LayerBits>& rows) {
  std::string text;
  for (const LayerBits& row : rows) {
    text += (text.empty() ? "{layer: " : ", {layer: ") + base::yaml_scalar(row.layer);
    if (row.weights != 0) text += ", weights: " + std::to_string(row.weights);
    if (row.activations != 0) text += ", activations: " + std::to_string(row.activations);
    text += "}";
  }
  return "[" + text + "]";
}

}  // namespace

base::Field layer_bits_field(std::vector<LayerBits>& rows) {
  base::Field field;
  field.key = "layers";
  field.type = "list of rows";
  field.allowed = "rows {layer, weights, activations}, or []";
  field.doc =
      "bits of single layers, by the name of their node: of its weights and of its input; at most those of "
      "all "
      "layers, whose transfers and buffers keep precision.activations.bits";
  field.get = [&rows] { return print_rows(rows); };
  field.set = [&rows](const ConfigNode& node) {
    rows = base::read_layer_rows<LayerBits>(node, kFormat, set_bits);
  };
  return field;
}

}  // namespace bitline::arch
