// SPDX-License-Identifier: Apache-2.0
#include "tools/sweep/spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "models/base/files.h"
#include "tools/sweep/figures.h"
#include "tools/sweep/setting_reader.h"

namespace bitline::sweep {
namespace {

using base::ConfigNode;
using base::Problem;

constexpr std::int64_t kLargestFile = 16 << 20;
constexpr std::int64_t kMostSamples = 100'000'000;
const char* const kSections =
    "arch, network, set, axes, points, sampling, objectives, mode, batch, seed, trials, input, labels, "
    "calibrate, mean, std, scale, dimensions, activity";

/// Keys that are no plain values: read by functions of their own.
constexpr std::array kOwn{"network", "set", "axes", "points", "objectives", "mean", "std", "dimensions"};

class SpecReader {
 public:
  SpecReader(const std::string& name, const std::string& folder)
      : settings_(folder, spec_.networks, problems_) {
    spec_.file = name;
  }

  Spec read(const std::string& text) {
    root_ = base::parse_yaml(text, spec_.file, problems_);
    read_plain();
    if (const auto* member = own("network")) spec_.base.network = settings_.network(member->node);
    if (const auto* member = own("set")) read_set(*member);
    if (const auto* member = own("axes")) read_axes(*member);
    if (const auto* member = own("points")) read_points(*member);
    if (const auto* member = own("objectives")) spec_.objectives = texts(*member);
    if (const auto* member = own("dimensions")) spec_.base.dimensions = texts(*member);
    if (const auto* member = own("mean")) spec_.base.normalisation.mean = numbers(*member);
    if (const auto* member = own("std")) spec_.base.normalisation.deviation = numbers(*member);
    check_files();
    check_rules();
    if (!problems_.empty()) throw base::ConfigError(std::move(problems_));
    return std::move(spec_);
  }

 private:
  void problem(const std::string& where, const std::string& given, const std::string& allowed = "",
               const std::string& remedy = "") {
    problems_.push_back({where, given, allowed, remedy});
  }
  const ConfigNode::Member* own(const std::string& key) const {
    const auto found = std::find_if(root_.members.begin(), root_.members.end(),
                                    [&](const ConfigNode::Member& member) { return member.key == key; });
    return found == root_.members.end() ? nullptr : &*found;
  }

  void read_plain() {
    ConfigNode plain = root_;
    std::erase_if(plain.members, [](const ConfigNode::Member& member) {
      return std::find(kOwn.begin(), kOwn.end(), member.key) != kOwn.end();
    });
    if (problems_.empty() && root_.members.empty()) {
      problem(spec_.file, "is empty", "arch, network and axes, or points", "see tools/sweep/README.md");
      return;
    }
    Base& b = spec_.base;
    std::int64_t seed = 1, sampling_seed = 1;
    base::Schema keys;
    keys.text("arch", b.arch, "machine (YAML)");
    keys.choice<sim::Mode>("mode", b.mode,
                           {{"cycle", sim::Mode::cycle},
                            {"structural", sim::Mode::structural},
                            {"analytic", sim::Mode::analytic}},
                           "how points are evaluated");
    keys.integer("batch", b.batch, 1, 1'000'000, "images streamed");
    keys.integer("seed", seed, 0, INT64_MAX - 1, "of random images, and of generated weights");
    keys.integer("trials", b.trials, 1, 1'000'000, "chips simulated");
    keys.text("input", b.input, "images");
    keys.text("labels", b.labels, "of the images");
    keys.text("calibrate", b.calibration, "images that set the activation scales");
    keys.real("scale", b.normalisation.scale, 0, 1e9, "stored values are divided by it");
    keys.choice<Method>("sampling.method", spec_.method,
                        {{"grid", Method::grid},
                         {"random", Method::random},
                         {"latin_hypercube", Method::latin_hypercube},
                         {"sobol", Method::sobol}},
                        "how points are chosen from the axes");
    keys.integer("sampling.points", spec_.samples, 1, kMostSamples, "drawn by the other methods than grid");
    keys.integer("sampling.seed", sampling_seed, 0, INT64_MAX - 1, "of what is drawn");
    for (const analytic::NamedFactor& factor : analytic::kFactors)
      keys.real(std::string("activity.") + factor.name, b.activity.*factor.member, 0, 1, "analytic");
    for (const char* key : kOwn) {  // so that they are suggested, too
      base::Field field;
      field.key = key;
      keys.add(std::move(field));
    }
    apply_own_keys(keys, plain, problems_, kSections);
    b.seed = static_cast<std::uint64_t>(seed);
    spec_.sampling_seed = static_cast<std::uint64_t>(sampling_seed);
  }

