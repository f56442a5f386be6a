// SPDX-License-Identifier: Apache-2.0
// The function of a whole network: crossbar layers on the bit-exact LayerFunction, digital operators in
// float32 by the reference executor, quantised again wherever the next crossbar layer asks for it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "mapper/graph/graph.h"
#include "mapper/quantize/quantize.h"
#include "sim/engine/layer_function.h"

namespace bitline::engine {

/// One crossbar layer of the network as mapped, in node order.
struct NetworkLayer {
  std::shared_ptr<const quantize::LayerQuant> quant;
  std::shared_ptr<const slice::SlicedLayer> sliced;
  std::vector<place::DriveSet> drive_sets;
  /// Added to the sum of each output of the node: what inputs that were removed as constant give. Empty: 0.
  std::vector<std::int64_t> folded = {};
};

/// Computes the sums of layers in place of their bit-exact functions, or watches them.
class LayerRunner {
 public:
  virtual ~LayerRunner() = default;
  /// All positions of `source`; returns what activity it counted.
  virtual LayerActivity run(std::size_t layer, const InputSource& source, OutputSink& sink) = 0;
};

/// What run() keeps beside the outputs.
struct RunOptions {
  bool keep_inputs = false;       ///< integer inputs of every layer: gather() of the structural mode
  bool keep_sums = false;         ///< integer sums of every layer: dumps and checks
  LayerRunner* runner = nullptr;  ///< null: the bit-exact functions
};

/// The integers of one layer for one image.
struct LayerTrace {
  tensor::Tensor x;  ///< int32, shape of the node's input
  tensor::Tensor y;  ///< int64, shape of the node's output
};

/// One image through the network.
struct ImageResult {
  std::vector<tensor::Tensor> outputs;  ///< float32, one per Graph::outputs
  std::vector<LayerActivity> activity;  ///< one per layer
  std::vector<LayerTrace> traces;       ///< one per layer; tensors empty where not kept
};

class NetworkFunction {
 public:
  /// `layers` has one entry per crossbar node of `graph`, in node order.
  NetworkFunction(std::shared_ptr<const graph::Graph> graph, std::vector<NetworkLayer> layers,
                  bool gate_zero_chunks);
  ~NetworkFunction();

  /// Runs one image (one float tensor per Graph::inputs). Throws base::SimulationError naming the layer where
  /// an activation is not finite, base::UsageError for inputs of another shape.
  [[nodiscard]] ImageResult run(const quantize::Inputs& image, const RunOptions& options = {}) const;

  /// The integer inputs of one window (output position of the image, raster order) of a layer, from its kept
  /// LayerTrace::x: those that are mapped, [groups*rows_per_group], group-major. Padding has the code of
  /// zero.
  void gather(std::size_t layer, const LayerTrace& trace, std::int64_t window,
              std::span<std::int32_t> rows) const;

  [[nodiscard]] const graph::Graph& graph() const;
  [[nodiscard]] const std::vector<NetworkLayer>& layers() const;
  [[nodiscard]] const LayerFunction& function(std::size_t layer) const;

 private:
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

/// Writes `<layer>.x.npy`, `.w.npy`, `.y.npy` of every layer and `layers.json` into a folder (made if
/// absent), images along the first axis, image by image. Throws base::UsageError if unwritable.
class LayerDumper {
 public:
  LayerDumper(const std::string& directory, const NetworkFunction& network, std::int64_t images);
  ~LayerDumper();
  /// `image` must have its traces. In any order; for one thread at a time.
  void write(std::int64_t index, const ImageResult& image);
  /// After every image has been written.
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// All images at once.
void dump_layers(const std::string& directory, const NetworkFunction& network,
                 std::span<const ImageResult> images);

}  // namespace bitline::engine
