// SPDX-License-Identifier: Apache-2.0
#include "sim/engine/layer_function.h"

#include <algorithm>

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
    const auto mask = static_cast<std::uint16_t>((1u << layer_.activation_bits) - 1);
    narrow_codes(work_.codes.data(), static_cast<std::size_t>(count_) * input_rows(), mask,
                 work_.narrow.data());
    for (const ProductSegment& segment : plan_.segments) {
      for (int group = 0; group < layer_.groups; ++group) multiply_segment(segment, group);
    }
    if (drives_.active()) drives_.start_tile(count_, work_);
    for (int block = 0; block < static_cast<int>(layer_.blocks.size()); ++block) {
      for (int group = 0; group < layer_.groups; ++group) run_block(block, group);
    }
    if (drives_.active()) drives_.end_tile(plan_, count_, work_);
    pack();
  }

 private:
  [[nodiscard]] std::size_t input_rows() const {
    return static_cast<std::size_t>(layer_.groups) * layer_.rows_per_group;
  }
  [[nodiscard]] std::size_t stride() const { return static_cast<std::size_t>(layer_.groups) * plan_.columns; }
  [[nodiscard]] CodesJob codes_of(int group, int first, int rows) const {
    return {.codes = work_.narrow.data() + static_cast<std::size_t>(group) * layer_.rows_per_group + first,
            .stride = input_rows(),
            .positions = count_,
            .rows = rows};
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
    const CodesJob codes = codes_of(group, segment.first, segment.last - segment.first);
    const std::size_t weight_limb = plan_.limb_size(segment);
    const std::int8_t* weights = plan_.product_weights.data() + segment.weights +
                                 static_cast<std::size_t>(group * plan_.weight_limbs) * weight_limb;
    ProductJob job{.a = work_.limbs.data(),
                   .a_stride = static_cast<std::size_t>(segment.quads) * kQuad,
                   .reads = count_,
                   .quads = segment.quads,
                   .strips = plan_.columns / kStrip};
    for (int i = 0; i < plan_.input_limbs; ++i) {
      const int bits = std::min(8, layer_.activation_bits - 8 * i);
      cut_limb(codes, static_cast<std::uint16_t>(plan_.input_bias()), 8 * i,
               static_cast<std::uint16_t>((1 << bits) - 1), work_.limbs.data(), job.a_stride);
      for (int j = 0; j < plan_.weight_limbs; ++j) {
        job.b = weights + static_cast<std::size_t>(j) * weight_limb;
        multiply_add(job, 8 * (i + j), sums_of(group), stride());
      }
    }
    if (plan_.weight_bias != 0) add_weight_bias(codes, group);
  }

  /// What was taken off the weights of these rows, times their inputs.
  void add_weight_bias(const CodesJob& codes, int group) {
    const auto bias = static_cast<std::uint32_t>(plan_.input_bias());
    const std::uint32_t mask = (1u << layer_.activation_bits) - 1;
    for (int position = 0; position < count_; ++position) {
      const std::uint16_t* x = codes.codes + static_cast<std::size_t>(position) * codes.stride;
      std::uint32_t sum = 0;  // of at most kMaxRows rows of 16 bits
      for (int row = 0; row < codes.rows; ++row) sum += (x[row] + bias) & mask;
      const std::int64_t added = std::int64_t{plan_.weight_bias} * sum;
      std::int64_t* y = sums_of(group) + static_cast<std::size_t>(position) * stride();
      for (int column = 0; column < layer_.outputs_per_group; ++column) y[column] += added;
    }
  }

  void run_block(int block, int group) {
    const std::size_t at = static_cast<std::size_t>(block) * layer_.groups + group;
    const std::size_t first = plan_.first_set[at];
    const std::size_t last = plan_.first_set[at + 1];
    const bool counts = drives_.counts_reads();
    if (first == last && !counts) return;
    const slice::RowBlock rows = layer_.blocks[static_cast<std::size_t>(block)];
    const CodesJob codes = codes_of(group, rows.first, rows.rows());
    any_bits(codes, work_.any.data());
    if (counts) drives_.take_bits(block, group, count_, work_);
    prepare_reads(std::span(plan_.sets).subspan(first, last - first), codes);
    for (std::size_t s = first; s < last; ++s) {
      const ConvertingSet& set = plan_.sets[s];
      work_.clipped[static_cast<std::size_t>(set.slice)] +=
          set.on_planes ? convert_on_planes(set, codes.rows) : convert_by_product(set, codes.rows);
    }
  }

  /// What the sets of a block are converted from.
  void prepare_reads(std::span<const ConvertingSet> sets, const CodesJob& codes) {
    const auto any = [&sets](auto of) { return std::any_of(sets.begin(), sets.end(), of); };
    const auto is_narrow = [](const ConvertingSet& set) { return set.narrow; };
    const auto is_wide = [](const ConvertingSet& set) { return !set.narrow; };
    const auto is_product = [](const ConvertingSet& set) { return !set.on_planes; };
    if (any(is_narrow)) work_.narrow_reads.fill(work_.any, count_, layer_.chunks, plan_.narrow_groups);
    if (any(is_wide)) work_.wide_reads.fill(work_.any, count_, layer_.chunks, plan_.wide_groups);
    if (any([](const ConvertingSet& set) { return set.on_planes; })) {
      split_planes(codes, layer_.activation_bits, work_.planes.data());
    }
    if (any(is_product)) {
      const ReadList& list = any(is_narrow) ? work_.narrow_reads : work_.wide_reads;
      cut_reads(codes, list.reads, work_.chunk_codes.data(),
                static_cast<std::size_t>(quads_of(codes.rows)) * kQuad);
    }
  }

  [[nodiscard]] Accumulation accumulation(const ConvertingSet& set) {
    const int used = static_cast<int>(set.columns.size());
    return {.y = sums_of(set.group),
            .stride = stride(),
            .shift = set.shift,
            .negate = set.negate,
            .flip = set.flips.empty() ? nullptr : set.flips.data(),
            .columns = used == layer_.outputs_per_group ? nullptr : set.columns.data(),
            .count = used};
  }

  std::int64_t convert_on_planes(const ConvertingSet& set, int rows) {
    const int words = words_of(rows);
    return convert_planes({.planes = work_.planes.data(),
                           .planes_stride = static_cast<std::size_t>(layer_.activation_bits) * words,
                           .words = words,
                           .cells = plan_.plane_cells.data() + set.cells,
                           .partner = layer_.analog ? plan_.plane_cells.data() + set.partner : nullptr,
                           .cell_bits = layer_.slices[static_cast<std::size_t>(set.slice)].width,
                           .strips = strips_of(static_cast<int>(set.columns.size())),
                           .reads = work_.narrow_reads.reads,
                           .groups = work_.narrow_reads.groups,
                           .conversion = set.conversion,
                           .into = accumulation(set)});
  }

  std::int64_t convert_by_product(const ConvertingSet& set, int rows) {
    const int quads = quads_of(rows);
    const ReadList& list = set.narrow ? work_.narrow_reads : work_.wide_reads;
    const ProductJob product{.a = work_.chunk_codes.data(),
                             .a_stride = static_cast<std::size_t>(quads) * kQuad,
                             .reads = static_cast<int>(list.reads.size()),
                             .b = plan_.sum_cells.data() + set.cells,
                             .quads = quads,
                             .strips = strips_of(static_cast<int>(set.columns.size()))};
    return convert_sums({.product = product,
                         .limbs = set.limbs,
                         .limb_bytes = static_cast<std::size_t>(product.strips) * 2 * product.panel_bytes(),
                         .narrow = set.narrow,
                         .reads = list.reads,
                         .groups = list.groups,
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
std::int64_t LayerFunction::converting_columns() const {
  std::size_t columns = 0;
  for (const ConvertingSet& set : impl_->plan.sets) columns += set.columns.size();
  return static_cast<std::int64_t>(columns);
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
