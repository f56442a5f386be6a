// SPDX-License-Identifier: Apache-2.0
#include "tools/sweep/setting_reader.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "models/arch/arch_loader.h"

namespace bitline::sweep {
namespace {

using base::ConfigNode;
using base::Problem;

constexpr std::array kRunKeys{"network", "mode", "batch", "seed"};

bool is_run_key(const std::string& key) {
  return std::find(kRunKeys.begin(), kRunKeys.end(), key) != kRunKeys.end();
}

/// A value as YAML on one line.
std::string flow_text(const ConfigNode& node) {
  if (node.kind == ConfigNode::Kind::scalar) return base::yaml_scalar(node.text);
  std::string text;
  for (const ConfigNode& item : node.items) text += (text.empty() ? "" : ", ") + flow_text(item);
  if (node.kind == ConfigNode::Kind::list) return "[" + text + "]";
  for (const ConfigNode::Member& member : node.members)
    text += (text.empty() ? "" : ", ") + base::yaml_scalar(member.key) + ": " + flow_text(member.node);
  return "{" + text + "}";
}

std::string last_of(const std::string& key) {
  return key.substr(key.rfind('.') + 1);
}

sim::Mode mode_of(const std::string& text) {
  for (const sim::Mode mode : {sim::Mode::cycle, sim::Mode::structural, sim::Mode::analytic})
    if (text == sim::to_string(mode)) return mode;
  throw base::ValueError("'" + text + "' is no mode", "cycle, structural, analytic");
}

std::int64_t whole_of(const std::string& text, std::int64_t low, std::int64_t high) {
  const std::int64_t value = base::parse_integer(text);
  if (value < low || value > high)
    throw base::ValueError("'" + text + "' is out of range", fmt::format("{} ... {}", low, high));
  return value;
}

}  // namespace

void apply_own_keys(const base::Schema& schema, const ConfigNode& node, std::vector<Problem>& problems,
                    const std::string& allowed) {
  const std::size_t before = problems.size();
  (void)base::apply_tree(schema, node, problems);
  for (std::size_t p = before; p < problems.size(); ++p) {
    if (problems[p].given != "unknown key") continue;
    problems[p].allowed = allowed;
    if (problems[p].remedy.starts_with("see ")) problems[p].remedy = "";  // that list has the machine's keys
  }
}

SettingReader::SettingReader(std::string folder, std::vector<Network>& networks,
                             std::vector<Problem>& problems)
    : folder_(std::move(folder)), networks_(networks), problems_(problems), machine_(arch::schema(scratch_)) {
  for (const char* key : kRunKeys) {  // so that they are suggested, too
    base::Field field;
    field.key = key;
    machine_.add(std::move(field));
  }
}

bool SettingReader::knows(const std::string& key) const {
  return machine_.find(key) != nullptr;
}

void SettingReader::unknown(const std::string& where, const std::string& key) {
  if (machine_.is_section(key)) {
    problems_.push_back({where + ": " + key, "is a section", "one of its keys, as in '" + key + ".KEY'", ""});
    return;
  }
  const std::string nearest = machine_.nearest(key);
  problems_.push_back({where + ": " + key, "unknown key",
                       "a key of configs/REFERENCE.md, network, mode, batch or seed",
                       nearest.empty() ? "" : "did you mean '" + nearest + "'?"});
}

std::string SettingReader::path(const std::string& given) const {
  return (std::filesystem::path(folder_) / given).lexically_normal().string();
}

void SettingReader::check_readable(const std::string& where, const std::string& path) {
  if (access(path.c_str(), R_OK) != 0)
    problems_.push_back({where, fmt::format("'{}' cannot be read: {}", path, std::strerror(errno)),
                         "an existing file", "relative paths start from the folder of the sweep file"});
}

ValueKind SettingReader::kind(const std::string& key) const {
  if (key == "batch" || key == "seed") return {.type = "integer"};
  const base::Field* field = machine_.find(key);
  if (field == nullptr || is_run_key(key)) return {.type = "text"};
  return {field->type, field->dimension};
}

SettingPtr SettingReader::machine_key(const std::string& key, const ConfigNode& node) {
  machine_.find(key)->set(node);
  Setting setting;
  const bool scalar = node.kind == ConfigNode::Kind::scalar;
  setting.text = scalar ? node.text : flow_text(node);
  setting.number = scalar ? kind(key).read(node.text) : std::nullopt;
  setting.keys = {{key, setting.text}};
  return std::make_shared<const Setting>(std::move(setting));
}

SettingPtr SettingReader::read(const std::string& key, const ConfigNode& node) {
  try {
    if (!is_run_key(key)) return machine_key(key, node);
    Setting setting;
    setting.text = node.text;
    if (key == "network") {
      setting.network = network(node);
      if (!setting.network) return nullptr;
      setting.text = networks_[*setting.network].label;
    } else if (node.kind != ConfigNode::Kind::scalar) {
      throw base::ValueError("is no single value", "one value");
    } else if (key == "mode") {
      setting.mode = mode_of(node.text);
    } else if (key == "batch") {
      setting.batch = whole_of(node.text, 1, 1'000'000);
    } else {
      setting.seed = static_cast<std::uint64_t>(whole_of(node.text, 0, INT64_MAX));
    }
    setting.number = kind(key).read(setting.text);
    return std::make_shared<const Setting>(std::move(setting));
  } catch (const base::ValueError& error) {
    problems_.push_back({node.where + ": " + key, error.what(), error.allowed(), ""});
    return nullptr;
  }
}

SettingPtr SettingReader::bundle(const ConfigNode& node) {
  Setting all;
  std::string label;
  for (const ConfigNode::Member& member : node.members) {
    if (member.key == "label") {
      label = member.node.text;
      continue;
    }
    if (!knows(member.key)) {
      unknown(member.where, member.key);
      continue;
    }
    const SettingPtr one = read(member.key, member.node);
    if (!one) continue;
    all.keys.insert(all.keys.end(), one->keys.begin(), one->keys.end());
    if (one->network) all.network = one->network;
    if (one->mode) all.mode = one->mode;
    if (one->batch) all.batch = one->batch;
    if (one->seed) all.seed = one->seed;
    all.text += fmt::format("{}{}={}", all.text.empty() ? "" : " ", last_of(member.key), one->text);
  }
  if (all.text.empty() && node.members.size() <= 1)
    problems_.push_back({node.where, "no keys", "key: value of a machine", ""});
  if (!label.empty()) all.text = label;
  return std::make_shared<const Setting>(std::move(all));
}

Axis SettingReader::axis(const ConfigNode::Member& member, bool is_grid) {
  Axis axis{.name = member.key, .where = member.where};
  const ConfigNode& node = member.node;
  const bool is_list = node.kind == ConfigNode::Kind::list;
  const bool bundles = is_list && !node.items.empty() &&
                       std::all_of(node.items.begin(), node.items.end(),
                                   [](const ConfigNode& item) { return item.kind == ConfigNode::Kind::map; });
  if (!knows(member.key) && !bundles) {
    unknown(member.where, member.key);
    return axis;
  }
  if ((is_list && node.items.empty()) || (node.kind == ConfigNode::Kind::scalar && node.text.empty())) {
    problems_.push_back({member.where + ": " + member.key, "has no values",
                         "a list of values, or a range {from: ..., to: ...}", ""});
    return axis;
  }
  if (knows(member.key)) axis.kind = kind(member.key);
  if (node.kind == ConfigNode::Kind::map && member.key != "network") {
    axis.range = range(axis, node, is_grid);
    return axis;
  }
  std::vector<const ConfigNode*> values;
  if (is_list) {
    for (const ConfigNode& item : node.items) values.push_back(&item);
  } else {
    values.push_back(&node);
  }
  for (const ConfigNode* value : values) {
    const SettingPtr setting = knows(member.key) ? read(member.key, *value) : bundle(*value);
    if (!setting) continue;
    const bool twice = std::any_of(axis.choices.begin(), axis.choices.end(),
                                   [&](const SettingPtr& other) { return other->text == setting->text; });
    if (twice)
      problems_.push_back({value->where + ": " + member.key, "'" + setting->text + "' is given twice",
                           "each value once", "leave one out, or give them different labels"});
    axis.choices.push_back(setting);
  }
  return axis;
}

std::optional<Range> SettingReader::range(const Axis& axis, const ConfigNode& node, bool is_grid) {
  const std::string where = axis.where + ": " + axis.name;
  if (!axis.kind.is_number() || is_run_key(axis.name)) {
    problems_.push_back({where, "a range of a key that takes no numbers", "a list of values", ""});
    return std::nullopt;
  }
  std::string from, to, scale = "linear";
  std::int64_t steps = 0;
  base::Schema keys;
  keys.text("from", from, "first value");
  keys.text("to", to, "last value");
  keys.choice<std::string>("scale", scale, {{"linear", "linear"}, {"log", "log"}}, "spacing");
  keys.integer("steps", steps, 1, 1'000'000, "values of a grid");
  const std::size_t before = problems_.size();
  apply_own_keys(keys, node, problems_, "from, to, steps, scale");
  if (from.empty() || to.empty())
    problems_.push_back({where, "a range without its ends", "from: ... and to: ...", ""});
  for (const std::string& end : {from, to}) {
    ConfigNode value;
    value.text = end;
    value.where = axis.where;
    if (!end.empty()) (void)read(axis.name, value);
  }
  if (problems_.size() > before) return std::nullopt;
  const Range range{axis.kind.read(from).value_or(0), axis.kind.read(to).value_or(0), scale == "log", steps};
  if (range.low > range.high)
    problems_.push_back({where, fmt::format("the range starts at {} above its end at {}", from, to),
                         "from <= to", "swap them"});
  else if (range.logarithmic && range.low <= 0)
    problems_.push_back(
        {where, fmt::format("a logarithmic range from {}", from), "from above 0", "use scale: linear"});
  else if (is_grid && steps == 0)
    problems_.push_back({where, "a range without steps in a grid", "steps: N, from 1", ""});
  else if (is_grid && steps == 1 && range.low < range.high)
    problems_.push_back({where, "one step from one end to another", "steps from 2", "or give one value"});
  else if (!is_grid && steps != 0)
    problems_.push_back({where, "steps where values are drawn", "steps with method grid only", "remove it"});
  if (problems_.size() > before) return std::nullopt;
  if (is_grid) {
    Axis whole = axis;
    whole.range = range;
    const std::vector<SettingPtr> grid = whole.grid();
    if (std::adjacent_find(grid.begin(), grid.end(), [](const SettingPtr& a, const SettingPtr& b) {
          return a->text == b->text;
        }) != grid.end())
      problems_.push_back({where, fmt::format("{} steps from {} to {} give values twice", steps, from, to),
                           "fewer steps", ""});
  }
  return range;
}

}  // namespace bitline::sweep
