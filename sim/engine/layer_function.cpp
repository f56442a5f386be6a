// SPDX-License-Identifier: Apache-2.0
#include "sim/engine/layer_function.h"

#include <algorithm>
#include <bit>

#include <tbb/enumerable_thread_specific.h>
#include <tbb/parallel_for.h>

#include "models/base/errors.h"
#include "sim/engine/activity.h"
#include "sim/engine/layer_plan.h"
#include "sim/engine/workspace.h"

namespace bitline::engine {
namespace {

/// A matrix in memory as source and sink.
class MatrixSource final : public InputSource {
 public:
  MatrixSource(std::span<const std::int32_t> x, std::size_t rows) : x_(x), rows_(rows) {}
  [[nodiscard]] std::int64_t positions() const override {
    return static_cast<std::int64_t>(x_.size() / rows_);
  }
  void gather(std::int64_t first, int count, std::int32_t* out) const override {
    std::copy_n(x_.data() + static_cast<std::size_t>(first) * rows_, static_cast<std::size_t>(count) * rows_,
                out);
  }

 private:
  std::span<const std::int32_t> x_;
  std::size_t rows_;
};

class MatrixSink final : public OutputSink {
 public:
  MatrixSink(std::span<std::int64_t> y, std::size_t outputs) : y_(y), outputs_(outputs) {}
  void store(std::int64_t first, int count, const std::int64_t* y) override {
    std::copy_n(y, static_cast<std::size_t>(count) * outputs_,
                y_.data() + static_cast<std::size_t>(first) * outputs_);
  }

 private:
  std::span<std::int64_t> y_;
  std::size_t outputs_;
};

/// One tile of positions through one layer.
class Tile {
 public:
  Tile(const LayerPlan& plan, const DriveIndex& drives, Workspace& work, int count)
      : plan_(plan), layer_(*plan.layer), drives_(drives), work_(work), count_(count) {}

  void run() {
    start_sums();
    for (const ProductSegment& segment : plan_.segments) {
      for (int group = 0; group < layer_.groups; ++group) multiply_segment(segment, group);
    }
    for (int block = 0; block < static_cast<int>(layer_.blocks.size()); ++block) {
      drives_.start_block(block, count_, work_);
      for (int group = 0; group < layer_.groups; ++group) run_block(block, group);
      drives_.end_block(block, count_, work_);
    }
    if (drives_.active()) work_.level_sum += drives_.level_sum(plan_, work_.codes.data(), count_);
    pack();
  }

 private:
  [[nodiscard]] std::size_t input_rows() const {
    return static_cast<std::size_t>(layer_.groups) * layer_.rows_per_group;
  }
  [[nodiscard]] std::size_t stride() const { return static_cast<std::size_t>(layer_.groups) * plan_.columns; }
  [[nodiscard]] const std::int32_t* rows_of(int position, int group) const {
    return work_.codes.data() + static_cast<std::size_t>(position) * input_rows() +
           static_cast<std::size_t>(group) * layer_.rows_per_group;
  }
  [[nodiscard]] std::int64_t* sums_of(int group) {
    return work_.y.data() + static_cast<std::size_t>(group) * plan_.columns;
  }

  void start_sums() {
    for (int position = 0; position < count_; ++position) {
      std::copy(plan_.constant.begin(), plan_.constant.end(),
                work_.y.data() + static_cast<std::size_t>(position) * stride());
    }
  }

  /// The exact product of a segment of rows, limb by limb.
  void multiply_segment(const ProductSegment& segment, int group) {
    const auto rows = static_cast<std::size_t>(segment.pairs()) * 2;
    const std::size_t limb_stride = rows * static_cast<std::size_t>(count_);
    for (int position = 0; position < count_; ++position) {
      const std::int32_t* from = rows_of(position, group) + segment.first;
      std::int16_t* low = work_.limbs.data() + static_cast<std::size_t>(position) * rows;
      const int used = segment.last - segment.first;
      if (plan_.input_limbs == 1) {
        for (int i = 0; i < used; ++i) low[i] = static_cast<std::int16_t>(from[i]);
      } else {
        for (int i = 0; i < used; ++i) low[i] = static_cast<std::int16_t>(from[i] & 0xff);
        for (int i = 0; i < used; ++i)
          low[limb_stride + static_cast<std::size_t>(i)] = static_cast<std::int16_t>(from[i] >> 8);
      }
      if (rows > static_cast<std::size_t>(used)) {
        for (int limb = 0; limb < plan_.input_limbs; ++limb)
          low[static_cast<std::size_t>(limb) * limb_stride + rows - 1] = 0;
      }
    }
    const std::size_t weight_limb = plan_.limb_size(segment);
    const std::int16_t* weights = plan_.product_weights.data() + segment.weights +
                                  static_cast<std::size_t>(group) * weight_limb * plan_.weight_limbs;
    for (int i = 0; i < plan_.input_limbs; ++i) {
      for (int j = 0; j < plan_.weight_limbs; ++j) {
        const ProductJob job{.a = work_.limbs.data() + static_cast<std::size_t>(i) * limb_stride,
                             .a_stride = rows,
                             .positions = count_,
                             .b = weights + static_cast<std::size_t>(j) * weight_limb,
                             .pairs = segment.pairs(),
                             .panels = plan_.columns / kProductPanel};
        multiply_add(job, 8 * (i + j), sums_of(group), stride());
      }
    }
  }

