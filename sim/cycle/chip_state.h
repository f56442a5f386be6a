// SPDX-License-Identifier: Apache-2.0
// The state of a stage of the layer pipeline on the chip, and of each of its IMAs.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "models/base/token.h"
#include "models/ima/ima_module.h"
#include "models/tile/tile_module.h"
#include "sim/cycle/plan_builder.h"
#include "sim/cycle/runner.h"
#include "sim/cycle/stage_state.h"

namespace bitline::cycle {

class Chip;

using base::Kind;
using base::Leg;
using base::Token;
using tile::TileOp;

/// One IMA with a part of a layer, and the credits that it gave the tile.
class ImaAgent final : public ima::ImaClient {
 public:
  ImaAgent(Chip& chip, int stage, int part) : chip_(chip), stage_(stage), part_(part) {}
  void input_free() override;
  void results_ready(std::span<const std::int64_t> results) override;
  void timed(const ima::MvmTimes& times) override;

  std::unique_ptr<ima::ImaModule> module;
  PlannedIma planned;                   ///< plan's columns and cells dropped where only time is simulated
  base::ActionCounts register_actions;  ///< of one MVM
  base::Time adc_time;                  ///< of the ADC with the most work, per MVM
  base::Time shortest_read;             ///< of an MVM's reads, were no ADC to be waited for
  int credits = 0;                      ///< free input buffers
  std::int64_t fills = 0;               ///< requested
  std::int64_t traced = 0;              ///< MVMs in the trace, or left out of it
  std::int64_t reads = 0;               ///< MVMs whose last read is latched
  std::int64_t drains = 0;              ///< requested

 private:
  Chip& chip_;
  int stage_;
  int part_;
};

/// A share of every pixel that a source sends to one buffer.
struct Share {
  int edge = 0;
  int tile = 0;
  std::int64_t bytes = 0;    ///< 0: less than one
  bool leaves_chip = false;  ///< for an output stage: straight to the chip link
};
struct WorkStep {
  TileOp op = TileOp::activation;
  base::Action action = base::Action::activation;
  std::int64_t elements = 0;
};
/// Where a stage's pixels, or a join's part of each, come from.
struct Source {
  int tile = 0;
  int replica = 0;  ///< its pixels are those numbered replica, replica + replicas, ...
  std::vector<WorkStep> work;
  std::vector<Share> shares;
};

struct StageRun {
  /// The `n`th window of an IMA: windows are dealt round-robin to the replicas.
  [[nodiscard]] std::int64_t window_of(int part, std::int64_t n) const {
    return layer->imas[static_cast<std::size_t>(part)].replica + n * layer->replicas;
  }

  const place::Stage* stage = nullptr;
  const place::LayerPlacement* layer = nullptr;
  std::int64_t windows = 0;  ///< all images
  std::int64_t opened = 0;
  std::int64_t read = 0;      ///< digital, input and output stages: windows whose reading has been asked for
  std::int64_t finished = 0;  ///< windows that the stage no longer works on
  int reading = 0;            ///< parts of the stage that still read for the latest of them
  std::vector<std::unique_ptr<ImaAgent>> imas;
  std::vector<ItemCounter> joins;   ///< items: windows of the join's replica
  ItemCounter filled{1};            ///< windows, by IMA
  ItemCounter latched{1};           ///< and where a digital stage has done its work, by part
  ItemCounter drained{1};           ///< windows whose results have left all IMAs
  int next_user = -1;               ///< stage that uses its IMAs after it
  std::vector<Source> sources;      ///< crossbar stages: one per join; digital stages: one per tile
  std::vector<WorkStep> absorbing;  ///< [part] reducing stages: the work per image that input pixels share
  StallMeter stalls;
  base::Time last_work;
  StageStatistics statistics;
};

}  // namespace bitline::cycle
