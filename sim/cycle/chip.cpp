// SPDX-License-Identifier: Apache-2.0
// The flow of windows and pixels through the chip.
#include "sim/cycle/chip.h"

#include <algorithm>
#include <string>

#include "models/base/errors.h"

namespace bitline::cycle {

using base::Action;
using base::Time;
using place::StageKind;

namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

}  // namespace

void ImaAgent::input_free() { chip_.input_free(stage_, part_); }
void ImaAgent::results_ready(std::span<const std::int64_t> results) {
  chip_.results_ready(stage_, part_, results);
}

// --- processes and the wall clock -----------------------------------------------------------------------------

void Chip::start() {
  try {
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

void Chip::granted(const Token& token, Time end) {
  ++events_;
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
    case Kind::partial: partial_arrived(token.stage, token.part, token.window, end); return;
    case Kind::share_packet: write_share(token, end); return;
    default: completions_.push(end, token);
  }
}

void Chip::finish(const Token& token, Time now) {
  switch (token.kind) {
    case Kind::fill: filled(token); return;
    case Kind::drain: drained(token); return;
    case Kind::share:
    case Kind::share_out: pixel_share_arrived(token); return;
    case Kind::read: {
      StageRun& run = stages_[at(token.stage)];
      run.reading = false;
      release(run, run.read);
      work({token.stage, Kind::work, 0, 0, 0, token.window}, now);
      try_read(token.stage);
      return;
    }
    case Kind::work_done: finished_windows(token.stage); return;
    case Kind::absorb_read:
    case Kind::absorb_work: absorb_done(token); return;
    case Kind::link_in:
      stages_[at(token.stage)].reading = false;
      work({token.stage, Kind::work, 0, 0, 0, token.window}, now);
      finished_windows(token.stage);
      try_read(token.stage);
      return;
    case Kind::link_out: pixel_left(token.stage, token.window, now); return;
    case Kind::add:
    case Kind::work:
    case Kind::partial:
    case Kind::share_packet: break;
  }
  BITLINE_CHECK(false);
}

// --- windows and buffers --------------------------------------------------------------------------------------

Wait Chip::waits_for(const StageRun& run) const {
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
  run.finished = run.layer != nullptr ? run.latched.complete() : run.finished + 1;
  run.last_work = base::now();
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
  if (!edge.arrived(token.window, base::now())) return;
  stages_[at(edge.edge().producer)].statistics.last_end = base::now();
  if (edge.reduces()) {
    absorb(token.edge, token.window, base::now());
  } else {
    try_open(edge.edge().consumer);
  }
}

// --- crossbar stages ------------------------------------------------------------------------------------------

void Chip::try_fill(int stage, int part) {
  StageRun& run = stages_[at(stage)];
  ImaAgent& ima = *run.imas[at(part)];
  const place::ImaPart& place = run.layer->imas[at(part)];
  while (ima.credits > 0 && ima.fills < run.opened) {
    --ima.credits;
    const Token token{stage, Kind::fill, part, 0, 0, ima.fills++};
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
    if (run.latched.add(ima.reads++, base::now())) finished_windows(stage);
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
    const std::int64_t window = ima.drains++;
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
  for (const place::Contribution& contribution : place.contributions) {
    const int to = run.layer->joins[at(contribution.join)].tile;
    if (to == place.tile) {
      partial_arrived(token.stage, contribution.join, token.window, base::now());
      continue;
    }
    const Token packet{token.stage, Kind::partial, contribution.join, token.part, 0, token.window};
    send(packet, topology_.router_of(place.tile), topology_.router_of(to), topology_.tile_port(to),
         std::int64_t{contribution.results} * arch_.ima.output_bits, base::now());
  }
}

void Chip::partial_arrived(int stage, int join, std::int64_t window, Time time) {
  StageRun& run = stages_[at(stage)];
  const std::optional<Time> last = run.joins[at(join)].add(window, time);
  if (!last) return;
  const place::Join& place = run.layer->joins[at(join)];
  const Token token{stage, Kind::add, join, 0, 0, window};
  const std::int64_t additions = std::int64_t{place.parts - 1} * place.outputs;
  if (additions == 0) {
    granted(token, *last);
    return;
  }
  actions(stage)[Action::tile_shift_add] += additions;
  tile(place.tile).request(*last, {token, TileOp::add, additions});
}

// --- digital, input and output stages ---------------------------------------------------------------------------

void Chip::try_read(int stage) {
  StageRun& run = stages_[at(stage)];
  while (!run.reading && run.read < run.opened) {
    run.reading = run.stage->kind != StageKind::output;
    start_reading(stage, run.read++);
  }
}

void Chip::start_reading(int stage, std::int64_t window) {
  const StageRun& run = stages_[at(stage)];
  if (run.stage->kind != StageKind::digital) {
    const bool in = run.stage->kind == StageKind::input;
    if (in && window % run.stage->pixels == 0) {
      Time& start = image_start_[static_cast<std::size_t>(window / run.stage->pixels)];
      if (start < Time()) start = base::now();
    }
    actions(stage)[Action::chip_link_byte] += run.stage->pixel_bytes;
    const Token token{stage, in ? Kind::link_in : Kind::link_out, 0, 0, 0, window};
    link_->request(base::now(), {token, run.stage->pixel_bytes});
    return;
  }
  std::int64_t bytes = 0;
  for (const place::EdgeId e : run.stage->inputs) {
    const place::Edge& edge = edges_[at(e)].edge();
    if (edges_[at(e)].reduces()) continue;
    for (const place::Delivery& delivery : edge.deliveries) {
      bytes += pixels_taken(edge.window, window % run.stage->pixels) * delivery.pixel_bytes;
    }
  }
  const Token token{stage, Kind::read, 0, 0, 0, window};
  if (bytes == 0) {
    completions_.push(base::now(), token);
    return;
  }
  actions(stage)[Action::edram_read] += memory::accesses(arch_.tile.edram, bytes);
  tile(run.sources[0].tile).request(base::now(), {token, TileOp::read, bytes});
}

void Chip::absorb(int edge, std::int64_t pixel, Time now) {
  const place::Edge& place = edges_[at(edge)].edge();
  const int home = stages_[at(place.consumer)].sources[0].tile;
  const Token token{place.consumer, Kind::absorb_read, 0, 0, edge, pixel};
  actions(place.consumer)[Action::edram_read] +=
      memory::accesses(arch_.tile.edram, place.deliveries.at(0).pixel_bytes);
  tile(home).request(now, {token, TileOp::read, place.deliveries.at(0).pixel_bytes});
}

void Chip::absorb_done(const Token& token) {
  StageRun& run = stages_[at(token.stage)];
  EdgeState& edge = edges_[at(token.edge)];
  if (token.kind == Kind::absorb_read) {
    edge.absorbed();
    try_open(edge.edge().producer);
    if (!run.absorbing.empty()) {
      const WorkStep& step = run.absorbing.front();
      const std::int64_t pixels = stages_[at(edge.edge().producer)].stage->pixels;
      const std::int64_t pixel = token.window % pixels;
      const std::int64_t elements = step.elements * (pixel + 1) / pixels - step.elements * pixel / pixels;
      Token next = token;
      next.kind = Kind::absorb_work;
      actions(token.stage)[step.action] += elements;
      if (elements > 0) {
        tile(run.sources[0].tile).request(base::now(), {next, step.op, elements});
        return;
      }
    }
  }
  edge.accumulated();
  try_open(token.stage);
}

void Chip::pixel_left(int stage, std::int64_t pixel, Time now) {
  StageRun& run = stages_[at(stage)];
  run.statistics.last_end = now;
  finished_windows(stage);
  release(run, pixel + 1);
  if ((pixel + 1) % run.stage->pixels != 0) return;
  const auto image = static_cast<std::size_t>(pixel / run.stage->pixels);
  image_end_[image] = std::max(image_end_[image], now);
  if (--outputs_left_[image] > 0) return;
  --images_left_;
  if (options_.progress) options_.progress(options_.images - images_left_);
}

// --- from a source to the consumers' buffers --------------------------------------------------------------------

void Chip::work(const Token& token, Time time) {
  const StageRun& run = stages_[at(token.stage)];
  const Source& source = run.sources[at(token.part)];
  const std::size_t step = token.kind == Kind::work ? at(token.step) : 0;
  if (step == source.work.size()) {
    deliver(token.stage, token.part, token.window, time);
    return;
  }
  const WorkStep& next = source.work[step];
  actions(token.stage)[next.action] += next.elements;
  const Token request{token.stage, Kind::work, token.part, static_cast<int>(step), 0, token.window};
  tile(source.tile).request(time, {request, next.op, next.elements});
}

void Chip::deliver(int stage, int part, std::int64_t window, Time time) {
  const StageRun& run = stages_[at(stage)];
  const Source& source = run.sources[at(part)];
  const bool from_link = run.stage->kind == StageKind::input;
  if (run.stage->kind == StageKind::digital) {
    completions_.push(time, {stage, Kind::work_done, 0, 0, 0, window});
  }
  const int from = topology_.router_of(from_link ? 0 : source.tile);
  for (std::size_t i = 0; i < source.shares.size(); ++i) {
    const Share& share = source.shares[i];
    Token token{stage, Kind::share_packet, part, static_cast<int>(i), share.edge, window};
    if (share.leaves_chip) {
      token.kind = Kind::share_out;
      send(token, from, topology_.router_of(0), static_cast<int>(Port::chip_link), share.bytes * 8, time);
    } else if (share.tile == source.tile && !from_link) {
      write_share(token, time);
    } else {
      send(token, from, topology_.router_of(share.tile), topology_.tile_port(share.tile), share.bytes * 8, time);
    }
  }
}

void Chip::write_share(const Token& token, Time time) {
  const Share& share = stages_[at(token.stage)].sources[at(token.part)].shares[at(token.step)];
  Token write = token;
  write.kind = Kind::share;
  actions(token.stage)[Action::edram_write] += memory::accesses(arch_.tile.edram, share.bytes);
  tile(share.tile).request(time, {write, TileOp::write, share.bytes});
}

void Chip::send(const Token& token, int from_router, int to_router, int port, std::int64_t bits, Time time) {
  const std::int64_t flits = noc::flits(arch_.noc, bits);
  actions(token.stage)[Action::router_flit] += flits * topology_.hops(from_router, to_router);
  routers_[at(from_router)]->arrive(time, {token, to_router, port, flits});
}

}  // namespace bitline::cycle