  void run_block(int block, int group) {
    const std::size_t at = static_cast<std::size_t>(block) * layer_.groups + group;
    const std::size_t first = plan_.first_set[at];
    const std::size_t last = plan_.first_set[at + 1];
    if (first == last && !drives_.active()) return;
    const slice::RowBlock rows = layer_.blocks[static_cast<std::size_t>(block)];
    const int words = (rows.rows() + kWordRows - 1) / kWordRows;
    split_block(rows, group, words);
    drives_.count_rows(block, group, words, count_, work_);
    bool chunked = false;
    for (std::size_t s = first; s < last; ++s) {
      const ConvertingSet& set = plan_.sets[s];
      if (!set.on_planes && !chunked) chunk_block(rows, group);
      chunked = chunked || !set.on_planes;
      work_.clipped[static_cast<std::size_t>(set.slice)] +=
          set.on_planes ? convert_on_planes(set, words) : convert_product(set, rows);
    }
  }

  /// Bit planes and input sums of a row block.
  void split_block(slice::RowBlock rows, int group, int words) {
    const auto mask = static_cast<std::uint16_t>((1u << layer_.activation_bits) - 1);
    const std::size_t plane_stride = static_cast<std::size_t>(layer_.activation_bits) * words;
    std::fill(work_.block_codes.begin(), work_.block_codes.end(), std::uint16_t{0});
    for (int position = 0; position < count_; ++position) {
      const std::int32_t* from = rows_of(position, group) + rows.first;
      std::int64_t sum = 0;
      for (int i = 0; i < rows.rows(); ++i) {
        sum += from[i];
        work_.block_codes[static_cast<std::size_t>(i)] = static_cast<std::uint16_t>(from[i]) & mask;
      }
      work_.input_sums[static_cast<std::size_t>(position)] = sum;
      split_planes(work_.block_codes.data(), rows.rows(), layer_.activation_bits,
                   work_.planes.data() + static_cast<std::size_t>(position) * plane_stride);
    }
  }

  [[nodiscard]] Accumulation accumulation(const ConvertingSet& set) {
    const std::int64_t full =
        (std::int64_t{1} << layer_.slices[static_cast<std::size_t>(set.slice)].width) - 1;
    return {.y = sums_of(set.group),
            .stride = stride(),
            .drop = set.conversion.drop,
            .shift = set.shift,
            .negate = set.negate,
            .flip = set.flip == ConvertingSet::kNone ? nullptr : plan_.flips.data() + set.flip,
            .full = full,
            .input_sums = work_.input_sums.data()};
  }

  std::int64_t convert_on_planes(const ConvertingSet& set, int words) {
    return convert_planes({.planes = work_.planes.data(),
                           .planes_stride = static_cast<std::size_t>(layer_.activation_bits) * words,
                           .positions = count_,
                           .words = words,
                           .cells = plan_.plane_cells.data() + set.cells,
                           .partner = layer_.analog ? plan_.plane_cells.data() + set.partner : nullptr,
                           .cell_bits = layer_.slices[static_cast<std::size_t>(set.slice)].width,
                           .panels = plan_.columns / kPlanePanel,
                           .chunks = layer_.chunks,
                           .groups = set.chunk_groups,
                           .dac_bits = layer_.dac_bits,
                           .conversion = set.conversion,
                           .into = accumulation(set)});
  }

  /// The chunks of a row block as numbers, one row of a matrix per position and chunk.
  void chunk_block(slice::RowBlock rows, int group) {
    const std::size_t row_stride = static_cast<std::size_t>((rows.rows() + 1) / 2) * 2;
    std::int16_t* out = work_.chunk_codes.data();
    for (int position = 0; position < count_; ++position) {
      const std::int32_t* from = rows_of(position, group) + rows.first;
      for (const slice::InputChunk& chunk : layer_.chunks) {
        const std::uint32_t mask = (1u << chunk.width) - 1;
        for (int i = 0; i < rows.rows(); ++i) {
          out[i] = static_cast<std::int16_t>((static_cast<std::uint32_t>(from[i]) >> chunk.shift) & mask);
        }
        if (rows.rows() % 2 != 0) out[rows.rows()] = 0;
        out += row_stride;
      }
    }
  }

