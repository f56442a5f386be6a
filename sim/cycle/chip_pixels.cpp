// SPDX-License-Identifier: Apache-2.0
// The flow of pixels: digital, input and output stages, and from a source to the consumers' buffers.
#include <algorithm>

#include "mapper/place/chips.h"
#include "models/base/errors.h"
#include "sim/cycle/chip.h"

namespace bitline::cycle {

using base::Time;
using place::StageKind;

namespace {

std::size_t at(int i) {
  return static_cast<std::size_t>(i);
}

}  // namespace

// --- digital, input and output stages
// ---------------------------------------------------------------------------

void Chip::try_read(int stage) {
  StageRun& run = stages_[at(stage)];
  while (run.reading == 0 && run.read < run.opened) {
    const std::int64_t window = run.read++;
    if (run.stage->kind == StageKind::digital) {
      run.reading = static_cast<int>(run.sources.size());
      for (int part = 0; part < static_cast<int>(run.sources.size()); ++part) read_part(stage, part, window);
    } else {
      run.reading = run.stage->kind == StageKind::input ? 1 : 0;
      pass_link(stage, window);
    }
  }
}

void Chip::pass_link(int stage, std::int64_t pixel) {
  const StageRun& run = stages_[at(stage)];
  const bool in = run.stage->kind == StageKind::input;
  if (in && !run.stage->stored && pixel % run.stage->pixels == 0) {
    Time& start = image_start_[static_cast<std::size_t>(pixel / run.stage->pixels)];
    if (start < Time()) start = base::now();
  }
  actions(stage)[base::Action::chip_link_byte] += run.stage->pixel_bytes;
  const Token token{stage, in ? Kind::link_in : Kind::link_out, 0, 0, 0, pixel};
  links_[at(place::chip_of(run.stage->tiles.front(), arch_))]->access->request(
      base::now(), {token, run.stage->pixel_bytes});
}

void Chip::read_part(int stage, int part, std::int64_t window) {
  const StageRun& run = stages_[at(stage)];
  std::int64_t bytes = 0;
  for (const place::EdgeId e : run.stage->inputs) {
    const place::Edge& edge = edges_[at(e)].edge();
    if (edges_[at(e)].reduces()) continue;
    bytes += edge.window.taken(window % run.stage->pixels) * edge.deliveries.at(at(part)).pixel_bytes;
  }
  const Token token{stage, Kind::read, part, 0, 0, window};
  if (bytes == 0) {
    completions_.push(base::now(), token);
    return;
  }
  actions(stage)[base::Action::edram_read] += memory::accesses(arch_.tile.edram, bytes);
  tile(run.sources[at(part)].tile).request(base::now(), {token, TileOp::read, bytes});
}

void Chip::absorb(int edge, std::int64_t pixel, Time now) {
  const place::Edge& place = edges_[at(edge)].edge();
  for (int part = 0; part < static_cast<int>(place.deliveries.size()); ++part) {
    const std::int64_t bytes = place.deliveries[at(part)].pixel_bytes;
    const Token token{place.consumer, Kind::absorb_read, part, 0, edge, pixel};
    actions(place.consumer)[base::Action::edram_read] += memory::accesses(arch_.tile.edram, bytes);
    tile(place.deliveries[at(part)].tile).request(now, {token, TileOp::read, bytes});
  }
}

void Chip::absorb_done(const Token& token) {
  StageRun& run = stages_[at(token.stage)];
  EdgeState& edge = edges_[at(token.edge)];
  if (token.kind == Kind::absorb_read) {
    if (edge.absorbed(token.window, base::now())) try_open(edge.edge().producer);
    if (!run.absorbing.empty()) {
      const WorkStep& step = run.absorbing.at(at(token.part));
      const std::int64_t pixels = stages_[at(edge.edge().producer)].stage->pixels;
      const std::int64_t pixel = token.window % pixels;
      const std::int64_t elements = step.elements * (pixel + 1) / pixels - step.elements * pixel / pixels;
      Token next = token;
      next.kind = Kind::absorb_work;
      actions(token.stage)[step.action] += elements;
      if (elements > 0) {
        tile(run.sources[at(token.part)].tile).request(base::now(), {next, step.op, elements});
        return;
      }
    }
  }
  if (edge.accumulated(token.window, base::now())) try_open(token.stage);
}

void Chip::pixel_left(int stage, std::int64_t pixel, Time now) {
  StageRun& run = stages_[at(stage)];
  run.statistics.last_end = now;
  finished_windows(stage);
  release(run, pixel + 1);
  if (run.stage->stored) return;
  if ((pixel + 1) % run.stage->pixels != 0) return;
  const auto image = static_cast<std::size_t>(pixel / run.stage->pixels);
  image_end_[image] = std::max(image_end_[image], now);
  if (--outputs_left_[image] > 0) return;
  --images_left_;
  if (options_.progress) options_.progress(options_.images - images_left_);
}

// --- from a source to the consumers' buffers
// --------------------------------------------------------------------

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
    completions_.push(time, {stage, Kind::work_done, part, 0, 0, window});
  }
  const int from = from_link ? place::link_of(place::chip_of(source.tile, arch_)) : source.tile;
  for (std::size_t i = 0; i < source.shares.size(); ++i) {
    const Share& share = source.shares[i];
    Token token{stage, Kind::share_packet, part, static_cast<int>(i), share.edge, window};
    if (share.bytes == 0) {
      // Less than a byte, which travels with another join's share; but the pixel is not complete without it.
      token.kind = Kind::share;
      completions_.push(time, token);
    } else if (share.leaves_chip) {
      token.kind = Kind::share_out;
      send(token, from, place::link_of(place::chip_of(share.tile, arch_)), share.bytes * 8, time);
    } else if (share.tile == source.tile && !from_link) {
      write_share(token, time);
    } else {
      send(token, from, share.tile, share.bytes * 8, time);
    }
  }
}