  void read_set(const ConfigNode::Member& section) {
    if (!is_map(section)) return;
    for (const ConfigNode::Member& member : section.node.members) {
      const ValueKind kind = settings_.kind(member.key);
      if (!settings_.knows(member.key)) {
        settings_.unknown(member.where, member.key);
      } else if (const SettingPtr setting = settings_.read(member.key, member.node)) {
        if (setting->keys.empty())
          problem(member.where + ": " + member.key, "is no key of the machine", "beside `set`", "");
        for (const auto& [key, value] : setting->keys) spec_.base.keys[key] = value;
      }
    }
  }

  bool is_map(const ConfigNode::Member& section) {
    if (section.node.kind == ConfigNode::Kind::map && !section.node.members.empty()) return true;
    problem(section.where + ": " + section.key, "has no keys", "key: value lines, indented below it", "");
    return false;
  }

  void read_axes(const ConfigNode::Member& section) {
    if (!is_map(section)) return;
    for (const ConfigNode::Member& member : section.node.members)
      spec_.axes.push_back(settings_.axis(member, spec_.method == Method::grid));
    std::set<std::string> taken;
    for (const Axis& axis : spec_.axes) {
      std::set<std::string> keys;  // a bundle has the same ones in each choice
      if (axis.range) keys.insert(axis.name);
      for (const SettingPtr& choice : axis.choices)
        for (const auto& [key, value] : choice->keys) keys.insert(key);
      for (const std::string& key : keys)
        if (!taken.insert(key).second)
          problem(axis.where + ": " + axis.name, "'" + key + "' is varied by another axis, too", "one axis",
                  "");
    }
  }

  void read_points(const ConfigNode::Member& section) {
    spec_.method = Method::list;
    if (section.node.kind != ConfigNode::Kind::list || section.node.items.empty()) {
      problem(section.where + ": points", "has no points", "a list of maps of keys: - {key: value, ...}", "");
      return;
    }
    for (const ConfigNode& item : section.node.items) {
      if (item.kind != ConfigNode::Kind::map) {
        problem(item.where + ": points", "is no point", "{key: value, ...}", "");
        continue;
      }
      std::vector<SettingPtr> point;
      for (const ConfigNode::Member& member : item.members) {
        if (!settings_.knows(member.key)) {
          settings_.unknown(member.where, member.key);
          continue;
        }
        const std::size_t axis = axis_of(member);
        point.resize(std::max(point.size(), axis + 1));
        point[axis] = settings_.read(member.key, member.node);
      }
      spec_.points.push_back(std::move(point));
    }
    for (std::vector<SettingPtr>& point : spec_.points) point.resize(spec_.axes.size());
  }

  std::size_t axis_of(const ConfigNode::Member& member) {
    for (std::size_t a = 0; a < spec_.axes.size(); ++a)
      if (spec_.axes[a].name == member.key) return a;
    spec_.axes.push_back({.name = member.key, .where = member.where, .kind = settings_.kind(member.key)});
    return spec_.axes.size() - 1;
  }

  std::vector<std::string> texts(const ConfigNode::Member& member) {
    std::vector<std::string> found;
    const auto add = [&](const ConfigNode& node) {
      if (node.kind == ConfigNode::Kind::scalar && !node.text.empty())
        found.push_back(node.text);
      else
        problem(node.where + ": " + member.key, "is no text", "a list of texts", "");
    };
    if (member.node.kind == ConfigNode::Kind::list)
      std::for_each(member.node.items.begin(), member.node.items.end(), add);
    else
      add(member.node);
    return found;
  }

  std::vector<double> numbers(const ConfigNode::Member& member) {
    std::vector<double> found;
    for (const std::string& text : texts(member)) {
      try {
        found.push_back(base::parse_quantity(text, base::Dimension::none));
      } catch (const base::ValueError& error) {
        problem(member.where + ": " + member.key, error.what(), "one number, or one per channel", "");
      }
    }
    return found;
  }

