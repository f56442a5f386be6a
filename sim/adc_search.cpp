// SPDX-License-Identifier: Apache-2.0
#include "sim/adc_search.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <numeric>
#include <thread>
#include <utility>

#include "mapper/slice/resolution.h"
#include "models/arch/arch_loader.h"
#include "models/base/actions.h"
#include "models/base/errors.h"
#include "sim/assemble.h"
#include "sim/chips.h"
#include "sim/cycle/worker_processes.h"
#include "sim/deadline.h"
#include "sim/prepare.h"
#include "sim/seen_sums.h"
#include "sim/values.h"

namespace bitline::sim {
namespace {

using Bits = std::vector<int>;
using result::AdcSetting;

/// A mapping with other converters: policy fixed with `bits`, one per slice.
Mapping with_bits(const Mapping& mapping, const Bits& bits) {
  Mapping other = mapping;
  periphery::AdcResolution& resolution = other.machine.arch.adc.resolution;
  resolution = {.policy = periphery::AdcPolicy::fixed, .bits = bits, .layers = resolution.layers};
  for (std::size_t i = 0; i < other.sliced.size(); ++i) {
    if (other.shares[i] >= 0) {
      other.sliced[i] = other.sliced[static_cast<std::size_t>(other.shares[i])];
      continue;
    }
    auto sliced = std::make_shared<slice::SlicedLayer>(*mapping.sliced[i]);
    const std::string& name = mapping.graph->node(mapping.quants[i]->node).name;
    slice::resolve_adc_bits(*sliced, layer_arch(other.arch(), name));
    other.sliced[i] = std::move(sliced);
  }
  return other;
}

/// One setting with what its values are; its time is not known yet.
struct Trial {
  Mapping mapping;
  Values values;
  double top1 = 0;
  double clipped_share = 0;
};

/// Everything about a network on a machine that does not depend on the resolutions.
class Bench {
 public:
  explicit Bench(const AdcSearchRequest& request)
      : request_(request), deadline_(request.run.timeout_s), data_(load()), executor_(graph_) {
    arch::LoadedArch machine = arch::load_arch(request.run.files.arch, request.run.files.overrides);
    require_no_effects(machine.arch);
    const auto ranges = quantize::calibrate(executor_, data_.calibration, machine.arch.precision.activations);
    deadline_.check("the calibration");
    mapping_ = map_network(std::move(machine), graph_, ranges, deadline_.left_s());
    if (wants_sums(mapping_.arch())) resolve_by_sums(mapping_, data_.calibration);
    deadline_.check("the mapping");
    const engine::NetworkFunction exact(mapping_.graph, exact_layers(mapping_), false);
    ValuesRequest wanted;
    wanted.labels = &*data_.labels;
    wanted.reference = &executor_;
    lossless_ = *run_images(exact, data_.images, wanted, deadline_, {}).accuracy;
  }

  [[nodiscard]] const Mapping& mapping() const { return mapping_; }
  [[nodiscard]] const result::Accuracy& lossless() const { return lossless_; }

  /// What all of these settings give and cost.
  [[nodiscard]] std::vector<AdcSetting> test(const std::vector<Bits>& settings) const {
    std::vector<Trial> trials;
    trials.reserve(settings.size());
    for (const Bits& bits : settings) trials.push_back(values(bits));
    std::vector<cycle::Simulation> simulations;
    simulations.reserve(trials.size());
    for (const Trial& trial : trials) simulations.push_back(simulation(trial.mapping));
    const int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
    const std::vector<cycle::CycleResult> times =
        cycle::simulate_in_processes(simulations, request_.workers > 0 ? request_.workers : cores);
    std::vector<AdcSetting> tested;
    for (std::size_t i = 0; i < trials.size(); ++i)
      tested.push_back(setting(settings[i], trials[i], times[i]));
    return tested;
  }

 private:
  Data load() {
    if (request_.run.batch < 1)
      throw base::UsageError(
          base::Problem{"--batch", std::to_string(request_.run.batch), "a whole number from 1", ""});
    graph_ = import_network(request_.run.files.network, request_.run.files.dimensions);
    Data data = load_data(request_.run, *graph_);
    if (!data.labels)
      throw base::UsageError(base::Problem{"--labels", "not given", "labels of the images",
                                           "accuracy decides which resolutions are enough"});
    return data;
  }

