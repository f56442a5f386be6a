// SPDX-License-Identifier: Apache-2.0
// One crossbar as a module: column sums settle on the bitlines `read_latency` after the wordlines are driven,
// and stay until the next read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "models/base/actions.h"
#include "models/base/errors.h"
#include "models/periphery/levels.h"

namespace bitline::crossbar {

class CrossbarModule final : public sc_core::sc_module {
 public:
  sc_core::sc_in<periphery::Levels> wordlines{"wordlines"};
  sc_core::sc_out<periphery::Levels> bitlines{"bitlines"};

  struct Column {
    std::vector<std::uint16_t> cells;  ///< one per driven row
    int row_first = 0;                 ///< rows of the column's group
    int row_count = 0;
    bool sensed = false;  ///< converted, here or through the crossbar it is subtracted from
  };
  /// `phases`: the columns of each phase.
  CrossbarModule(const sc_core::sc_module_name& name, std::vector<std::vector<Column>> phases,
                 base::Time read_latency)
      : sc_core::sc_module(name), phases_(std::move(phases)), read_latency_(read_latency) {
    SC_HAS_PROCESS(CrossbarModule);
    SC_METHOD(read);
    sensitive << wordlines;
    dont_initialize();
    SC_METHOD(settle);
    sensitive << settled_;
    dont_initialize();
  }
  [[nodiscard]] const base::ActionCounts& actions() const { return actions_; }

 private:
  void read() {
    const periphery::Levels& in = wordlines.read();
    pending_ = {in.step, in.gated, {}, {}};
    for (const Column& column : phases_.at(static_cast<std::size_t>(in.step.phase))) sense(column, in);
    settled_.notify(base::to_sc(read_latency_));
  }

  void sense(const Column& column, const periphery::Levels& in) {
    BITLINE_CHECK(column.cells.size() == in.values.size());
    std::int64_t current = 0;
    std::int64_t unit = 0;
    for (std::size_t row = 0; row < in.values.size(); ++row) {
      const std::int64_t level = in.values[row];
      current += level * column.cells[row];
      const bool own = static_cast<int>(row) >= column.row_first &&
                       static_cast<int>(row) < column.row_first + column.row_count;
      if (own) unit += level;
      if (column.sensed && level != 0) ++actions_[base::Action::cell_read];
    }
    if (column.sensed) actions_.cell_level_sum += current;
    pending_.values.push_back(current);
    pending_.inputs.push_back(unit);
  }

  void settle() { bitlines.write(pending_); }

  std::vector<std::vector<Column>> phases_;
  base::Time read_latency_;
  periphery::Levels pending_;
  base::ActionCounts actions_;
  sc_core::sc_event settled_;
};

}  // namespace bitline::crossbar