  std::int64_t convert_product(const ConvertingSet& set, slice::RowBlock rows) {
    const int pairs = (rows.rows() + 1) / 2;
    multiply({.a = work_.chunk_codes.data(),
              .a_stride = static_cast<std::size_t>(pairs) * 2,
              .positions = count_ * static_cast<int>(layer_.chunks.size()),
              .b = plan_.sum_cells.data() + set.cells,
              .pairs = pairs,
              .panels = plan_.columns / kProductPanel},
             work_.sums.data());
    return convert_sums({.sums = work_.sums.data(),
                         .positions = count_,
                         .columns = plan_.columns,
                         .chunks = layer_.chunks,
                         .conversion = set.conversion,
                         .into = accumulation(set)});
  }

  /// Takes the padding columns out.
  void pack() {
    for (int position = 0; position < count_; ++position) {
      for (int group = 0; group < layer_.groups; ++group) {
        const std::int64_t* from = sums_of(group) + static_cast<std::size_t>(position) * stride();
        std::copy_n(from, layer_.outputs_per_group,
                    work_.packed.data() + static_cast<std::size_t>(position) * layer_.outputs() +
                        static_cast<std::size_t>(group) * layer_.outputs_per_group);
      }
    }
  }

  const LayerPlan& plan_;
  const slice::SlicedLayer& layer_;
  const DriveIndex& drives_;
  Workspace& work_;
  int count_;
};

}  // namespace

struct LayerFunction::Impl {
  Impl(std::shared_ptr<const slice::SlicedLayer> layer, std::vector<place::DriveSet> drive_sets, bool gate)
      : plan(std::move(layer)), drives(*plan.layer, std::move(drive_sets), gate) {}
  LayerPlan plan;
  DriveIndex drives;
};

LayerFunction::LayerFunction(std::shared_ptr<const slice::SlicedLayer> layer,
                             std::vector<place::DriveSet> drive_sets, bool gate_zero_chunks)
    : impl_(std::make_unique<const Impl>(std::move(layer), std::move(drive_sets), gate_zero_chunks)) {}
LayerFunction::~LayerFunction() = default;
LayerFunction::LayerFunction(LayerFunction&&) noexcept = default;
LayerFunction& LayerFunction::operator=(LayerFunction&&) noexcept = default;

const slice::SlicedLayer& LayerFunction::sliced() const {
  return *impl_->plan.layer;
}
std::int64_t LayerFunction::converting_sets() const {
  return static_cast<std::int64_t>(impl_->plan.sets.size());
}
std::int64_t LayerFunction::bytes() const {
  return impl_->plan.bytes();
}

LayerActivity LayerFunction::run(const InputSource& source, OutputSink& sink) const {
  const LayerPlan& plan = impl_->plan;
  const std::int64_t positions = source.positions();
  const int size =
      static_cast<int>(std::min<std::int64_t>(tile_positions(plan), std::max<std::int64_t>(positions, 1)));
  tbb::enumerable_thread_specific<Workspace> workspaces(
      [&] { return Workspace(plan, size, impl_->drives.sets().size()); });
  tbb::parallel_for(std::int64_t{0}, (positions + size - 1) / size, [&](std::int64_t tile) {
    Workspace& work = workspaces.local();
    const std::int64_t first = tile * size;
    const int count = static_cast<int>(std::min<std::int64_t>(size, positions - first));
    source.gather(first, count, work.codes.data());
    Tile(plan, impl_->drives, work, count).run();
    sink.store(first, count, work.packed.data());
  });
  LayerActivity activity = impl_->drives.none();
  for (const Workspace& work : workspaces) impl_->drives.add(work, activity);
  impl_->drives.finish(positions, activity);
  return activity;
}

LayerActivity LayerFunction::run(std::span<const std::int32_t> x, std::span<std::int64_t> y) const {
  const slice::SlicedLayer& layer = sliced();
  const auto rows = static_cast<std::size_t>(layer.groups) * layer.rows_per_group;
  const auto outputs = static_cast<std::size_t>(layer.outputs());
  BITLINE_CHECK(x.size() % rows == 0 && y.size() == x.size() / rows * outputs);
  MatrixSink sink(y, outputs);
  return run(MatrixSource(x, rows), sink);
}

}  // namespace bitline::engine