  [[nodiscard]] Trial values(const Bits& bits) const {
    Trial trial{with_bits(mapping_, bits), {}, 0, 0};
    const engine::NetworkFunction network(trial.mapping.graph, network_layers(trial.mapping),
                                          mapping_.arch().ima.gate_zero_chunks);
    std::int64_t right = 0;
    ValuesRequest wanted;
    wanted.kept = request_.run.batch;
    wanted.activity = true;
    wanted.outputs = [&](std::int64_t i, const Outputs& outputs) {
      right += rank_of(outputs.front(), (*data_.labels)[static_cast<std::size_t>(i)]) < 1 ? 1 : 0;
    };
    trial.values = run_images(network, data_.images, wanted, deadline_, {});
    trial.top1 = static_cast<double>(right) / static_cast<double>(data_.images.count());
    std::int64_t conversions = 0;
    std::int64_t clipped = 0;
    for (const engine::LayerActivity& layer : trial.values.activity) {
      conversions += layer.counts.total_conversions();
      clipped += layer.counts.clipped;
    }
    if (conversions > 0)
      trial.clipped_share = static_cast<double>(clipped) / static_cast<double>(conversions);
    return trial;
  }

  [[nodiscard]] cycle::Simulation simulation(const Mapping& mapping) const {
    cycle::CycleOptions options;
    options.images = request_.run.batch;
    options.wall_clock_limit_s = deadline_.left_s();
    return [&mapping, layers = timed_layers(mapping), options] {
      return cycle::simulate_cycles(mapping.program, mapping.arch(), layers, options);
    };
  }

  [[nodiscard]] AdcSetting setting(const Bits& bits, const Trial& trial,
                                   const cycle::CycleResult& times) const {
    const result::Result r = assemble(trial.mapping, times, trial.values.kept);
    AdcSetting s;
    s.bits = bits;
    s.top1 = trial.top1;
    // Shares are fractions of whole images: the margin is less than one of them.
    constexpr double kRounding = 1e-9;
    s.keeps = 100 * (lossless_.top1 - trial.top1) <= request_.max_loss + kRounding;
    s.clipped_share = trial.clipped_share;
    s.energy = r.energy.total;
    s.area = r.area_mm2;
    s.latency = r.latency.image;
    return s;
  }

  const AdcSearchRequest& request_;
  Deadline deadline_;
  std::shared_ptr<const graph::Graph> graph_;
  Data data_;
  reference::Executor executor_;
  Mapping mapping_;
  result::Accuracy lossless_;
};

double cost(const AdcSetting& s, AdcObjective objective) {
  switch (objective) {
    case AdcObjective::energy:
      return s.energy;
    case AdcObjective::edp:
      return s.edp();
    case AdcObjective::area:
      return s.area;
    case AdcObjective::latency:
      return s.latency;
  }
  BITLINE_CHECK(false);
  return 0;
}

/// The settings in the order in which they are tried.
class Search {
 public:
  Search(const AdcSearchRequest& request, const Bench& bench, result::AdcSearch& found)
      : request_(request), bench_(bench), found_(found), adc_(bench.mapping().arch().adc) {}

  void run(const Bits& from) {
    expected_ =
        std::accumulate(from.begin(), from.end(), std::int64_t{0}) * static_cast<std::int64_t>(from.size());
    std::vector<Bits> alike{from};
    for (int bits = *std::max_element(from.begin(), from.end()); bits >= request_.to; bits = lower(bits)) {
      if (alike.front() != Bits(from.size(), bits)) alike.emplace_back(from.size(), bits);
    }
    for (AdcSetting& setting : test(alike)) found_.tried.push_back(std::move(setting));
    if (request_.search && found_.tried.front().keeps) descend(from);
    for (std::size_t i = 0; i < found_.tried.size(); ++i) {
      if (found_.tried[i].keeps && (!found_.best || better(found_.tried[i], found_.tried[*found_.best])))
        found_.best = i;
    }
  }

 private:
  /// The next resolution below `bits` that the ADC model has.
  [[nodiscard]] int lower(int bits) const {
    for (--bits; bits >= request_.to && !periphery::resolution_problems(adc_, {bits}).empty();) --bits;
    return bits;
  }
  [[nodiscard]] bool better(const AdcSetting& a, const AdcSetting& b) const {
    const double x = cost(a, request_.objective);
    const double y = cost(b, request_.objective);
    return x != y ? x < y : a.top1 > b.top1;
  }

