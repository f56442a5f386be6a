// SPDX-License-Identifier: Apache-2.0
// Programs the crossbars of a layer: every cell as placed, neighbours on its wires included.
#include <algorithm>
#include <atomic>
#include <cmath>

#include <tbb/parallel_for.h>

#include "mapper/place/partition.h"
#include "mapper/slice/resolution.h"
#include "models/base/errors.h"
#include "models/device/wires.h"
#include "sim/engine/analog_kernels.h"
#include "sim/engine/analog_phase.h"

namespace bitline::engine {
namespace {

std::size_t at(int i) {
  return static_cast<std::size_t>(i);
}

/// A crossbar that is to be programmed.
struct Job {
  const place::ImaPart* ima = nullptr;
  int ima_index = 0;  ///< of the layer
  const place::CrossbarPart* part = nullptr;
};

class CrossbarProgrammer {
 public:
  CrossbarProgrammer(const AnalogSource& source, const AnalogSetup& setup, const Job& job)
      : source_(source),
        setup_(setup),
        sliced_(*source.sliced),
        job_(job),
        part_(*job.part),
        key_(device::key_of(setup.seed)) {
    collect_rows();
    collect_columns();
    reference_ = sliced_.reference_column;
    used_ = static_cast<int>(columns_.size()) + (reference_ ? 1 : 0);
  }

  std::vector<AnalogPhase> run() {
    program();
    device::add_wires(siemens_, static_cast<int>(rows_.size()), used_, setup_.device.effects.wire_resistance);
    std::vector<AnalogPhase> phases;
    int row = 0;
    for (const place::Phase& phase : part_.phases) {
      phases.push_back(cut_phase(phase, row));
      row += static_cast<int>(phases.back().rows.size());
    }
    return phases;
  }

  [[nodiscard]] std::int64_t stuck() const { return stuck_; }

 private:
  struct Row {
    int block, group, row;  ///< row of the group
  };
  struct Column {
    int group, output, slice;  ///< output of the group
  };

  void collect_rows() {
    for (const place::Phase& phase : part_.phases) {
      const slice::RowBlock block = sliced_.blocks[at(phase.block)];
      for (int g = phase.group_first; g < phase.group_first + phase.group_count; ++g)
        for (int row = block.first; row < block.last; ++row) rows_.push_back({phase.block, g, row});
    }
  }

  void collect_columns() {
    int first = part_.phases.front().group_first;
    int last = first;
    for (const place::Phase& phase : part_.phases)
      last = std::max(last, phase.group_first + phase.group_count);
    for (int g = first; g < last; ++g)
      for (int o = part_.output_first; o < part_.output_first + part_.output_count; ++o)
        for (int s = 0; s < static_cast<int>(sliced_.slices.size()); ++s)
          if (part_.slice < 0 || part_.slice == s) columns_.push_back({g, o, s});
  }

  [[nodiscard]] int global_output(const Column& column) const {
    return column.group * sliced_.outputs_per_group + column.output;
  }
  [[nodiscard]] int global_row(const Row& row) const { return row.group * sliced_.rows_per_group + row.row; }
  /// Cells between packed groups hold nothing.
  [[nodiscard]] int level(const Row& row, const Column& column) const {
    if (row.group != column.group) return 0;
    return static_cast<int>(
        sliced_.cell(part_.array, row.block, column.slice, column.group, column.output, row.row));
  }
  [[nodiscard]] device::Words draws(const Row& row, std::uint32_t output, int slice) const {
    const auto what = static_cast<std::uint32_t>(slice) | static_cast<std::uint32_t>(part_.array) << 8 |
                      static_cast<std::uint32_t>(job_.ima->replica) << 10;
    return device::philox(
        {static_cast<std::uint32_t>(global_row(row)), output, what, draw_word(DrawKind::cell, source_.layer)},
        key_);
  }

  [[nodiscard]] device::Stuck known_fault(int row, int column) const {
    const Faults& faults = setup_.faults;
    if (!faults.by_place.empty()) {
      const auto found = faults.by_place.find({job_.ima->tile, job_.ima->ima, part_.slot, row, column});
      if (found != faults.by_place.end()) return found->second;
    }
    if (!faults.by_weight.empty()) {
      const Column& c = columns_[at(column)];
      const auto found = faults.by_weight.find({source_.layer, job_.ima->replica, part_.array, c.slice,
                                                global_output(c), global_row(rows_[at(row)])});
      if (found != faults.by_weight.end()) return found->second;
    }
    return device::Stuck::no;
  }

