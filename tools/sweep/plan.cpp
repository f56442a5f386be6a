// SPDX-License-Identifier: Apache-2.0
#include "tools/sweep/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>

#include "sim/result/sha256.h"
#include "tools/sweep/sampling.h"

namespace bitline::sweep {
namespace {

namespace fs = std::filesystem;

/// Of a file its content, of a folder the names and sizes of its files.
std::string hash_of(const std::string& path) {
  if (!fs::is_directory(path)) return result::sha256_of_file(path);
  std::vector<std::string> lines;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path))
    if (entry.is_regular_file())
      lines.push_back(fmt::format("{} {}\n", entry.path().string(), entry.file_size()));
  std::sort(lines.begin(), lines.end());
  std::string all;
  for (const std::string& line : lines) all += line;
  return result::sha256(all);
}

std::string text_of(const Spec& spec, const Run& run) {
  const Network& network = spec.networks[run.network];
  const workloads::Options& o = network.source.options;
  return fmt::format("{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}\n", fmt::join(run.overrides, ","), network.label,
                     network.source.workload, o.genotype.value_or(""), o.layers.value_or(0),
                     o.channels.value_or(0), o.classes.value_or(0), o.resolution.value_or(0),
                     sim::to_string(run.mode), run.batch, run.seed);
}

std::string base_text(const Base& b) {
  std::string text = fmt::format("{}|{}|{}|{}|{}|{}", b.trials, fmt::join(b.normalisation.mean, ","),
                                 fmt::join(b.normalisation.deviation, ","), b.normalisation.scale,
                                 fmt::join(b.dimensions, ","), b.input.empty());
  for (const analytic::NamedFactor& factor : analytic::kFactors)
    text += fmt::format("|{}", b.activity.*factor.member);
  return text;
}

}  // namespace

Plan make_plan(Spec spec, std::int64_t most) {
  Plan plan;
  std::vector<std::vector<SettingPtr>> settings = sample(spec, most);
  const std::size_t width = std::max<std::size_t>(4, std::to_string(settings.size()).size());
  for (std::vector<SettingPtr>& point : settings)
    plan.points.push_back({fmt::format("{:0{}}", plan.points.size() + 1, width), std::move(point)});
  plan.spec = std::move(spec);
  return plan;
}

Run run_of(const Spec& spec, const Point& point) {
  Run run;
  std::map<std::string, std::string> keys = spec.base.keys;
  std::optional<std::size_t> network = spec.base.network;
  run.mode = spec.base.mode;
  run.batch = spec.base.batch;
  run.seed = spec.base.seed;
  for (const SettingPtr& setting : point.settings) {
    if (!setting) continue;
    for (const auto& [key, value] : setting->keys) keys[key] = value;
    if (setting->network) network = setting->network;
    run.mode = setting->mode.value_or(run.mode);
    run.batch = setting->batch.value_or(run.batch);
    run.seed = setting->seed.value_or(run.seed);
  }
  BITLINE_CHECK(network.has_value());
  run.network = *network;
  for (const auto& [key, value] : keys) run.overrides.push_back(key + "=" + value);
  return run;
}

Json describe(const Spec& spec, const Point& point) {
  Json axes = Json::object();
  for (std::size_t a = 0; a < spec.axes.size(); ++a)
    axes[spec.axes[a].name] = point.settings[a] ? Json(point.settings[a]->text) : Json(nullptr);
  return {{"point", point.id}, {"axes", std::move(axes)}};
}

Json fingerprint(const Plan& plan) {
  const Base& base = plan.spec.base;
  Json parts = Json::object();
  std::string points;
  for (const Axis& axis : plan.spec.axes) points += axis.column() + ",";
  for (const Point& point : plan.points) points += text_of(plan.spec, run_of(plan.spec, point));
  parts["points"] = result::sha256(points);
  parts["settings"] = result::sha256(base_text(base));
  const auto add = [&](const char* what, const std::string& path) {
    if (path.empty()) return;
    parts[fmt::format("{} {}", what, fs::path(path).filename().string())] = hash_of(path);
  };
  add("arch", base.arch);
  for (const Network& network : plan.spec.networks) {
    add(("network " + network.label + ":").c_str(), network.source.path);
    const auto& genotype = network.source.options.genotype;
    if (genotype && fs::is_regular_file(*genotype)) add("genotype", *genotype);
  }
  add("input", base.input);
  add("labels", base.labels);
  add("calibrate", base.calibration);
  parts["version"] = result::version();
  return parts;
}

std::vector<std::size_t> chosen_points(const Plan& plan, const std::string& text, const std::string& where) {
  const auto refuse = [&](const std::string& part) {
    throw base::UsageError(
        base::Problem{where + " " + text, "'" + part + "' is no point",
                      fmt::format("1 to {}: N, or FROM-TO, separated by commas", plan.points.size()), ""});
  };
  const auto number = [&](const std::string& part) {
    std::size_t n = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), n);
    if (error != std::errc() || end != part.data() + part.size() || n < 1 || n > plan.points.size())
      refuse(part);
    return n;
  };
  std::vector<std::size_t> chosen;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    const std::string part = text.substr(at, comma - at);
    const std::size_t dash = std::min(part.find('-'), part.size());
    const std::size_t from = number(part.substr(0, dash));
    const std::size_t to = dash < part.size() ? number(part.substr(dash + 1)) : from;
    if (to < from) refuse(part);
    for (std::size_t n = from; n <= to; ++n) chosen.push_back(n - 1);
    at = comma + 1;
  }
  return chosen;
}

}  // namespace bitline::sweep
