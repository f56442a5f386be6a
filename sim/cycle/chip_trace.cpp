// SPDX-License-Identifier: Apache-2.0
#include "sim/cycle/chip_trace.h"

namespace bitline::cycle {

using base::Kind;
using base::Time;

namespace {

const char* name_of(Kind kind) {
  switch (kind) {
    case Kind::fill:
      return "fill";
    case Kind::drain:
      return "drain";
    case Kind::partial:
      return "partial sums";
    case Kind::add:
      return "add";
    case Kind::work:
    case Kind::absorb_work:
      return "work";
    case Kind::read:
    case Kind::absorb_read:
      return "read";
    case Kind::share:
      return "write";
    case Kind::link_in:
      return "in";
    case Kind::link_out:
    case Kind::share_out:
      return "out";
    case Kind::share_packet:
      return "pixel";
    case Kind::weights:
      return "weights";
    case Kind::work_done:
    case Kind::programmed:
      break;
  }
  return "";
}

std::string port_name(int port) {
  constexpr const char* kNames[] = {"east", "west", "south", "north", "chip link"};
  const auto index = static_cast<std::size_t>(port);
  return index < std::size(kNames) ? kNames[index] : "tile port " + std::to_string(index - std::size(kNames));
}

}  // namespace

ChipTrace::ChipTrace(const TraceOptions& options, const place::Program& program)
    : program_(program), trace_(options) {}

void ChipTrace::served(const sc_core::sc_object& part, const base::Token& token, Time start, Time end) {
  if (trace_.wants(start, end))
    add(track_of(part), name_of(token.kind), token.stage, token.window, start, end);
}

void ChipTrace::passed(const base::Token& token, int router, int port, Time start, Time end) {
  if (!trace_.wants(start, end)) return;
  const Track parent = named("router " + std::to_string(router), ActivityTrace::kRoot);
  add(named(port_name(port), parent), name_of(token.kind), token.stage, token.window, start, end);
}

void ChipTrace::mvm(const sc_core::sc_object& tile, int ima, int stage, std::int64_t window,
                    const ima::MvmTimes& times) {
  if (!trace_.wants(times.first_read, times.converted)) return;
  const Track parent = named("IMA " + std::to_string(ima), track_of(tile));
  add(named("crossbars", parent), "reads", stage, window, times.first_read, times.last_latch);
  add(named("ADCs", parent), "conversions", stage, window, times.first_latch, times.converted);
}

ChipTrace::Track ChipTrace::track_of(const sc_core::sc_object& part) {
  const auto found = parts_.find(&part);
  if (found != parts_.end()) return found->second;
  const sc_core::sc_object* parent = part.get_parent_object();
  const bool top = parent == nullptr || parent->get_parent_object() == nullptr;  // below the chip itself
  const Track track = trace_.add_track(part.basename(), top ? ActivityTrace::kRoot : track_of(*parent));
  parts_.emplace(&part, track);
  return track;
}

ChipTrace::Track ChipTrace::named(const std::string& name, Track parent) {
  const auto [entry, added] = named_.try_emplace({parent, name}, 0);
  if (added) entry->second = trace_.add_track(name, parent);
  return entry->second;
}

std::string ChipTrace::label(const char* what, int stage, std::int64_t window) const {
  return program_.stages[static_cast<std::size_t>(stage)].name + ' ' + std::to_string(window) + ' ' + what;
}

void ChipTrace::add(Track track, const char* what, int stage, std::int64_t window, Time start, Time end) {
  trace_.add_slice(track, label(what, stage, window), start, end);
}

}  // namespace bitline::cycle
