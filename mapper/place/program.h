// SPDX-License-Identifier: Apache-2.0
// The placed program: which crossbar holds which part of which layer, and the streams of pixels between the
// stages of the layer pipeline. This is all that the simulation of time needs; values live in slice/ and
// engine/.
//
// A tensor is a stream of pixels in raster order; a pixel carries all channels of one position (a tensor that
// is not an image is one pixel). A stage makes its output pixels in order; edge windows tell which input
// pixels one of them needs and from when on an input pixel is no longer needed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "mapper/graph/graph.h"
#include "mapper/place/lists.h"
#include "mapper/slice/sliced_layer.h"
#include "models/arch/arch.h"

namespace bitline::place {

/// Index of a stage / edge / crossbar layer in Program::stages / edges / layers.
using StageId = int;
using EdgeId = int;
using LayerId = int;

/// One read step of a crossbar: the rows of one row block of `group_count` groups are driven together and the
/// columns of these groups converted. A crossbar repeats each phase for every input chunk; phases follow each
/// other, chunks are the inner loop.
struct Phase {
  int block = 0;  ///< index in SlicedLayer::blocks
  int group_first = 0;
  int group_count = 1;  ///< > 1 only where groups are packed block-diagonally
  friend bool operator==(const Phase&, const Phase&) = default;
};

/// The part of a layer on one crossbar.
struct CrossbarPart {
  int slot = 0;          ///< crossbar of the IMA
  int array = 0;         ///< 0 positive or only, 1 negative
  int slice = -1;        ///< -1: all slices side by side (interleaved), else the only one (separate)
  int output_first = 0;  ///< outputs within each group
  int output_count = 0;
  std::vector<Phase> phases;
};

/// `results` partial sums (or complete sums) of an IMA that go to LayerPlacement::joins[join].
struct Contribution {
  int join = 0;
  int results = 0;
};

/// The crossbars of a layer in one IMA. An IMA serves one copy of one layer only; all its crossbars read in
/// lockstep and work on the same window.
struct ImaPart {
  int tile = 0;
  int ima = 0;      ///< IMA of the tile
  int replica = 0;  ///< the copy of the layer that it belongs to
  Shared<CrossbarPart> crossbars;
  /// Into the input register per window, and read from eDRAM for it (no reuse between windows): the distinct
  /// rows.
  std::int64_t input_bytes = 0;
  /// Results per window in the output register, after the IMA's shift-adds joined what lies in it.
  Shared<Contribution> contributions;
  [[nodiscard]] int results() const;
};

/// Partial sums of a set of outputs meet here and become output values.
struct Join {
  int tile = 0;
  int outputs = 0;  ///< outputs completed here per window
  int parts = 0;    ///< ImaParts that contribute; each brings `outputs` results
  int replica = 0;
};

/// One crossbar layer.
struct LayerPlacement {
  StageId stage = 0;
  graph::NodeId node = 0;
  std::string name;
  std::int64_t windows = 0;  ///< output positions per image = MVMs per image
  int replicas = 1;          ///< copies; window w (images concatenated) is made by copy w % replicas
  std::vector<ImaPart> imas;
  std::vector<Join> joins;
  std::int64_t crossbars = 0;     ///< used
  double cell_utilization = 0.0;  ///< cells that hold a weight / cells of the used crossbars
  /// The layer before it whose IMAs it uses; -1: it has its own. Then `crossbars` is 0: the other has counted
  /// them.
  LayerId shares = -1;
  /// Programmed once per run: cells, the sum of their levels, and the bytes that say so. 0 where the
  /// crossbars hold the network all the time.
  std::int64_t written_cells = 0;
  std::int64_t written_levels = 0;
  std::int64_t written_bytes = 0;
  /// Of layers that share IMAs: the one whose windows of an image must have left them before it may use them,
  /// a later layer meaning the image before; -1: it shares with none.
  LayerId after = -1;
};

enum class StageKind { input, crossbar, digital, output };
/// The digital unit that does a stage's (or a fused operator's) work.
enum class Unit { none, activation, pooling, elementwise, requantise };

/// Work of a digital unit per output pixel.
struct UnitWork {
  Unit unit = Unit::none;
  std::int64_t elements = 0;
  graph::NodeId node = -1;  ///< the graph node this is for (-1: requantisation)
};

struct Stage {
  StageKind kind = StageKind::digital;
  std::string name;
  graph::ValueId value = 0;      ///< what it produces (after fused operators)
  LayerId layer = -1;            ///< crossbar stages
  std::int64_t pixels = 0;       ///< output pixels per image
  std::int64_t pixel_bytes = 0;  ///< of one output pixel, all channels
  /// Where it runs: the joins' tiles (crossbar); the tiles of its parts, each with its channels (digital):
  /// part i takes what deliveries[i] of every input brings. Inputs and outputs: tile 0 of the chip whose link
  /// they pass.
  Few<int> tiles;
  bool by_channel = false;  ///< each output channel takes its own input channels only: may run in parts
  int parts = 1;            ///< by_channel: in so many tiles, or more where buffers are too large for them
  Few<UnitWork> work;       ///< in order, after the crossbar work if any
  int phase = 0;            ///< Program::phases
  /// Of an input or output: no input or output of the network, but a value that is kept outside the chip from
  /// one phase to another.
  bool stored = false;
  Few<EdgeId> inputs;
  Few<EdgeId, 4> outputs;
};

/// Which input pixels the output pixels of an operator take that moves pixels, by output pixel; as Window's.
struct Gather {
  std::vector<std::int64_t> needed, released, taken;
  bool pixelwise = false;  ///< each takes the pixel at its own place, or none
};

/// Which input pixels an output pixel takes, in raster coordinates of the image.
struct Window {
  /// all: every output pixel takes the whole image, which stays buffered; reduce: the same for one output
  /// pixel, but the unit accumulates input pixels as they arrive (global pooling), so that each leaves its
  /// buffer at once; gathered: as `gather` lists.
  enum class Kind { pixelwise, sliding, all, reduce, gathered } kind = Kind::pixelwise;
  std::int64_t in_h = 1, in_w = 1, out_h = 1, out_w = 1;
  std::int64_t kernel_h = 1, kernel_w = 1;  ///< extent, dilation included
  std::int64_t stride_h = 1, stride_w = 1;
  std::int64_t pad_top = 0, pad_left = 0;
  std::int64_t dilation_h = 1, dilation_w = 1;
  std::shared_ptr<const Gather> gather;

