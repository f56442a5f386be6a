// SPDX-License-Identifier: Apache-2.0
// The key precision.layers: bits of single layers.
#include "models/arch/arch_loader.h"

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

LayerBits read_row(const ConfigNode& node) {
  if (node.kind != ConfigNode::Kind::map) throw ValueError("a row that is not {...}", kFormat);
  LayerBits row;
  for (const ConfigNode::Member& member : node.members) {
    if (member.node.kind != ConfigNode::Kind::scalar)
      throw ValueError("'" + member.key + "' of a row is no plain value", kFormat);
    if (member.key == "layer") {
      row.layer = member.node.text;
    } else if (member.key == "weights") {
      row.weights = read_bits(member.node.text);
    } else if (member.key == "activations") {
      row.activations = read_bits(member.node.text);
    } else {
      throw ValueError("unknown key '" + member.key + "' in a row", kFormat);
    }
  }
  if (row.layer.empty()) throw ValueError("a row without layer", kFormat);
  if (row.weights == 0 && row.activations == 0)
    throw ValueError("a row for '" + row.layer + "' without bits", kFormat);
  return row;
}

std::vector<LayerBits> read_rows(const ConfigNode& node) {
  if (node.kind != ConfigNode::Kind::list) throw ValueError("not a list", kFormat);
  std::vector<LayerBits> rows;
  for (const ConfigNode& item : node.items) {
    rows.push_back(read_row(item));
    for (std::size_t i = 0; i + 1 < rows.size(); ++i)
      if (rows[i].layer == rows.back().layer)
        throw ValueError("two rows for '" + rows[i].layer + "'", "one row per layer");
  }
  return rows;
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
  field.set = [&rows](const ConfigNode& node) { rows = read_rows(node); };
  return field;
}

}  // namespace bitline::arch