  void check_files() {
    for (auto [key, path] : {std::pair<const char*, std::string*>{"input", &spec_.base.input},
                             {"labels", &spec_.base.labels},
                             {"calibrate", &spec_.base.calibration},
                             {"arch", &spec_.base.arch}}) {
      if (path->empty()) continue;
      const ConfigNode::Member* member = own(key);
      const std::string where = (member != nullptr ? member->where : spec_.file) + ": " + key;
      *path = settings_.path(*path);
      settings_.check_readable(where, *path);
    }
    if (problems_.empty() && spec_.base.arch.empty())
      problem(spec_.file + ": arch", "is missing", "the path of a machine (YAML)", "");
    if (problems_.empty()) (void)arch::load_arch(spec_.base.arch);  // throws all that is wrong with it
  }

  void check_rules() {
    if (!problems_.empty()) return;
    const bool list = spec_.method == Method::list;
    if (own("axes") == nullptr && own("points") == nullptr)
      problem(spec_.file + ": axes", "is missing", "axes, or points", "");
    if (own("axes") != nullptr && own("points") != nullptr)
      problem(own("points")->where + ": points", "beside axes", "one of them", "");
    if (list && own("sampling") != nullptr)
      problem(own("sampling")->where + ": sampling", "beside points", "axes, or no sampling", "");
    const bool draws = !list && spec_.method != Method::grid;
    if (draws && spec_.samples == 0)
      problem(spec_.file + ": sampling.points", "is missing", "how many points are drawn", "");
    if (!draws && !list && spec_.samples != 0)
      problem(spec_.file + ": sampling.points", "given for a grid, which has as many as its axes make",
              "random, latin_hypercube or sobol", "");
    if (!spec_.base.network && !always_named())
      problem(spec_.file + ": network", "is missing", "a path, {workload: ...} or {genotype: ...}",
              "or vary it below axes");
    if (!spec_.base.labels.empty() && spec_.base.input.empty())
      problem(own("labels")->where + ": labels", "given without input", "the images they belong to", "");
    for (const std::string& text : spec_.objectives)
      if (const std::string wrong = wrong_objective(text); !wrong.empty())
        problem(own("objectives")->where + ": objectives", wrong, figure_names(), "");
  }

  /// Whether each point has a network of its own.
  bool always_named() const {
    const auto names = [](const SettingPtr& setting) { return setting && setting->network.has_value(); };
    if (spec_.method == Method::list)
      return std::all_of(spec_.points.begin(), spec_.points.end(),
                         [&](const auto& point) { return std::any_of(point.begin(), point.end(), names); });
    return std::any_of(spec_.axes.begin(), spec_.axes.end(), [&](const Axis& axis) {
      return !axis.choices.empty() && std::all_of(axis.choices.begin(), axis.choices.end(), names);
    });
  }

  Spec spec_;
  ConfigNode root_;
  std::vector<Problem> problems_;
  SettingReader settings_;
};

}  // namespace

const char* to_string(Method method) {
  switch (method) {
    case Method::grid:
      return "grid";
    case Method::list:
      return "list";
    case Method::random:
      return "random";
    case Method::latin_hypercube:
      return "latin_hypercube";
    case Method::sobol:
      break;
  }
  return "sobol";
}

bool Network::operator==(const Network& other) const {
  const auto key = [](const Network& n) {
    const workloads::Options& o = n.source.options;
    return std::tie(n.label, n.source.path, n.source.workload, o.genotype, o.layers, o.channels, o.classes,
                    o.resolution);
  };
  return key(*this) == key(other);
}

Spec parse_spec(const std::string& text, const std::string& name, const std::string& folder) {
  return SpecReader(name, folder).read(text);
}

Spec read_spec(const std::string& path, const std::string& folder) {
  std::string text;
  try {
    text = base::read_file(path, kLargestFile);
  } catch (const base::UsageError& error) {
    throw base::ConfigError(error.problems());
  }
  return parse_spec(text, path, folder.empty() ? std::filesystem::path(path).parent_path().string() : folder);
}

}  // namespace bitline::sweep
