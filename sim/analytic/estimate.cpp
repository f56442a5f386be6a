// SPDX-License-Identifier: Apache-2.0
#include "sim/analytic/estimate.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "models/base/errors.h"
#include "sim/analytic/pipeline.h"

namespace bitline::analytic {
namespace {

/// The nearest femtosecond, halves away from zero: std::llround(), which is no single instruction.
base::Time time(Instant fs) {
  const auto whole = static_cast<std::int64_t>(fs);
  const Instant rest = fs - static_cast<Instant>(whole);
  return base::Time::from_fs(whole + (rest >= 0.5 ? 1 : 0) - (rest <= -0.5 ? 1 : 0));
}

void add(base::ActionCounts& sum, const base::ActionCounts& part, std::int64_t times) {
  for (std::size_t i = 0; i < base::kActions; ++i) sum.counts[i] += part.counts[i] * times;
}

/// Ends of the images after the last that was computed: at the interval of the last two.
void extend(std::vector<Instant>& ends, std::int64_t images) {
  while (static_cast<std::int64_t>(ends.size()) < images) {
    const Instant last = ends.back();
    ends.push_back(last + (last - ends[ends.size() - 2]));
  }
}

void set_statistics(cycle::StageStatistics& s, const StageModel& m, const StageTimes& times, double stretch,
                    Instant more, std::int64_t images) {
  s.first_start = time(times.first_start);
  s.last_end = time(times.last_end + more);
  s.busy = time(times.busy * stretch);
  s.input_stall = time(times.input_stall * stretch);
  s.output_stall = time(times.output_stall * stretch);
  s.windows = m.stage->pixels * images;
  const auto copies = static_cast<std::int64_t>(m.replicas.size());
  for (std::int64_t q = 0; q < copies; ++q)
    add(s.actions, m.replicas[static_cast<std::size_t>(q)].actions, (s.windows - q + copies - 1) / copies);
  if (m.layer == nullptr)
    add(s.actions, m.reads, images);
  else
    s.adc_wait = time(m.ima.held * static_cast<double>(s.windows) *
                      static_cast<double>(m.layer->imas.size()) / static_cast<double>(copies));
}

void add_use(cycle::ResourceUse& use, const Parts::Use& one, std::int64_t images) {
  if (one.uses <= 0) return;
  ++use.instances;
  const base::Time busy = time(one.busy * static_cast<double>(images));
  use.busy += busy;
  use.busiest = std::max(use.busiest, busy);
  use.uses += std::llround(one.uses * static_cast<double>(images));
}

/// IMAs and their ADCs: the reads of the MVMs that they do.
void add_imas(const PipelineModel& model, std::int64_t images, cycle::CycleResult& result) {
  cycle::ResourceUse imas, adcs;
  imas.name = "ima";
  adcs.name = "adc";
  std::vector<std::pair<int, int>> places;
  for (const StageModel& m : model.stages) {
    if (m.layer == nullptr) continue;
    const double mvms = static_cast<double>(m.stage->pixels * images) / m.layer->replicas;
    const Parts::Use reading{(m.ima.first_read + m.ima.tail) * mvms, mvms};
    const Parts::Use converting{m.ima.adc * mvms, mvms};
    for (const place::ImaPart& part : m.layer->imas) {
      add_use(imas, reading, 1);
      add_use(adcs, converting, 1);
      places.emplace_back(part.tile, part.ima);
    }
  }
  std::sort(places.begin(), places.end());  // layers may share IMAs
  imas.instances = adcs.instances = std::unique(places.begin(), places.end()) - places.begin();
  result.imas_used = imas.instances;
  result.resources.push_back(imas);
  result.resources.push_back(adcs);
}

void add_parts(const Parts& parts, std::int64_t images, cycle::CycleResult& result) {
  constexpr const char* kNames[] = {"edram",   "bus",         "tile_shift_add", "activation",
                                    "pooling", "elementwise", "requantise"};
  for (std::size_t p = 0; p < std::size(kNames); ++p) {
    cycle::ResourceUse use;
    use.name = kNames[p];
    for (std::size_t i = p; i < parts.first_mesh_link(); i += kTileParts)
      add_use(use, parts.use()[i], images);
    result.resources.push_back(use);
  }
  cycle::ResourceUse links, link;
  links.name = "router_link";
  link.name = "chip_link";
  for (std::size_t i = parts.first_mesh_link(); i + 1 < parts.use().size(); ++i)
    add_use(links, parts.use()[i], images);
  add_use(link, parts.use().back(), images);
  result.resources.push_back(links);
  result.resources.push_back(link);
}

/// There are no equations for the links between chips and for writing crossbars.
void require_one_chip(const place::Program& program) {
  if (program.chips == 1 && program.phases.empty()) return;
  throw base::MappingError({"mapping.oversize",
                            program.chips > 1
                                ? std::to_string(program.chips) + " chips in mode analytic"
                                : std::to_string(program.phases.size()) + " phases in mode analytic",
                            "a network on one chip, without phases", "use mode cycle, or more chip.tiles"});
}

}  // namespace

cycle::CycleResult estimate(const place::Program& program, const arch::Arch& arch,
                            const std::vector<cycle::LayerSource>& layers, std::int64_t images) {
  require_one_chip(program);
  Parts parts(arch);
  const PipelineModel model = probe(program, arch, layers, parts);
  const std::int64_t computed = std::min(images, kImages);
  PipelineTimes times = run_pipeline(program, model, parts, computed);
  const Instant computed_end = times.image_end.back();
  extend(times.image_end, images);
  extend(times.image_start, images);
  const Instant more = times.image_end.back() - computed_end;
  const double stretch = static_cast<double>(images) / static_cast<double>(computed);

  cycle::CycleResult result;
  for (const Instant start : times.image_start) result.image_start.push_back(time(start));
  for (const Instant end : times.image_end) result.image_end.push_back(time(end));
  result.total = result.end = result.image_end.back();
  result.stages.resize(model.stages.size());
  for (std::size_t s = 0; s < model.stages.size(); ++s) {
    set_statistics(result.stages[s], model.stages[s], times.stages[s], stretch, more, images);
    result.end = std::max(result.end, result.stages[s].last_end);
    result.actions += result.stages[s].actions;
  }
  add_imas(model, images, result);
  add_parts(parts, images, result);
  return result;
}

}  // namespace bitline::analytic
