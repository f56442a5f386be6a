// SPDX-License-Identifier: Apache-2.0
// Networks that pass a chip in phases: what is written when, and when a phase is over.
#include "sim/cycle/chip.h"

namespace bitline::cycle {

using base::Action;

namespace {

std::size_t at(int i) {
  return static_cast<std::size_t>(i);
}

}  // namespace

void Chip::build_phases() {
  if (program_.phases.empty()) return;
  phase_ = -1;
  undone_.assign(program_.phases.size(), 0);
  for (const place::Stage& stage : program_.stages) ++undone_[at(stage.phase)];
  for (const place::Edge& edge : program_.edges) ++undone_[at(program_.stages[at(edge.producer)].phase)];
}

void Chip::part_of_phase_done(int stage) {
  if (undone_.empty() || --undone_[at(program_.stages[at(stage)].phase)] > 0) return;
  if (at(phase_ + 1) < program_.phases.size()) program(phase_ + 1);
}

void Chip::program(int phase) {
  programming_started_ = base::now();
  int first = -1;
  for (std::size_t s = 0; s < stages_.size(); ++s) {
    if (stages_[s].stage->phase != phase) continue;
    if (first < 0) first = static_cast<int>(s);
    if (stages_[s].layer == nullptr) continue;
    base::ActionCounts& counts = stages_[s].statistics.actions;
    counts[Action::cell_write] += stages_[s].layer->written_cells;
    counts.written_level_sum += stages_[s].layer->written_levels;
    counts[Action::chip_link_byte] += stages_[s].layer->written_bytes;
  }
  // Rows are written as their codes come over the link.
  const std::int64_t bytes = program_.phases[at(phase)].bytes;
  const Token token{first, Kind::weights, 0, 0, 0, phase};
  if (bytes > 0) {
    links_.front()->access->request(base::now(), {token, bytes});
  } else {
    granted(token, base::now(), {});
  }
}

void Chip::programmed(int phase) {
  phase_ = phase;
  programming_ += base::now() - programming_started_;
  for (std::size_t s = 0; s < stages_.size(); ++s) {
    if (stages_[s].stage->phase == phase) try_open(static_cast<int>(s));
  }
}

}  // namespace bitline::cycle