void Chip::write_share(const Token& token, Time time) {
  const Share& share = stages_[at(token.stage)].sources[at(token.part)].shares[at(token.step)];
  Token write = token;
  write.kind = Kind::share;
  actions(token.stage)[base::Action::edram_write] += memory::accesses(arch_.tile.edram, share.bytes);
  tile(share.tile).request(time, {write, TileOp::write, share.bytes});
}

// --- between tiles
// ----------------------------------------------------------------------------------------------

void Chip::send(const Token& token, int from, int to, std::int64_t bits, Time time) {
  if (place::chip_of(from, arch_) == place::chip_of(to, arch_)) {
    send_on_mesh(token, from, to, bits, time);
    return;
  }
  crossings_[token] = {from, to, bits};
  Token leg = token;
  leg.leg = Leg::to_link;
  if (place::is_link(from)) {
    forward(leg, time);
  } else {
    send_on_mesh(leg, from, place::link_of(place::chip_of(from, arch_)), bits, time);
  }
}

void Chip::send_on_mesh(const Token& token, int from, int to, std::int64_t bits, Time time) {
  const auto router = [&](int end) { return topology_.router_of(place::tile_in_chip(end, arch_)); };
  const auto port = [&](int end) {
    return place::is_link(end) ? static_cast<int>(noc::Port::chip_link)
                               : topology_.tile_port(place::tile_in_chip(end, arch_));
  };
  const std::int64_t flits = noc::flits(arch_.noc, bits);
  actions(token.stage)[base::Action::router_flit] += flits * topology_.hops(router(from), router(to));
  meshes_[at(place::chip_of(from, arch_))]->access->send(
      time, {token, router(from), port(from), router(to), port(to), flits});
}

void Chip::forward(const Token& token, Time time) {
  Token last = token;
  last.leg = Leg::last;
  const auto found = crossings_.find(last);
  BITLINE_CHECK(found != crossings_.end());
  const Crossing crossing = found->second;
  if (token.leg != Leg::in) {
    Token next = token;
    next.leg = token.leg == Leg::to_link ? Leg::out : Leg::in;
    const int end = next.leg == Leg::out ? crossing.from : crossing.to;
    const std::int64_t bytes = (crossing.bits + 7) / 8;
    actions(token.stage)[base::Action::chip_link_byte] += bytes;
    links_[at(place::chip_of(end, arch_))]->access->request(time, {next, bytes});
    return;
  }
  crossings_.erase(found);
  if (place::is_link(crossing.to)) {
    granted(last, time, {});
  } else {
    send_on_mesh(last, place::link_of(place::chip_of(crossing.to, arch_)), crossing.to, crossing.bits, time);
  }
}

}  // namespace bitline::cycle
