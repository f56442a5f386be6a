// SPDX-License-Identifier: Apache-2.0
// The chip: tiles, routers, external link and IMAs as modules, and the flow of windows and pixels between them.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <vector>

#include "models/ima/ima_module.h"
#include "sim/cycle/noc_modules.h"
#include "sim/cycle/plan_builder.h"
#include "sim/cycle/runner.h"
#include "sim/cycle/stage_state.h"
#include "sim/cycle/tile_module.h"
#include "sim/cycle/topology.h"

namespace bitline::cycle {

class Chip;

/// One IMA with a part of a layer, and the credits that it gave the tile.
class ImaAgent final : public ima::ImaClient {
 public:
  ImaAgent(Chip& chip, int stage, int part) : chip_(chip), stage_(stage), part_(part) {}
  void input_free() override;
  void results_ready(std::span<const std::int64_t> results) override;

  std::unique_ptr<ima::ImaModule> module;
  PlannedIma planned;              ///< plan's columns and cells dropped where only time is simulated
  base::ActionCounts register_actions;  ///< of one MVM
  int credits = 0;                 ///< free input buffers
  std::int64_t fills = 0;          ///< requested
  std::int64_t reads = 0;          ///< MVMs whose last read is latched
  std::int64_t drains = 0;         ///< requested

 private:
  Chip& chip_;
  int stage_;
  int part_;
};

/// A share of every pixel that a source sends to one buffer.
struct Share {
  int edge = 0;
  int tile = 0;
  std::int64_t bytes = 0;
  bool leaves_chip = false;   ///< for an output stage: straight to the chip link
};
struct WorkStep {
  TileOp op = TileOp::activation;
  base::Action action = base::Action::activation;
  std::int64_t elements = 0;
};
/// Where a stage's pixels, or a join's part of each, come from.
struct Source {
  int tile = 0;
  std::vector<WorkStep> work;
  std::vector<Share> shares;
};

struct StageRun {
  const place::Stage* stage = nullptr;
  const place::LayerPlacement* layer = nullptr;
  std::int64_t windows = 0;          ///< all images
  std::int64_t opened = 0;
  std::int64_t read = 0;             ///< digital, input and output stages: windows whose reading has been asked for
  std::int64_t finished = 0;         ///< windows that the stage no longer works on
  bool reading = false;
  std::vector<std::unique_ptr<ImaAgent>> imas;
  std::vector<ItemCounter> joins;
  ItemCounter filled{1};             ///< windows, by IMA
  ItemCounter latched{1};
  std::vector<Source> sources;       ///< crossbar stages: one per join
  std::vector<WorkStep> absorbing;   ///< reducing stages: the work per image that input pixels share
  StallMeter stalls;
  base::Time last_work;
  StageStatistics statistics;
};

class Chip final : public sc_core::sc_module, public GrantClient {
 public:
  /// All arguments outlive the chip.
  Chip(const sc_core::sc_module_name& name, const place::Program& program, const arch::Arch& arch,
       const std::vector<LayerSource>& layers, const CycleOptions& options);
  ~Chip() override;

  [[nodiscard]] bool complete() const { return images_left_ == 0; }
  [[nodiscard]] bool timed_out() const { return timed_out_; }
  [[nodiscard]] std::exception_ptr error() const { return error_; }
  /// Stages that wait, and for what.
  [[nodiscard]] std::vector<base::Problem> blocked() const;
  [[nodiscard]] CycleResult result() const;

  void granted(const Token& token, base::Time end) override;
  void failed() override;
  void input_free(int stage, int part);
  void results_ready(int stage, int part, std::span<const std::int64_t> results);

 private:
  // construction (chip_build.cpp)
  void build_network();
  void build_stage(int index, const std::vector<LayerSource>& layers);
  void build_imas(int index, const LayerSource& source);
  void build_sources(StageRun& run);
  void add_work(StageRun& run, std::size_t part, const std::vector<std::int64_t>& weights);
  void add_shares(StageRun& run, std::size_t part, const std::vector<std::int64_t>& weights);
  void build_edges();
  TileModule& tile(int index);

  // windows and buffers
  void start();                     ///< process: the first windows
  void complete_due();              ///< process: completions that fall due
  void finish(const Token& token, base::Time now);
  void try_open(int stage);
  [[nodiscard]] Wait waits_for(const StageRun& run) const;
  void opened(int stage);
  void finished_windows(int stage);
  void release(const StageRun& run, std::int64_t windows);
  void pixel_share_arrived(const Token& token);
  void tick();                      ///< progress and the wall clock

  // crossbar stages
  void try_fill(int stage, int part);
  void filled(const Token& token);
  void drained(const Token& token);
  void partial_arrived(int stage, int join, std::int64_t window, base::Time time);

  // digital, input and output stages
  void try_read(int stage);
  void start_reading(int stage, std::int64_t window);
  void absorb(int edge, std::int64_t pixel, base::Time now);
  void absorb_done(const Token& token);

  // from a source to the consumers' buffers
  void work(const Token& token, base::Time at);      ///< token.step: the next step
  void deliver(int stage, int part, std::int64_t window, base::Time at);
  void write_share(const Token& token, base::Time at);
  void send(const Token& token, int from_router, int to_router, int port, std::int64_t bits, base::Time at);
  void pixel_left(int stage, std::int64_t pixel, base::Time now);

  base::ActionCounts& actions(int stage) { return stages_[static_cast<std::size_t>(stage)].statistics.actions; }

  const place::Program& program_;
  const arch::Arch& arch_;
  const CycleOptions& options_;
  Topology topology_;
  std::vector<std::unique_ptr<TileModule>> tiles_;       ///< null where unused
  std::vector<std::unique_ptr<RouterModule>> routers_;
  std::unique_ptr<ChipLinkModule> link_;
  std::vector<StageRun> stages_;
  std::vector<EdgeState> edges_;
  TimedQueue<Token> completions_;
  std::vector<base::Time> image_start_, image_end_;
  std::vector<int> outputs_left_;                        ///< [image] output stages that are not done with it
  std::int64_t images_left_ = 0;
  std::int64_t events_ = 0;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  bool timed_out_ = false;
  std::exception_ptr error_;
};

}  // namespace bitline::cycle
