// SPDX-License-Identifier: Apache-2.0
// An ONNX file. What is accepted is a sound graph, runs on the float reference, and is mapped or refused.
#include <memory>
#include <string_view>
#include <vector>

#include "mapper/onnx/import.h"
#include "mapper/place/program.h"
#include "mapper/quantize/quantize.h"
#include "mapper/reference/executor.h"
#include "mapper/slice/slicer.h"
#include "mapper/tensor/operations.h"
#include "models/arch/arch_loader.h"
#include "models/base/errors.h"
#include "tests/fuzz/target.h"

namespace {

using namespace bitline;

// Small, so that a run is short: the limits are what keeps it short for every file.
constexpr std::int64_t kMostOfAValue = 1 << 12;
constexpr std::int64_t kMostTogether = 1 << 14;
constexpr std::int64_t kMostMacs = 1 << 22;

const arch::LoadedArch& machine() {
  static const arch::LoadedArch loaded = arch::parse_arch(
      "crossbar: {rows: 32, cols: 32, active_rows: 32}\n"
      "chip: {tiles: 16, mesh_width: 4}\n"
      "precision: {weights: {bits: 4}, activations: {bits: 4}}\n",
      "machine.yaml", {});
  return loaded;
}

/// Every node comes after what it reads, every value is known once and has elements.
void check(const graph::Graph& graph) {
  std::vector<bool> known(graph.values.size(), false);
  const auto at = [&](graph::ValueId v) {
    BITLINE_CHECK(v >= 0 && static_cast<std::size_t>(v) < graph.values.size());
    return static_cast<std::size_t>(v);
  };
  for (const graph::ValueId v : graph.inputs) known[at(v)] = true;
  for (std::size_t v = 0; v < graph.values.size(); ++v) {
    const graph::Value& value = graph.values[v];
    if (!value.constant) BITLINE_CHECK(tensor::element_count(value.shape) > 0);
    if (value.constant) BITLINE_CHECK(value.constant->shape == value.shape);
    if (value.constant) known[v] = true;
  }
  for (const graph::Node& node : graph.nodes) {
    for (const graph::ValueId v : node.inputs) BITLINE_CHECK(known[at(v)]);
    for (const graph::ValueId v : node.outputs) known[at(v)] = true;
  }
  for (const graph::ValueId v : graph.outputs) BITLINE_CHECK(known[at(v)]);
}

std::int64_t all_macs(const graph::Graph& graph) {
  std::int64_t sum = 0;
  for (const graph::Node& node : graph.nodes) sum += graph::macs(graph, node);
  return sum;
}

void run(const std::shared_ptr<const graph::Graph>& graph) {
  std::vector<tensor::Tensor> inputs;
  for (const graph::ValueId v : graph->inputs) inputs.push_back(tensor::zeros(graph->shape(v)));
  const std::vector<tensor::Tensor> outputs = reference::Executor(graph).run(inputs);
  for (std::size_t i = 0; i < outputs.size(); ++i)
    BITLINE_CHECK(outputs[i].shape == graph->shape(graph->outputs[i]));
}

void map(const std::shared_ptr<const graph::Graph>& graph) {
  const std::vector<quantize::Range> ranges(graph->values.size(), quantize::Range{0.0, 1.0});
  std::vector<place::LayerInput> layers;
  for (const quantize::LayerQuant& quant : quantize::quantize(*graph, ranges, machine().arch.precision))
    layers.push_back({quant.node, std::make_shared<const slice::SlicedLayer>(slice::slice_layer(
                                      slice::layer_shape(graph->node(quant.node)), quant, machine().arch))});
  static_cast<void>(place::place(graph, machine().arch, layers));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  onnx::ImportOptions options;
  options.allow_fixed_batch = size % 2 == 0;
  options.max_value_elements = kMostOfAValue;
  options.max_total_elements = kMostTogether;
  std::shared_ptr<const graph::Graph> graph;
  try {
    graph = std::make_shared<const graph::Graph>(onnx::import_onnx_bytes(
        std::string_view(reinterpret_cast<const char*>(data), size), "network.onnx", options));
  } catch (const base::NetworkError& error) {
    BITLINE_CHECK(!error.problems().empty());
    return 0;
  }
  check(*graph);
  if (all_macs(*graph) > kMostMacs) return 0;
  try {
    run(graph);
    if (!options.allow_fixed_batch) map(graph);
  } catch (const base::Error& error) {
    BITLINE_CHECK(!error.problems().empty());
  }
  return 0;
}