  std::vector<AdcSetting> test(const std::vector<Bits>& settings) {
    std::vector<Bits> unknown;
    for (const Bits& bits : settings)
      if (!known_.contains(bits)) unknown.push_back(bits);
    for (AdcSetting& setting : bench_.test(unknown)) known_[setting.bits] = std::move(setting);
    std::vector<AdcSetting> tested;
    tested.reserve(settings.size());
    for (const Bits& bits : settings) tested.push_back(known_.at(bits));
    if (request_.run.progress && !unknown.empty()) {
      const auto done = std::ssize(known_);
      request_.run.progress("settings", done, std::max<std::int64_t>(done, expected_));
    }
    return tested;
  }

  /// From `bits` on takes, of the settings with one slice lowered that keep the accuracy, the cheapest.
  void descend(Bits bits) {
    for (int step = 1;; ++step) {
      std::vector<Bits> candidates;
      for (std::size_t s = 0; s < bits.size(); ++s) {
        Bits candidate = bits;
        candidate[s] = lower(bits[s]);
        if (candidate[s] >= request_.to) candidates.push_back(std::move(candidate));
      }
      if (candidates.empty()) return;
      const std::size_t first = found_.tried.size();
      std::size_t taken = first + candidates.size();
      for (AdcSetting& setting : test(candidates)) {
        setting.step = step;
        found_.tried.push_back(std::move(setting));
        const std::size_t i = found_.tried.size() - 1;
        if (!found_.tried[i].keeps) continue;
        if (taken == first + candidates.size() || better(found_.tried[i], found_.tried[taken])) taken = i;
      }
      if (taken == found_.tried.size()) return;
      found_.tried[taken].taken = true;
      bits = found_.tried[taken].bits;
    }
  }

  const AdcSearchRequest& request_;
  const Bench& bench_;
  result::AdcSearch& found_;
  const periphery::AdcParams& adc_;
  std::map<Bits, AdcSetting> known_;
  std::int64_t expected_ = 0;
};

/// The setting to start from, one number per slice.
Bits start(const AdcSearchRequest& request, const Mapping& mapping) {
  const std::size_t slices = arch::slice_widths(mapping.arch()).size();
  const int least = mapping.arch().encoding.analog() ? 2 : 1;
  std::vector<base::Problem> problems;
  if (request.to < least || request.to > base::kMaxAdcBits)
    problems.push_back(
        {"--to", fmt::format("{} bits", request.to), fmt::format("{} to {}", least, base::kMaxAdcBits), ""});
  if (request.max_loss < 0)
    problems.push_back({"--max-loss", fmt::format("{}", request.max_loss), "percentage points from 0", ""});
  Bits bits = request.from.empty() ? widest_adc_bits(mapping) : request.from;
  if (request.from.empty()) {
    bits.insert(bits.begin(), slices - std::min(slices, bits.size()), least);
    for (int& b : bits) b = std::max(b, request.to);
  }
  if (bits.size() == 1) bits.assign(slices, bits.front());
  if (bits.size() != slices)
    problems.push_back({"--from", fmt::format("{} numbers", bits.size()),
                        fmt::format("one, or one for each of the {} slices", slices), ""});
  for (const int b : bits) {
    if (b >= request.to && b <= base::kMaxAdcBits) continue;
    problems.push_back({"--from", fmt::format("{} bits", b),
                        fmt::format("{} (--to) to {}", request.to, base::kMaxAdcBits), ""});
    break;
  }
  if (!problems.empty()) throw base::UsageError(std::move(problems));
  return bits;
}

}  // namespace

const char* to_string(AdcObjective objective) {
  switch (objective) {
    case AdcObjective::energy:
      return "energy";
    case AdcObjective::edp:
      return "edp";
    case AdcObjective::area:
      return "area";
    case AdcObjective::latency:
      return "latency";
  }
  return "";
}

result::AdcSearch search_adc_bits(const AdcSearchRequest& request) {
  const Bench bench(request);
  result::AdcSearch found;
  found.network = request.run.files.network;
  found.arch = request.run.files.arch;
  found.images = bench.lossless().images;
  found.images_streamed = request.run.batch;
  found.lossless_top1 = bench.lossless().top1;
  found.float_top1 = bench.lossless().float_top1;
  found.max_loss = request.max_loss;
  found.objective = to_string(request.objective);
  found.slice_widths = arch::slice_widths(bench.mapping().arch());
  Search(request, bench, found).run(start(request, bench.mapping()));
  return found;
}

}  // namespace bitline::sim
