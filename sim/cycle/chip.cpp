// SPDX-License-Identifier: Apache-2.0
// The flow of windows through the chip: what opens, what the IMAs do, what follows from what.
#include "sim/cycle/chip.h"

#include <algorithm>
#include <string>

#include "models/base/errors.h"

namespace bitline::cycle {

using base::Action;
using base::Time;

namespace {

std::size_t at(int i) {
  return static_cast<std::size_t>(i);
}

}  // namespace

void ImaAgent::input_free() {
  chip_.input_free(stage_, part_);
}
void ImaAgent::results_ready(std::span<const std::int64_t> results) {
  chip_.results_ready(stage_, part_, results);
}

void ImaAgent::timed(const ima::MvmTimes& times) {
  chip_.timed(stage_, part_, times);
}

// --- traces
// ---------------------------------------------------------------------------------------------------

void Chip::served(const sc_core::sc_object& part, const Token& token, Time start, Time end) {
  if (trace_) trace_->served(part, token, start, end);
}
void Chip::passed(const Token& token, int router, int port, Time start, Time end) {
  if (trace_) trace_->passed(token, router, port, start, end);
}
void Chip::timed(int stage, int part, const ima::MvmTimes& times) {
  if (!trace_) return;
  const StageRun& run = stages_[at(stage)];
  const place::ImaPart& place = run.layer->imas[at(part)];
  trace_->mvm(*tiles_[at(place.tile)], place.ima, stage, run.window_of(part, run.imas[at(part)]->traced++),
              times);
}
void Chip::finish_trace() {
  if (trace_) trace_->finish();
}

// --- processes and the wall clock
// -----------------------------------------------------------------------------

void Chip::start() {
  try {
    if (!program_.phases.empty()) {
      program(0);
      return;
    }
    for (std::size_t s = 0; s < stages_.size(); ++s) try_open(static_cast<int>(s));
  } catch (...) {
    failed();
  }
}

void Chip::complete_due() {
  try {
    Time time;
    Token token;
    while (completions_.pop(time, token)) {
      tick();
      finish(token, time);
    }
    completions_.arm();
  } catch (...) {
    failed();
  }
}

void Chip::failed() {
  if (!error_) error_ = std::current_exception();
  sc_core::sc_stop();
}

void Chip::tick() {
  constexpr std::int64_t kClockEvery = 4096;
  if (++events_ % kClockEvery != 0 || options_.wall_clock_limit_s <= 0) return;
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - started_;
  if (spent.count() < options_.wall_clock_limit_s) return;
  timed_out_ = true;
  sc_core::sc_stop();
}

void Chip::granted(const Token& token, Time end, Time waited) {
  ++events_;
  StageStatistics& statistics = stages_[at(token.stage)].statistics;
  if (token.leg != base::Leg::last) {
    statistics.noc_wait += waited;
    forward(token, end);
    return;
  }
  switch (token.kind) {
    // What follows at once is asked for ahead of time; requests carry their time, so they queue in its order.
    case Kind::add: {
      const place::Join& join = stages_[at(token.stage)].layer->joins[at(token.part)];
      actions(token.stage)[Action::tile_output_register] +=
          (std::int64_t{join.outputs} * arch_.ima.output_bits + 7) / 8;
      work(token, end + arch_.tile.output_register.latency);
      return;
    }
    case Kind::work: {
      Token next = token;
      ++next.step;
      work(next, end);
      return;
    }
    case Kind::partial:
      statistics.noc_wait += waited;
      partial_arrived(token.stage, token.part, token.window, end);
      return;
    case Kind::share_packet:
      statistics.noc_wait += waited;
      write_share(token, end);
      return;
    case Kind::share_out:
      statistics.noc_wait += waited;
      break;
    case Kind::weights: {
      const auto phase = static_cast<std::size_t>(token.window);
      const Time written = programming_started_ + write_time(program_.phases[phase], arch_);
      completions_.push(std::max(end, written), {token.stage, Kind::programmed, 0, 0, 0, token.window});
      return;
    }
    case Kind::fill:
    case Kind::drain:
      statistics.bus_wait += waited;
      break;
    default:
      break;
  }
  completions_.push(end, token);
}

void Chip::finish(const Token& token, Time now) {
  switch (token.kind) {
    case Kind::fill:
      filled(token);
      return;
    case Kind::drain:
      drained(token);
      return;
    case Kind::share:
    case Kind::share_out:
      pixel_share_arrived(token);
      return;
    case Kind::read: {
      StageRun& run = stages_[at(token.stage)];
      work({token.stage, Kind::work, token.part, 0, 0, token.window}, now);
      if (--run.reading > 0) return;
      release(run, run.read);
      try_read(token.stage);
      return;
    }
    case Kind::work_done:
      if (stages_[at(token.stage)].latched.add(token.window, now)) finished_windows(token.stage);
      return;
    case Kind::absorb_read:
    case Kind::absorb_work:
      absorb_done(token);
      return;
    case Kind::link_in:
      stages_[at(token.stage)].reading = 0;
      work({token.stage, Kind::work, 0, 0, 0, token.window}, now);
      finished_windows(token.stage);
      try_read(token.stage);
      return;
    case Kind::link_out:
      pixel_left(token.stage, token.window, now);
      return;
    case Kind::programmed:
      programmed(static_cast<int>(token.window));
      return;
    case Kind::weights:
    case Kind::add:
    case Kind::work:
    case Kind::partial:
    case Kind::share_packet:
      break;
  }
  BITLINE_CHECK(false);
}

// --- windows and buffers
// --------------------------------------------------------------------------------------

bool Chip::has_crossbars(const StageRun& run) const {
  if (run.layer == nullptr || run.layer->after < 0) return true;
  const place::LayerPlacement& before = program_.layers[at(run.layer->after)];
  const bool same_image = run.layer->after < run.stage->layer;
  const std::int64_t images = run.opened / run.stage->pixels + (same_image ? 1 : 0);
  return stages_[at(before.stage)].drained.complete() >= images * before.windows;
}

Wait Chip::waits_for(const StageRun& run) const {
  if (run.stage->phase != phase_) return Wait::input;
  if (!has_crossbars(run)) return Wait::input;
  for (const place::EdgeId e : run.stage->inputs) {
    if (!edges_[at(e)].has_input(run.opened)) return Wait::input;
  }
  for (const place::EdgeId e : run.stage->outputs) {
    if (!edges_[at(e)].has_place(run.opened)) return Wait::output;
  }
  return Wait::none;
}

void Chip::try_open(int stage) {
  StageRun& run = stages_[at(stage)];
  const std::int64_t before = run.opened;
  Wait wait = Wait::none;
  while (run.opened < run.windows && (wait = waits_for(run)) == Wait::none) {
    if (run.opened++ == 0) run.statistics.first_start = base::now();
    run.stalls.works(base::now());
  }
  run.stalls.waits(base::now(), wait);
  if (run.opened > before) opened(stage);
}

void Chip::opened(int stage) {
  StageRun& run = stages_[at(stage)];
  if (run.layer == nullptr) {
    try_read(stage);
    return;
  }
  for (std::size_t part = 0; part < run.imas.size(); ++part) try_fill(stage, static_cast<int>(part));
}

void Chip::finished_windows(int stage) {
  StageRun& run = stages_[at(stage)];
  const place::StageKind kind = run.stage->kind;
  const bool in_parts = kind == place::StageKind::crossbar || kind == place::StageKind::digital;
  run.finished = in_parts ? run.latched.complete() : run.finished + 1;
  run.last_work = base::now();
  if (run.finished == run.windows) part_of_phase_done(stage);
  if (run.finished == run.opened && run.opened < run.windows) {
    run.stalls.idle(base::now());
    run.stalls.waits(base::now(), waits_for(run));
  }
}

void Chip::release(const StageRun& run, std::int64_t windows) {
  for (const place::EdgeId e : run.stage->inputs) edges_[at(e)].consumed(windows);
  for (const place::EdgeId e : run.stage->inputs) try_open(edges_[at(e)].edge().producer);
}

void Chip::pixel_share_arrived(const Token& token) {
  EdgeState& edge = edges_[at(token.edge)];
  // Replicas may finish out of order; consumers see pixels in raster order.
  std::int64_t pixel = edge.pixels_arrived();
  if (!edge.arrived(token.window, base::now())) return;
  if (edge.pixels_arrived() == stages_[at(edge.edge().producer)].windows)
    part_of_phase_done(edge.edge().producer);
  stages_[at(edge.edge().producer)].statistics.last_end = base::now();
  if (edge.reduces()) {
    for (; pixel < edge.pixels_arrived(); ++pixel) absorb(token.edge, pixel, base::now());
  } else {
    try_open(edge.edge().consumer);
  }
}

// --- crossbar stages
// ------------------------------------------------------------------------------------------

void Chip::try_fill(int stage, int part) {
  StageRun& run = stages_[at(stage)];
  ImaAgent& ima = *run.imas[at(part)];
  const place::ImaPart& place = run.layer->imas[at(part)];
  while (ima.credits > 0 && run.window_of(part, ima.fills) < run.opened) {
    --ima.credits;
    const Token token{stage, Kind::fill, part, 0, 0, run.window_of(part, ima.fills++)};
    actions(stage)[Action::edram_read] += memory::accesses(arch_.tile.edram, place.input_bytes);
    actions(stage)[Action::bus_transfer] += place.input_bytes * 8;
    tile(place.tile).request(base::now(), {token, TileOp::fill, place.input_bytes});
  }
}

void Chip::filled(const Token& token) {
  StageRun& run = stages_[at(token.stage)];
  ImaAgent& ima = *run.imas[at(token.part)];
  std::vector<std::int32_t> x;
  if (options_.structural != nullptr) {
    std::vector<std::int32_t> window;
    options_.structural->input({run.stage->layer, token.part, token.window}, window);
    for (const int i : ima.planned.inputs) x.push_back(window.at(at(i)));
  }
  ima.module->load(x);
  actions(token.stage) += ima.register_actions;
  if (run.filled.add(token.window, base::now())) release(run, run.filled.complete());
}

void Chip::input_free(int stage, int part) {
  try {
    ++events_;
    StageRun& run = stages_[at(stage)];
    ImaAgent& ima = *run.imas[at(part)];
    ++ima.credits;
    if (run.latched.add(run.window_of(part, ima.reads++), base::now())) finished_windows(stage);
    try_fill(stage, part);
  } catch (...) {
    failed();
  }
}

void Chip::results_ready(int stage, int part, std::span<const std::int64_t> results) {
  try {
    ++events_;
    StageRun& run = stages_[at(stage)];
    ImaAgent& ima = *run.imas[at(part)];
    const place::ImaPart& place = run.layer->imas[at(part)];
    const std::int64_t window = run.window_of(part, ima.drains++);
    if (options_.structural != nullptr) {
      options_.structural->result({run.stage->layer, part, window}, ima.planned.outputs, results);
    }
    const std::int64_t bits = std::int64_t{place.results()} * arch_.ima.output_bits;
    actions(stage)[Action::bus_transfer] += bits;
    tile(place.tile).request(base::now(), {{stage, Kind::drain, part, 0, 0, window}, TileOp::drain, bits});
  } catch (...) {
    failed();
  }
}

void Chip::drained(const Token& token) {
  StageRun& run = stages_[at(token.stage)];
  const place::ImaPart& place = run.layer->imas[at(token.part)];
  run.imas[at(token.part)]->module->drained();
  if (run.drained.add(token.window, base::now()) && run.next_user >= 0) try_open(run.next_user);
  for (const place::Contribution& contribution : place.contributions) {
    const int to = run.layer->joins[at(contribution.join)].tile;
    if (to == place.tile) {
      partial_arrived(token.stage, contribution.join, token.window, base::now());
      continue;
    }
    const Token packet{token.stage, Kind::partial, contribution.join, token.part, 0, token.window};
    send(packet, place.tile, to, std::int64_t{contribution.results} * arch_.ima.output_bits, base::now());
  }
}

void Chip::partial_arrived(int stage, int join, std::int64_t window, Time time) {
  StageRun& run = stages_[at(stage)];
  const std::optional<Time> last = run.joins[at(join)].add(window / run.layer->replicas, time);
  if (!last) return;
  const place::Join& place = run.layer->joins[at(join)];
  const Token token{stage, Kind::add, join, 0, 0, window};
  const std::int64_t additions = std::int64_t{place.parts - 1} * place.outputs;
  if (additions == 0) {
    granted(token, *last, {});
    return;
  }
  actions(stage)[Action::tile_shift_add] += additions;
  tile(place.tile).request(*last, {token, TileOp::add, additions});
}

}  // namespace bitline::cycle
