// SPDX-License-Identifier: Apache-2.0
#include "sim/analytic/stage_runs.h"

#include <algorithm>
#include <utility>

#include "mapper/place/window_table.h"

namespace bitline::analytic {
namespace {

using place::Window;

std::size_t at(int i) {
  return static_cast<std::size_t>(i);
}

/// All times of a stream.
void write(const Times& times, Instant* array) {
  take_latest({times.stream->times, nullptr}, times.first, true, times.stream->count, array);
}

/// Those of a table that pixels are looked up in; none: pixel i is that of window i.
std::uint64_t id(const place::WindowTable* table) {
  return table == nullptr ? 0 : table->id;
}

std::int64_t most_windows(const PipelineModel& model, std::int64_t images) {
  std::int64_t most = 0;
  for (const StageModel& m : model.stages) most = std::max(most, m.stage->pixels * images);
  return most;
}

}  // namespace

StageRuns::StageRuns(const PipelineModel& model, const Parts& parts, std::int64_t images)
    : model_(model),
      arch_(parts.arch()),
      contention_(model, parts),
      images_(images),
      open_(model.stages.size()),
      runs_(model.stages.size()),
      reduced_(model.stages.size()),
      clocks_(model.stages.size()) {
  const auto most = static_cast<std::size_t>(most_windows(model, images));
  Instant* arrays = known_->scratch(4 * most);
  for (Instant** array : {&input_, &earliest_, &released_, &made_}) {
    *array = arrays;
    arrays += most;
  }
  for (std::size_t s = 0; s < clocks_.size(); ++s) {
    if (contention_.concerns(model.stages[s]))
      clocks_[s] = std::make_unique<StageClock>(model.stages[s], arch_, contention_, false);
  }
}

bool StageRuns::reduces(place::EdgeId e) const {
  return model_.edges[at(e)].edge->window.kind == Window::Kind::reduce;
}

/// When the consumer of an edge has its pixels.
Times StageRuns::there(place::EdgeId e) const {
  const EdgeModel& edge = model_.edges[at(e)];
  if (reduces(e)) return reduced_[at(edge.edge->consumer)].accumulated;
  return runs_[at(edge.edge->producer)].made.later(edge.delay);
}

/// When the consumer of an edge has done what its pixels, or those of table(), wait for.
Times StageRuns::gone(place::EdgeId e) const {
  const std::size_t consumer = at(model_.edges[at(e)].edge->consumer);
  return reduces(e) ? reduced_[consumer].absorbed : runs_[consumer].released;
}

/// Of the windows of an edge; null: window i takes pixel i.
const place::WindowTable* StageRuns::table(place::EdgeId e) const {
  const place::WindowTable& table = *model_.edges[at(e)].edge->table;
  return table.one_to_one ? nullptr : &table;
}

StageRuns::Changes StageRuns::run(std::size_t stage, bool wait) {
  const Times absorbed = reduced_[stage].absorbed;
  reduce(stage);
  const place::Stage& s = *model_.stages[stage].stage;
  const Times input = inputs(s);
  open_[stage] = wait ? places(s, input) : input;
  const StageRun before = std::exchange(runs_[stage], windows(stage, input, open_[stage]));
  exact_ = exact_ && runs_[stage].made.last() <= kExact;
  return {runs_[stage].made != before.made,
          runs_[stage].released != before.released || reduced_[stage].absorbed != absorbed};
}

/// What it reads pixel by pixel.
void StageRuns::reduce(std::size_t stage) {
  const StageModel& m = model_.stages[stage];
  for (const place::EdgeId e : m.stage->inputs) {
    if (!reduces(e)) continue;
    const EdgeModel& edge = model_.edges[at(e)];
    const Times made = runs_[at(edge.edge->producer)].made.later(edge.delay);
    std::vector<Instant> absorbed, accumulated;
    Instant read = 0, added = 0;
    for (std::int64_t p = 0; p < made.stream->count; ++p) {
      const Instant start = std::max(made[p], read);
      read = start + m.absorb;
      absorbed.push_back(start + m.absorb_latency);
      const Instant from = std::max(absorbed.back(), added);
      added = from + m.accumulate;
      accumulated.push_back(from + m.accumulate_latency);
    }
    reduced_[stage] = {known_->keep(absorbed.data(), made.stream->count),
                       known_->keep(accumulated.data(), made.stream->count)};
  }
}

/// When the inputs of each window are there.
Times StageRuns::inputs(const place::Stage& stage) {
  const auto& edges = stage.inputs;
  const std::int64_t windows = stage.pixels * images_;
  if (edges.size() == 1 && table(edges.front()) == nullptr) return there(edges.front());
  const Instant from = edges.empty() ? 0 : there(edges.front()).first;
  Words words;
  words.add(static_cast<std::uint64_t>(windows));
  bool all_wait = true;
  for (const place::EdgeId e : edges) {
    const Times pixels = there(e);
    words.add(pixels.stream);
    words.add(id(table(e)));
    words.add(pixels.first - from);
    // Windows on padding alone are there at time 0, whenever `from` is.
    all_wait = all_wait && (table(e) == nullptr || table(e)->needed.front() > 0);
  }
  if (const Times* known = all_wait ? known_->inputs.find(words) : nullptr) return known->later(from);
  if (edges.empty()) std::fill(input_, input_ + windows, 0);
  for (const place::EdgeId e : edges) find_inputs(e, e == edges.front(), stage.pixels);
  const Times input = known_->keep(input_, windows);
  if (all_wait) known_->inputs.add(words, input.later(-from));
  return input;
}

/// The same from one edge, in `input_`: if it is not the first one, the later of this and what is there.
void StageRuns::find_inputs(place::EdgeId e, bool first, std::int64_t windows) {
  const Times pixels = there(e);
  const place::WindowTable* lookup = table(e);
  if (lookup == nullptr) {
    take_latest({pixels.stream->times, nullptr}, pixels.first, first, pixels.stream->count, input_);
    return;
  }
  const std::vector<std::int32_t>& needed = lookup->needed;
  for (std::int64_t image = 0; image < images_; ++image) {
    Instant* input = input_ + image * windows;
    // The first windows may lie on padding alone; later images follow their predecessor then.
    std::int64_t alone = 0;
    if (image == 0) alone = std::upper_bound(needed.begin(), needed.end(), 0) - needed.begin();
    if (first) std::fill(input, input + alone, 0);
    take_latest({pixels.stream->times + image * lookup->in_pixels - 1, needed.data() + alone}, pixels.first,
                first, windows - alone, input + alone);
  }
}

/// Calls `use` with lists of times of when pixels have left the edge's buffer, after gone(), the first pixel
/// of each and their number, for the first `count` pixels of all images, until it says true; whether it has.
template <class Use>
bool StageRuns::each_gone(place::EdgeId e, std::int64_t count, Use use) const {
  if (count <= 0) return false;
  const Instant* times = gone(e).stream->times;
  const place::WindowTable* lookup = table(e);
  if (reduces(e) || lookup == nullptr) return use(TimeList{times, nullptr}, std::int64_t{0}, count);
  const std::int64_t pixels = lookup->in_pixels, windows = std::ssize(lookup->needed);
  for (std::int64_t image = 0; image * pixels < count; ++image) {
    const TimeList list{times + image * windows, lookup->freed.data()};
    if (use(list, image * pixels, std::min(pixels, count - image * pixels))) return true;
  }
  return false;
}

/// When the inputs of each window are there, and a place for its result.
Times StageRuns::places(const place::Stage& stage, const Times& input) {
  const auto ran = [&](place::EdgeId e) { return gone(e).stream != nullptr; };
  Words words;
  words.add(input.stream);
  for (const place::EdgeId e : stage.outputs) {
    if (!ran(e)) continue;
    words.add(gone(e).stream);
    words.add(gone(e).first - input.first);
    words.add(reduces(e) ? 0 : id(table(e)));
    words.add(static_cast<std::uint64_t>(model_.edges[at(e)].edge->capacity));
  }
  if (const Times* known = known_->places.find(words)) return known->later(input.first);
  write(input, earliest_);
  for (const place::EdgeId e : stage.outputs) {
    if (!ran(e)) continue;
    const std::int64_t capacity = model_.edges[at(e)].edge->capacity;
    each_gone(e, input.stream->count - capacity, [&](TimeList list, std::int64_t pixel, std::int64_t count) {
      take_latest(list, gone(e).first, false, count, earliest_ + capacity + pixel);
      return false;
    });
  }
  const Times earliest = known_->keep(earliest_, input.stream->count);
  known_->places.add(words, earliest.later(-input.first));
  return earliest;
}

bool StageRuns::held_up(place::EdgeId e) {
  const place::Edge& edge = *model_.edges[at(e)].edge;
  const Times open = open_[at(edge.producer)], free = gone(e);
  if (edge.capacity >= open.stream->count) return false;
  Words words;
  words.add(open.stream);
  words.add(free.stream);
  words.add(free.first - open.first);
  words.add(reduces(e) ? 0 : id(table(e)));
  words.add(static_cast<std::uint64_t>(edge.capacity));
  if (const bool* known = known_->held_up.find(words)) return *known;
  const bool held = each_gone(
      e, open.stream->count - edge.capacity, [&](TimeList list, std::int64_t pixel, std::int64_t count) {
        return any_later(list, free.first - open.first, open.stream->times + edge.capacity + pixel, count);
      });
  known_->held_up.add(words, held);
  return held;
}

StageRun StageRuns::windows(std::size_t stage, const Times& input, const Times& earliest) {
  const StageModel& m = model_.stages[stage];
  if (StageClock* clock = clocks_[stage].get()) {
    clock->restart();
    return follow(*clock, input, earliest);
  }
  const Words words = follows_from(m, input, earliest);
  if (const StageRun* known = known_->runs.find(words)) return known->later(input.first);
  StageClock clock(m, arch_, contention_, true);
  const StageRun run = follow(clock, input, earliest);
  if (run.made.last() <= kExact) known_->runs.add(words, run.later(-input.first));
  return run;
}

/// What the windows of a stage follow from that wait for no part that others use.
Words StageRuns::follows_from(const StageModel& m, const Times& input, const Times& earliest) {
  Words words;
  for (const Times& times : {input, earliest}) words.add(times.stream);
  words.add(earliest.first - input.first);
  words.add(m.pace);
  if (m.layer == nullptr) {
    words.add(m.stage->kind == place::StageKind::output ? Instant{-1} : m.replicas.front().deliver);
    const Times read = known_->keep(m.read.data(), std::ssize(m.read));
    words.add(read.stream);
    words.add(read.first);
    return words;
  }
  // The first fill ends no earlier than `fill_pace` after time 0.
  words.add(std::min(input.first, m.fill_pace));
  words.add(m.fill_pace);
  const auto& ima = arch_.ima;
  const std::int64_t clock = base::period(ima.clock).fs();
  words.add(static_cast<std::uint64_t>(clock));
  words.add(clock > 0 ? static_cast<std::uint64_t>(static_cast<std::int64_t>(input.first) % clock) : 0);
  for (const int buffers : {ima.input_register.buffers, ima.output_register.buffers})
    words.add(static_cast<std::uint64_t>(buffers));
  for (const base::Time latency :
       {ima.input_register.latency, ima.shift_add.latency, ima.output_register.latency})
    words.add(static_cast<std::uint64_t>(latency.fs()));
  for (const Instant time : {m.ima.first_read, m.ima.convert, m.ima.tail}) words.add(time);
  for (const Replica& replica : m.replicas)
    for (const Instant time : {replica.fill, replica.drain, replica.deliver}) words.add(time);
  return words;
}

/// The windows of a stage one after another.
StageRun StageRuns::follow(StageClock& clock, const Times& input, const Times& earliest) {
  const std::int64_t count = input.stream->count;
  write(input, input_);
  const bool places = earliest != input;
  if (places) write(earliest, earliest_);
  clock.next(count, input_, places ? earliest_ : input_, released_, made_);
  return {known_->keep(released_, count), known_->keep(made_, count), clock.times()};
}

}  // namespace bitline::analytic