  void program() {
    siemens_.resize(rows_.size() * at(used_));
    double* out = siemens_.data();
    for (int r = 0; r < static_cast<int>(rows_.size()); ++r) {
      const Row& row = rows_[at(r)];
      for (int c = 0; c < static_cast<int>(columns_.size()); ++c) {
        const Column& column = columns_[at(c)];
        const device::Words words =
            draws(row, static_cast<std::uint32_t>(global_output(column)), column.slice);
        device::Stuck stuck = known_fault(r, c);
        if (stuck == device::Stuck::no) stuck = device::drawn_fault(setup_.device.effects, words);
        if (stuck != device::Stuck::no && row.group == column.group) ++stuck_;
        *out++ = device::programmed(setup_.device, level(row, column), stuck, words);
      }
      if (!reference_) continue;
      const Column& first = columns_.front();
      const device::Words words =
          draws(row, kReferenceDraw | static_cast<std::uint32_t>(global_output(first)), first.slice);
      *out++ = device::programmed(setup_.device, 0, device::drawn_fault(setup_.device.effects, words), words);
    }
  }

  /// The rows of one phase from row `first` of the crossbar on, and the columns of its groups.
  [[nodiscard]] AnalogPhase cut_phase(const place::Phase& phase, int first) const {
    AnalogPhase result;
    const int block_rows = sliced_.blocks[at(phase.block)].rows();
    result.groups = phase.group_count;
    result.reference = reference_;
    for (int r = first; r < first + block_rows * phase.group_count; ++r)
      result.rows.push_back(global_row(rows_[at(r)]));
    std::vector<int> taken;
    int converted = 0;
    for (int c = 0; c < static_cast<int>(columns_.size()); ++c) {
      const int group = columns_[at(c)].group - phase.group_first;
      if (group < 0 || group >= phase.group_count) continue;
      taken.push_back(c);
      result.columns.push_back(make_column(phase, columns_[at(c)], group, converted));
    }
    add_quads(phase, taken, result);
    fill(result, taken, first);
    return result;
  }

  [[nodiscard]] AnalogColumn make_column(const place::Phase& phase, const Column& column, int group,
                                         int& converted) const {
    const slice::Slice& cut = sliced_.slices[at(column.slice)];
    AnalogColumn result;
    result.output = global_output(column);
    result.bits = sliced_.adc_bits[at(phase.block)][at(column.slice)];
    result.drop = slice::truncated_bits(sliced_, phase.block, column.slice);
    result.highest = static_cast<double>(slice::adc_limit(result.bits, sliced_.analog));
    result.lowest = sliced_.analog ? -result.highest : 0.0;
    result.weight = (std::int64_t{1} << cut.shift) * (part_.array == 1 ? -cut.sign : cut.sign);
    if (sliced_.is_flipped(part_.array, phase.block, column.slice, result.output))
      result.flip = (std::int64_t{1} << cut.width) - 1;
    result.group = group;
    if (result.bits > 0) set_converter(result, setup_.adc_of(part_.slot, converted++));
    return result;
  }

  void set_converter(AnalogColumn& column, int adc) const {
    const periphery::AdcErrors& errors = setup_.adc;
    const device::Words words =
        device::philox({static_cast<std::uint32_t>(adc), static_cast<std::uint32_t>(job_.ima_index), 0,
                        draw_word(DrawKind::adc, source_.layer)},
                       key_);
    column.offset = errors.offset + errors.offset_spread * device::normal(words[0]);
    const double gain = 1.0 + errors.gain + errors.gain_spread * device::normal(words[1]);
    column.scale = std::ldexp(gain, -column.drop);
  }

