// SPDX-License-Identifier: Apache-2.0
#include "models/ima/read_controller.h"

#include <algorithm>
#include <utility>

#include "models/ima/ima_module.h"

namespace bitline::ima {

ReadController::ReadController(const sc_core::sc_module_name& name, base::Time clock, int chunks,
                               int output_buffers, std::vector<PhaseParts> phases, const Parts& parts)
    : sc_core::sc_module(name),
      clock_(clock),
      chunks_(chunks),
      output_buffers_(output_buffers),
      phases_(std::move(phases)),
      parts_(parts) {
  SC_HAS_PROCESS(ReadController);
  SC_METHOD(step);
  sensitive << wake_ << bitlines << held << done << parts_.input->readable_event()
            << parts_.output->released_event();
  dont_initialize();
}

std::size_t ReadController::phase_of(std::int64_t read) const {
  return static_cast<std::size_t>(read % reads_per_mvm() / chunks_);
}

void ReadController::step() {
  // Reads that are latched: all before read_. The last of MVM `finished_` closes it once it is converted.
  const std::int64_t closing = (finished_ + 1) * reads_per_mvm() - 1;
  if (closing < read_ && converted(closing)) {
    ++finished_;
    parts_.shift_add->finish();
  }
  if (!reading_ && parts_.input->available() && on_edge()) begin_read();
  if (reading_ && may_latch() && on_edge()) latch_read();
}

void ReadController::begin_read() {
  reading_ = true;
  read_start_ = base::now();
  command.write({read_, static_cast<int>(phase_of(read_)), static_cast<int>(read_ % chunks_)});
}

void ReadController::latch_read() {
  latch.write(read_++);
  read_time_ += base::now() - read_start_;
  reading_ = false;
  if (read_ % reads_per_mvm() != 0) {
    begin_read();
    return;
  }
  parts_.input->release();
  (*parts_.client)->input_free();
  if (parts_.input->available()) begin_read();
}

bool ReadController::may_latch() const {
  if (!settled() || (read_ > 0 && !converted(read_ - 1))) return false;
  // The accumulators take a new MVM when the one before has a place to go to.
  const std::int64_t mvm_before = read_ / reads_per_mvm() - 1;
  const bool first = read_ % reads_per_mvm() == 0;
  return !first || mvm_before - output_buffers_ < parts_.output->releases();
}

bool ReadController::settled() const {
  const std::vector<int>& active = phases_[phase_of(read_)].bitlines;
  return std::all_of(active.begin(), active.end(),
                     [&](int i) { return bitlines[i]->read().step.read == read_; });
}

bool ReadController::converted(std::int64_t read) const {
  const PhaseParts& phase = phases_[phase_of(read)];
  return std::all_of(phase.held.begin(), phase.held.end(),
                     [&](int i) { return held[i]->read().step.read == read; }) &&
         std::all_of(phase.adcs.begin(), phase.adcs.end(), [&](int a) { return done[a]->read() == read; });
}

bool ReadController::on_edge() {
  const base::Time wait = base::align_up(base::now(), clock_) - base::now();
  if (wait == base::Time()) return true;
  wake_.notify(base::to_sc(wait));
  return false;
}

}  // namespace bitline::ima
