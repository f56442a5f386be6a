// SPDX-License-Identifier: Apache-2.0
#include "sim/engine/dump.h"

#include <cctype>
#include <filesystem>
#include <set>

#include <nlohmann/json.hpp>

#include "mapper/tensor/operations.h"
#include "models/base/errors.h"
#include "models/base/files.h"

namespace bitline::engine {
namespace {

using Json = nlohmann::ordered_json;

const char* to_string(arch::WeightEncoding encoding) {
  switch (encoding) {
    case arch::WeightEncoding::differential:
      return "differential";
    case arch::WeightEncoding::offset:
      return "offset";
    case arch::WeightEncoding::twos_complement:
      return "twos_complement";
  }
  BITLINE_CHECK(false);
  return "";
}

const tensor::Tensor& weight_of(const graph::Node& node) {
  return node.op == graph::Op::conv ? *std::get<graph::ConvAttributes>(node.attributes).weight
                                    : *std::get<graph::LinearAttributes>(node.attributes).weight;
}

Json describe(const LayerDump& dump) {
  const slice::SlicedLayer& layer = *dump.sliced;
  const quantize::LayerQuant& quant = *dump.quant;
  const auto* conv = std::get_if<graph::ConvAttributes>(&dump.node->attributes);
  Json widths = Json::array();
  for (const slice::Slice& s : layer.slices) widths.push_back(s.width);
  Json blocks = Json::array();
  for (const slice::RowBlock& block : layer.blocks) blocks.push_back({block.first, block.last});
  const bool symmetric = quant.weights.scheme == arch::WeightScheme::symmetric;
  return {{"name", dump.name},
          {"node", dump.node->name},
          {"op", graph::to_string(dump.node->op)},
          {"strides", conv == nullptr ? Json::array() : Json(conv->strides)},
          {"pads", conv == nullptr ? Json::array() : Json(conv->pads)},
          {"dilations", conv == nullptr ? Json::array() : Json(conv->dilations)},
          {"group", layer.groups},
          {"weight_bits", quant.weights.bits},
          {"weight_scheme", symmetric ? "symmetric" : "dynamic_fixed_point"},
          {"weight_encoding", to_string(layer.encoding)},
          {"subtraction", layer.analog ? "analog" : "digital"},
          {"weight_scale", quant.weights.scale},
          {"slice_widths", widths},
          {"activation_bits", quant.input.bits},
          {"activation_signed", quant.input.is_signed},
          {"activation_scale", quant.input.scale},
          {"activation_zero_point", quant.input.zero_point},
          {"dac_bits", layer.dac_bits},
          {"flip", !layer.flipped.empty()},
          {"row_blocks", blocks},
          {"conversion", layer.conversion == periphery::AdcConversion::clip ? "clip" : "truncate"},
          {"adc_bits", layer.adc_bits}};
}

void make_directory(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (!error) return;
  throw base::UsageError(base::Problem{.where = directory,
                                       .given = "cannot be made: " + error.message(),
                                       .allowed = "a folder that can be written to",
                                       .remedy = "give another folder"});
}

tensor::Tensor over_images(std::span<const ImageResult> images, std::size_t layer,
                           tensor::Tensor LayerTrace::*part) {
  std::vector<const tensor::Tensor*> parts;
  for (const ImageResult& image : images) {
    parts.push_back(&(image.traces.at(layer).*part));
    BITLINE_CHECK(!parts.back()->shape.empty());
  }
  return tensor::concat(parts, 0);
}

}  // namespace

std::string file_stem(const std::string& node_name) {
  std::string stem;
  for (const char c : node_name) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-';
    stem += plain ? c : '_';
  }
  return stem;
}

void write_arrays(const std::string& directory, const LayerDump& layer, const tensor::Tensor& x,
                  const tensor::Tensor& y) {
  const std::string stem = (std::filesystem::path(directory) / layer.name).string();
  tensor::save_npy(stem + ".x.npy", x);
  tensor::save_npy(stem + ".w.npy", {weight_of(*layer.node).shape, layer.quant->weights.codes});
  tensor::save_npy(stem + ".y.npy", y);
}

void write_layer_list(const std::string& directory, std::span<const LayerDump> layers) {
  Json list = Json::array();
  for (const LayerDump& layer : layers) list.push_back(describe(layer));
  base::write_file_atomically((std::filesystem::path(directory) / "layers.json").string(),
                              list.dump(1) + "\n");
}

void dump_layers(const std::string& directory, const NetworkFunction& network,
                 std::span<const ImageResult> images) {
  make_directory(directory);
  std::set<std::string> used;
  std::vector<LayerDump> dumps;
  for (std::size_t l = 0; l < network.layers().size(); ++l) {
    const NetworkLayer& layer = network.layers()[l];
    const graph::Node& node = network.graph().node(layer.quant.node);
    std::string name = file_stem(node.name);
    while (!used.insert(name).second) name += "_";
    dumps.push_back({.name = name, .node = &node, .quant = &layer.quant, .sliced = layer.sliced.get()});
    write_arrays(directory, dumps.back(), over_images(images, l, &LayerTrace::x),
                 over_images(images, l, &LayerTrace::y));
  }
  write_layer_list(directory, dumps);
}

}  // namespace bitline::engine
