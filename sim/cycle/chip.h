// SPDX-License-Identifier: Apache-2.0
// The chip: tiles, routers, external link and IMAs as modules, and the flow of windows and pixels between
// them.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <vector>

#include "models/noc/link_module.h"
#include "models/noc/mesh_module.h"
#include "models/tile/tile_module.h"
#include "sim/cycle/chip_state.h"
#include "sim/cycle/chip_trace.h"
#include "sim/cycle/runner.h"

namespace bitline::cycle {

class Chip final : public sc_core::sc_module, public noc::MeshClient {
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

  void granted(const Token& token, base::Time end, base::Time waited) override;
  void failed() override;
  void served(const sc_core::sc_object& part, const Token& token, base::Time start, base::Time end) override;
  void passed(const Token& token, int router, int port, base::Time start, base::Time end) override;
  void timed(int stage, int part, const ima::MvmTimes& times);
  /// Adds the signals of all structural IMAs to a waveform file.
  void trace(sc_core::sc_trace_file* file) const override;
  /// Writes the end of the trace of activities.
  void finish_trace();
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
  tile::TileAccess& tile(int index);

  // windows and buffers
  void start();         ///< process: the first windows
  void complete_due();  ///< process: completions that fall due
  void finish(const Token& token, base::Time now);
  void try_open(int stage);
  [[nodiscard]] Wait waits_for(const StageRun& run) const;
  /// Whether those that use its IMAs before it are done.
  [[nodiscard]] bool has_crossbars(const StageRun& run) const;
  void opened(int stage);
  void finished_windows(int stage);
  void release(const StageRun& run, std::int64_t windows);
  void pixel_share_arrived(const Token& token);
  void tick();  ///< progress and the wall clock

  // phases (chip_phases.cpp)
  void build_phases();
  /// Writes the crossbars of a phase.
  void program(int phase);
  void programmed(int phase);
  /// A stage of the phase has finished its windows, or an edge has got all its pixels.
  void part_of_phase_done(int stage);

  // crossbar stages
  void try_fill(int stage, int part);
  void filled(const Token& token);
  void drained(const Token& token);
  void partial_arrived(int stage, int join, std::int64_t window, base::Time time);

  // digital, input and output stages
  void try_read(int stage);
  /// A pixel of an input or output stage over the chip's link.
  void pass_link(int stage, std::int64_t pixel);
  /// The inputs of a digital stage's window that lie in the tile of one of its parts.
  void read_part(int stage, int part, std::int64_t window);
  void absorb(int edge, std::int64_t pixel, base::Time now);
  void absorb_done(const Token& token);

  // from a source to the consumers' buffers
  void work(const Token& token, base::Time at);  ///< token.step: the next step
  void deliver(int stage, int part, std::int64_t window, base::Time at);
  void write_share(const Token& token, base::Time at);
  /// From one tile or chip link (place::link_of) to another.
  void send(const Token& token, int from, int to, std::int64_t bits, base::Time at);
  /// Within a chip.
  void send_on_mesh(const Token& token, int from, int to, std::int64_t bits, base::Time at);
  /// A packet to another chip has ended a leg of its way.
  void forward(const Token& token, base::Time at);
  void pixel_left(int stage, std::int64_t pixel, base::Time now);

  base::ActionCounts& actions(int stage) {
    return stages_[static_cast<std::size_t>(stage)].statistics.actions;
  }

  const place::Program& program_;
  const arch::Arch& arch_;
  const CycleOptions& options_;
  noc::Topology topology_;
  std::vector<std::unique_ptr<tile::TileModule>> tiles_;  ///< null where unused
  std::vector<std::unique_ptr<noc::MeshModule>> meshes_;  ///< by chip
  std::vector<std::unique_ptr<noc::LinkModule>> links_;   ///< by chip
  /// Packets on their way to another chip, by their last token.
  struct Crossing {
    int from = 0;
    int to = 0;
    std::int64_t bits = 0;
  };
  std::map<Token, Crossing> crossings_;
  int phase_ = 0;                     ///< the one on the chip; -1: none yet
  std::vector<std::int64_t> undone_;  ///< by phase: stages and edges that are not done
  base::Time programming_started_;
  base::Time programming_;
  std::vector<StageRun> stages_;
  std::vector<EdgeState> edges_;
  base::TimedQueue<Token> completions_;
  std::vector<base::Time> image_start_, image_end_;
  std::vector<int> outputs_left_;  ///< [image] output stages that are not done with it
  std::int64_t images_left_ = 0;
  std::int64_t events_ = 0;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::unique_ptr<ChipTrace> trace_;  ///< null: none is wanted
  bool timed_out_ = false;
  std::exception_ptr error_;
};

}  // namespace bitline::cycle
