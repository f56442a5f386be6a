// SPDX-License-Identifier: Apache-2.0
#include "sim/cycle/plan_builder.h"

#include <algorithm>

#include "mapper/place/centre_work.h"
#include "mapper/slice/resolution.h"
#include "models/base/errors.h"

namespace bitline::cycle {

namespace {

std::size_t index(int i) {
  return static_cast<std::size_t>(i);
}

void sort_unique(std::vector<int>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

int position(const std::vector<int>& sorted, int value) {
  return static_cast<int>(std::lower_bound(sorted.begin(), sorted.end(), value) - sorted.begin());
}

class Builder {
 public:
  Builder(const place::ImaPart& part, const LayerSource& source, const arch::Arch& arch, bool with_cells)
      : part_(part), sliced_(*source.sliced), with_cells_(with_cells) {
    ima::ImaPlan& plan = result_.plan;
    plan.slots = arch.ima.crossbars;
    plan.adcs = arch.adc.per_ima;
    plan.format = {source.activation_bits, source.activation_signed, arch.dac.bits};
    plan.conversion = arch.adc.conversion;
    plan.gate_zero_chunks = arch.ima.gate_zero_chunks;
    plan.output_bits = arch.ima.output_bits;
    plan.input_bytes = part.input_bytes;
    plan.results = part.results();
    plan.centre_additions = place::centre_additions(part, sliced_);
  }

  PlannedIma build() {
    collect_outputs();
    if (with_cells_) collect_inputs();
    for (const place::CrossbarPart& crossbar : part_.crossbars) add_crossbar(crossbar);
    return std::move(result_);
  }

 private:
  void collect_outputs() {
    for (const place::CrossbarPart& crossbar : part_.crossbars) {
      for (const place::Phase& phase : crossbar.phases) {
        for (int g = phase.group_first; g < phase.group_first + phase.group_count; ++g) {
          for (int o = 0; o < crossbar.output_count; ++o) {
            result_.outputs.push_back(g * sliced_.outputs_per_group + crossbar.output_first + o);
          }
        }
      }
      sort_unique(result_.outputs);
    }
    BITLINE_CHECK(static_cast<int>(result_.outputs.size()) == part_.results());
  }

  void collect_inputs() {
    for (const place::CrossbarPart& crossbar : part_.crossbars) {
      for (const place::Phase& phase : crossbar.phases) {
        const std::vector<int> rows = rows_of(phase);
        result_.inputs.insert(result_.inputs.end(), rows.begin(), rows.end());
      }
      sort_unique(result_.inputs);
    }
    result_.plan.inputs = static_cast<int>(result_.inputs.size());
  }

  /// Rows driven in a phase, as indices of the unfolded window.
  [[nodiscard]] std::vector<int> rows_of(const place::Phase& phase) const {
    const slice::RowBlock& block = sliced_.blocks.at(index(phase.block));
    std::vector<int> rows;
    for (int g = phase.group_first; g < phase.group_first + phase.group_count; ++g) {
      for (int row = block.first; row < block.last; ++row) rows.push_back(g * sliced_.rows_per_group + row);
    }
    return rows;
  }

  void add_crossbar(const place::CrossbarPart& part) {
    ima::CrossbarPlan crossbar;
    crossbar.slot = part.slot;
    crossbar.reference_column = sliced_.reference_column;
    if (sliced_.analog && part.array == 1) {
      // Its positive array is the crossbar before it.
      BITLINE_CHECK(!result_.plan.crossbars.empty());
      crossbar.subtracts_from = static_cast<int>(result_.plan.crossbars.size()) - 1;
    }
    for (const place::Phase& phase : part.phases) crossbar.phases.push_back(make_phase(part, phase));
    result_.plan.crossbars.push_back(std::move(crossbar));
  }

  ima::PhasePlan make_phase(const place::CrossbarPart& part, const place::Phase& phase) {
    ima::PhasePlan result;
    const int block_rows = sliced_.blocks.at(index(phase.block)).rows();
    result.row_count = block_rows * phase.group_count;
    if (with_cells_) {
      for (const int row : rows_of(phase)) result.rows.push_back(position(result_.inputs, row));
    }
    const std::vector<int> slices = slices_of(part);
    std::vector<ima::Column> like;
    like.reserve(slices.size());
    for (const int s : slices) like.push_back(column_like(part, phase, s));
    result.columns.reserve(index(phase.group_count) * index(part.output_count) * slices.size());
    for (int g = 0; g < phase.group_count; ++g) {
      // The outputs of a crossbar follow each other, so their places do.
      const int first = (phase.group_first + g) * sliced_.outputs_per_group + part.output_first;
      const int place = position(result_.outputs, first);
      for (int o = 0; o < part.output_count; ++o) {
        for (std::size_t s = 0; s < slices.size(); ++s) {
          ima::Column& column = result.columns.emplace_back(like[s]);
          column.result = place + o;
          column.row_first = g * block_rows;
          column.row_count = block_rows;
          if (!with_cells_) continue;
          if (sliced_.is_flipped(part.array, phase.block, slices[s], first + o))
            column.flip = (std::int64_t{1} << sliced_.slices[index(slices[s])].width) - 1;
          add_cells(result, part, phase, g, part.output_first + o, slices[s]);
        }
      }
    }
    return result;
  }

  /// The slices that a crossbar holds.
  [[nodiscard]] std::vector<int> slices_of(const place::CrossbarPart& part) const {
    std::vector<int> slices;
    for (int s = 0; s < static_cast<int>(sliced_.slices.size()); ++s) {
      if (part.slice < 0 || part.slice == s) slices.push_back(s);
    }
    return slices;
  }

  /// What the columns of a slice have in common.
  [[nodiscard]] ima::Column column_like(const place::CrossbarPart& part, const place::Phase& phase,
                                        int slice) const {
    const slice::Slice& cut = sliced_.slices[index(slice)];
    ima::Column column;
    column.bits = sliced_.adc_bits.at(index(phase.block)).at(index(slice));
    column.truncation = slice::truncated_bits(sliced_, phase.block, slice);
    column.shift = cut.shift;
    column.sign = part.array == 1 ? -cut.sign : cut.sign;
    return column;
  }

  /// A column has cells in its own group's rows only.
  void add_cells(ima::PhasePlan& result, const place::CrossbarPart& part, const place::Phase& phase,
                 int group, int output, int slice) const {
    const slice::RowBlock& block = sliced_.blocks[index(phase.block)];
    for (int g = 0; g < phase.group_count; ++g) {
      for (int row = block.first; row < block.last; ++row) {
        const std::uint32_t cell =
            g == group ? sliced_.cell(part.array, phase.block, slice, phase.group_first + group, output, row)
                       : 0;
        result.cells.push_back(static_cast<std::uint16_t>(cell));
      }
    }
  }

  const place::ImaPart& part_;
  const slice::SlicedLayer& sliced_;
  bool with_cells_;
  PlannedIma result_;
};

}  // namespace

PlannedIma build_plan(const place::ImaPart& part, const LayerSource& source, const arch::Arch& arch,
                      bool with_cells) {
  return Builder(part, source, arch, with_cells).build();
}

ima::ImaTimingParams timing_params(const ima::ImaPlan& plan, const arch::Arch& arch) {
  ima::ImaTimingParams timing;
  timing.clock = base::period(arch.ima.clock);
  timing.read_latency = arch.crossbar.read_latency;
  timing.sample_hold = arch.sample_hold.latency;
  timing.input_register = arch.ima.input_register.latency;
  timing.shift_add = arch.ima.shift_add.latency;
  timing.output_register = arch.ima.output_register.latency;
  timing.input_buffers = arch.ima.input_register.buffers;
  timing.output_buffers = arch.ima.output_register.buffers;
  timing.chunks = plan.format.chunk_count();
  timing.conversion = ima::conversion_times(plan, arch.adc);
  return timing;
}

base::Time write_time(const place::Programming& phase, const arch::Arch& arch) {
  const std::int64_t together = arch.tile.write_rows;
  return arch.device.write_latency * ((phase.rows_of_tile + together - 1) / together);
}

ima::StructuralParams structural_params(const arch::Arch& arch) {
  return {arch.ima, arch.adc, arch.crossbar.read_latency, arch.sample_hold.latency};
}

}  // namespace bitline::cycle
