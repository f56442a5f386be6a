// SPDX-License-Identifier: Apache-2.0
// Each stage over all windows of all images, given those of the stages around it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "sim/analytic/contention.h"
#include "sim/analytic/known_times.h"

namespace bitline::analytic {

class StageRuns {
 public:
  /// `parts`: as left by probe(). `model` and `parts` must outlive it.
  StageRuns(const PipelineModel& model, const Parts& parts, std::int64_t images);

  /// See Contention.
  [[nodiscard]] double busiest() const { return contention_.busiest(); }

  [[nodiscard]] const StageRun& operator[](std::size_t stage) const { return runs_[stage]; }

  /// Whether all times so far are exact; where they are not, nothing holds.
  [[nodiscard]] bool exact() const { return exact_; }

  struct Changes {
    bool made, released;  ///< when results are there, and when inputs are no longer needed
  };
  /// Runs a stage whose producers have run. `wait`: for places in the buffers of consumers that have.
  Changes run(std::size_t stage, bool wait);

  /// Whether the producer of an edge has opened a window before there was a place for its result.
  [[nodiscard]] bool held_up(place::EdgeId edge);

 private:
  /// Of stages that reduce, by input pixel: read, and added up.
  struct Reduced {
    Times absorbed, accumulated;
  };
  [[nodiscard]] bool reduces(place::EdgeId e) const;
  [[nodiscard]] Times there(place::EdgeId e) const;
  [[nodiscard]] Times gone(place::EdgeId e) const;
  [[nodiscard]] const place::WindowTable* table(place::EdgeId e) const;
  template <class Use>
  bool each_gone(place::EdgeId e, std::int64_t count, Use use) const;

  void reduce(std::size_t stage);
  [[nodiscard]] Times inputs(const place::Stage& stage);
  void find_inputs(place::EdgeId e, bool first, std::int64_t windows);
  [[nodiscard]] Times places(const place::Stage& stage, const Times& input);
  [[nodiscard]] StageRun windows(std::size_t stage, const Times& input, const Times& earliest);
  [[nodiscard]] Words follows_from(const StageModel& m, const Times& input, const Times& earliest);
  [[nodiscard]] StageRun follow(StageClock& clock, const Times& input, const Times& earliest);

  const PipelineModel& model_;
  const arch::Arch& arch_;
  Contention contention_;
  std::int64_t images_;
  bool exact_ = true;
  BorrowedTimes known_;
  std::vector<Times> open_;
  std::vector<StageRun> runs_;
  std::vector<Reduced> reduced_;
  /// Of stages whose windows wait for parts that others use: they wait as long in each run.
  std::vector<std::unique_ptr<StageClock>> clocks_;
  Instant *input_, *earliest_, *released_, *made_;  ///< by window, of the stage that is run
};

}  // namespace bitline::analytic