  /// Input pixels (of the image, from the first) that must have arrived before output pixel `j` can be made.
  /// Non-decreasing in j.
  [[nodiscard]] std::int64_t needed(std::int64_t j) const;
  /// Input pixels (from the first) that no output pixel after `j` takes. Equals in_h*in_w at the last j.
  /// (Kind::reduce: callers release a pixel when it arrives instead.)
  [[nodiscard]] std::int64_t released(std::int64_t j) const;
  /// Input pixels that output pixel j takes; padding and the holes of a dilation are none.
  [[nodiscard]] std::int64_t taken(std::int64_t j) const;
};

struct WindowTable;

/// Where an edge's pixels are delivered and buffered: `pixel_bytes` of each pixel go to this tile's eDRAM.
struct Delivery {
  int tile = 0;
  std::int64_t pixel_bytes = 0;
};

struct Edge {
  StageId producer = 0;
  StageId consumer = 0;
  Window window;
  std::shared_ptr<const WindowTable> table;  ///< of `window` (window_table.h), from size_buffers() on
  Few<Delivery> deliveries;
  bool to_every_part =
      false;  ///< each part of a digital consumer takes whole pixels, not its share of channels
  std::int64_t capacity =
      0;  ///< pixels buffered or on the way at most (then the producer waits); avoids deadlock
};

/// A part of a network that is on the chip by itself: what is programmed before it runs.
struct Programming {
  std::int64_t bytes = 0;         ///< cell codes over the chip's link
  std::int64_t rows_of_tile = 0;  ///< crossbar rows written in the tile that has most
};

/// Tiles are numbered through all chips: chip c has those from c * chip.tiles on.
struct Program {
  std::shared_ptr<const graph::Graph> graph;
  std::vector<Stage> stages;  ///< in topological order
  std::vector<Edge> edges;
  std::vector<LayerPlacement> layers;
  std::int64_t crossbars_used = 0;
  std::int64_t crossbars_available = 0;
  int tiles_used = 0;
  int chips = 1;
  /// By phase: all images pass one phase, then the next. Empty: the chips hold the whole network.
  std::vector<Programming> phases;
  std::int64_t writes_per_cell = 0;  ///< of the crossbar that most phases use, per run
};

/// A set of crossbar phases that drive the same rows: what the engine counts activity for.
struct DriveSet {
  int block = 0;
  int group_first = 0;
  int group_count = 1;
  std::int64_t crossbars = 0;  ///< crossbars that have this phase
  /// Columns converted in it, by slice, summed over these crossbars (where the slice's adc_bits are not 0).
  std::vector<std::int64_t> columns_per_slice;
  /// Columns read but not converted themselves: the negative array under analog subtraction.
  std::vector<std::int64_t> partner_columns_per_slice;
  std::int64_t reference_columns =
      0;  ///< reference columns read in it: those of crossbars that convert a column
  std::int64_t centre_additions = 0;  ///< per window, of the IMAs whose first phase this is (centre_work.h)
};
/// The distinct phases of one copy of a layer (each window is worked on by one), in order of block and group.
[[nodiscard]] std::vector<DriveSet> drive_sets(const LayerPlacement& layer, const slice::SlicedLayer& sliced);

struct Partition;

/// Layers of the network as the mapper needs them: sliced weights of each crossbar node, in node order.
struct LayerInput {
  graph::NodeId node = 0;
  std::shared_ptr<const slice::SlicedLayer> sliced;
  LayerId shares = -1;  ///< an earlier layer with the same sliced weights, whose crossbars it is to use
  std::shared_ptr<const Partition> parts = nullptr;  ///< as partition() cuts it, where that is known
};

/// Places `graph` on `arch`. Throws base::MappingError if it does not fit (crossbars, eDRAM), naming what is
/// short, how much is needed and what would help.
[[nodiscard]] Program place(std::shared_ptr<const graph::Graph> graph, const arch::Arch& arch,
                            const std::vector<LayerInput>& layers);

}  // namespace bitline::place