  void add_quads(const place::Phase& phase, const std::vector<int>& taken, AnalogPhase& result) const {
    const auto base = static_cast<std::uint32_t>(part_.array) << 8 | static_cast<std::uint32_t>(phase.block)
                                                                         << 16;
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::array<int, 4>> quads;
    const auto add = [&](std::uint32_t output, std::uint32_t flag, int slice, int column) {
      const auto key = std::pair{flag | output >> 2, base | static_cast<std::uint32_t>(slice)};
      quads.try_emplace(key, std::array<int, 4>{-1, -1, -1, -1}).first->second[output & 3] = column;
    };
    for (std::size_t i = 0; i < taken.size(); ++i) {
      const Column& column = columns_[at(taken[i])];
      add(static_cast<std::uint32_t>(global_output(column)), 0, column.slice, static_cast<int>(i));
    }
    if (reference_) {
      const Column& first = columns_[at(taken.front())];
      add(static_cast<std::uint32_t>(global_output(first)), kReferenceDraw, first.slice,
          static_cast<int>(taken.size()));
    }
    for (const auto& [key, columns] : quads) result.quads.push_back({key.first, key.second, columns});
  }

  void fill(AnalogPhase& phase, const std::vector<int>& taken, int first) const {
    const std::size_t used = taken.size() + (reference_ ? 1 : 0);
    phase.width = (used + kAnalogPanel - 1) / kAnalogPanel * kAnalogPanel;
    phase.cells.assign(phase.rows.size() * phase.width, 0.0F);
    phase.levels.assign(phase.rows.size() * phase.width, 0.0F);
    const double step = device::level_step(setup_.device);
    const auto in_steps = [step](double siemens) {
      return static_cast<float>(std::min(siemens / step, kMostSteps));
    };
    for (std::size_t r = 0; r < phase.rows.size(); ++r) {
      const std::size_t crossbar_row = at(first) + r;
      const double* siemens = siemens_.data() + crossbar_row * at(used_);
      float* cells = phase.cells.data() + r * phase.width;
      float* levels = phase.levels.data() + r * phase.width;
      for (std::size_t i = 0; i < taken.size(); ++i) {
        cells[i] = in_steps(siemens[at(taken[i])]);
        levels[i] = static_cast<float>(level(rows_[crossbar_row], columns_[at(taken[i])]));
      }
      if (reference_) cells[taken.size()] = in_steps(siemens[columns_.size()]);
    }
  }

  const AnalogSource& source_;
  const AnalogSetup& setup_;
  const slice::SlicedLayer& sliced_;
  const Job& job_;
  const place::CrossbarPart& part_;
  device::Key key_;
  std::vector<Row> rows_;
  std::vector<Column> columns_;
  bool reference_ = false;
  int used_ = 0;                 ///< columns, with the reference
  std::vector<double> siemens_;  ///< [row][used column]
  std::int64_t stuck_ = 0;
};

}  // namespace

std::vector<std::vector<AnalogPhase>> program_cells(const AnalogSource& source, const AnalogSetup& setup,
                                                    std::int64_t& stuck) {
  std::vector<Job> jobs;
  for (std::size_t i = 0; i < source.imas.size(); ++i)
    for (const place::CrossbarPart& part : source.imas[i].crossbars)
      jobs.push_back({&source.imas[i], static_cast<int>(i), &part});
  std::vector<std::vector<AnalogPhase>> made(jobs.size());
  std::atomic<std::int64_t> count{0};
  tbb::parallel_for(std::size_t{0}, jobs.size(), [&](std::size_t i) {
    CrossbarProgrammer programmer(source, setup, jobs[i]);
    made[i] = programmer.run();
    count += programmer.stuck();
  });
  stuck += count;
  std::vector<std::vector<AnalogPhase>> copies(at(source.copies));
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    std::vector<AnalogPhase>& copy = copies[at(jobs[i].ima->replica)];
    if (!source.sliced->analog || jobs[i].part->array == 0) {
      for (AnalogPhase& phase : made[i]) copy.push_back(std::move(phase));
      continue;
    }
    // The array that is subtracted comes after the one that is converted.
    BITLINE_CHECK(copy.size() >= made[i].size());
    for (std::size_t p = 0; p < made[i].size(); ++p) {
      AnalogPhase& converted = copy[copy.size() - made[i].size() + p];
      BITLINE_CHECK(converted.rows == made[i][p].rows && converted.partner_cells.empty());
      converted.partner_cells = std::move(made[i][p].cells);
      converted.partner_levels = std::move(made[i][p].levels);
    }
  }
  return copies;
}

}  // namespace bitline::engine
