// SPDX-License-Identifier: Apache-2.0
#include "sim/engine/dump.h"

#include <cctype>
#include <filesystem>
#include <set>

#include <nlohmann/json.hpp>

#include "mapper/tensor/tensor.h"
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
    case arch::WeightEncoding::centre_offset:
      return "centre_offset";
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
          {"group", conv == nullptr ? 1 : conv->group},
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
          {"adc_bits", layer.adc_bits},
          {"mapped_rows", layer.window_rows},
          {"mapped_outputs", layer.channel_of_output},
          {"folded", *dump.folded},
          {"centres", layer.centres}};
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

}  // namespace

std::string file_stem(const std::string& node_name) {
  std::string stem;
  for (const char c : node_name) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-';
    stem += plain ? c : '_';
  }
  return stem;
}

void write_layer_list(const std::string& directory, std::span<const LayerDump> layers) {
  Json list = Json::array();
  for (const LayerDump& layer : layers) list.push_back(describe(layer));
  base::write_file_atomically((std::filesystem::path(directory) / "layers.json").string(),
                              list.dump(1) + "\n");
}

struct LayerDumper::Impl {
  std::string directory;
  std::int64_t images = 0;
  std::vector<LayerDump> layers;
  std::vector<std::unique_ptr<tensor::NpyWriter>> x;  ///< one per layer, from the first image on
  std::vector<std::unique_ptr<tensor::NpyWriter>> y;

  [[nodiscard]] std::string stem(std::size_t layer) const {
    return (std::filesystem::path(directory) / layers[layer].name).string();
  }
};

LayerDumper::LayerDumper(const std::string& directory, const NetworkFunction& network, std::int64_t images)
    : impl_(std::make_unique<Impl>()) {
  make_directory(directory);
  impl_->directory = directory;
  impl_->images = images;
  std::set<std::string> used;
  for (const NetworkLayer& layer : network.layers()) {
    const graph::Node& node = network.graph().node(layer.quant->node);
    std::string name = file_stem(node.name);
    while (!used.insert(name).second) name += "_";
    impl_->layers.push_back({.name = name,
                             .node = &node,
                             .quant = layer.quant.get(),
                             .sliced = layer.sliced.get(),
                             .folded = &layer.folded});
  }
}

LayerDumper::~LayerDumper() = default;

void LayerDumper::write(std::int64_t index, const ImageResult& image) {
  for (std::size_t l = 0; l < impl_->layers.size(); ++l) {
    const LayerTrace& trace = image.traces.at(l);
    BITLINE_CHECK(!trace.x.shape.empty() && !trace.y.shape.empty());
    if (impl_->x.size() == l) {
      impl_->x.push_back(
          std::make_unique<tensor::NpyWriter>(impl_->stem(l) + ".x.npy", impl_->images, trace.x));
      impl_->y.push_back(
          std::make_unique<tensor::NpyWriter>(impl_->stem(l) + ".y.npy", impl_->images, trace.y));
    }
    impl_->x[l]->write(index, trace.x);
    impl_->y[l]->write(index, trace.y);
  }
}

void LayerDumper::finish() {
  for (std::size_t l = 0; l < impl_->layers.size(); ++l) {
    const LayerDump& layer = impl_->layers[l];
    impl_->x.at(l)->finish();
    impl_->y.at(l)->finish();
    tensor::save_npy(impl_->stem(l) + ".w.npy", {weight_of(*layer.node).shape, layer.quant->weights.codes});
  }
  write_layer_list(impl_->directory, impl_->layers);
}

void dump_layers(const std::string& directory, const NetworkFunction& network,
                 std::span<const ImageResult> images) {
  LayerDumper dumper(directory, network, std::ssize(images));
  for (std::size_t i = 0; i < images.size(); ++i) dumper.write(static_cast<std::int64_t>(i), images[i]);
  dumper.finish();
}

}  // namespace bitline::engine
