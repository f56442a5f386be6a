// SPDX-License-Identifier: Apache-2.0
#include "models/arch/arch_loader.h"

#include <algorithm>
#include <map>

#include "models/base/files.h"

namespace bitline::arch {

namespace {

using base::Assignment;
using base::ConfigError;
using base::Problem;

constexpr std::int64_t kLargestFile = 1 << 20;
constexpr const char* kNoSource = "no source given";

std::vector<ConstantSource> constants_of(const base::Schema& schema,
                                         const std::map<std::string, Assignment>& assigned) {
  std::vector<ConstantSource> constants;
  for (const base::Field& field : schema.fields()) {
    if (field.key == "name") continue;
    const auto found = assigned.find(field.key);
    std::string source = "default";
    if (found != assigned.end()) source = found->second.source.empty() ? kNoSource : found->second.source;
    constants.push_back({field.key, field.get(), std::move(source)});
  }
  return constants;
}

std::vector<std::string> split_path(const std::string& key) {
  std::vector<std::string> parts{""};
  for (const char c : key) {
    if (c == '.') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

/// nullptr: not there.
const Assignment* find(const std::vector<Assignment>& assignments, const std::string& key) {
  const auto found = std::find_if(assignments.begin(), assignments.end(),
                                  [&](const Assignment& assignment) { return assignment.key == key; });
  return found == assignments.end() ? nullptr : &*found;
}

}  // namespace

ArchText::ArchText(const std::string& yaml, std::string name)
    : name_(std::move(name)), keys_(schema(machine_)) {
  const base::ConfigNode root = base::parse_yaml(yaml, name_, problems_);
  if (problems_.empty() && root.kind == base::ConfigNode::Kind::map && root.members.empty()) {
    problems_.push_back({name_, "is empty", "keys of a machine", "see configs/isaac.yaml for a whole one"});
  }
  for (Assignment& assignment : base::apply_tree(keys_, root, problems_))
    assigned_[assignment.key] = std::move(assignment);
  as_written_ = {machine_, constants_of(keys_, assigned_)};
}

LoadedArch ArchText::with(const std::vector<std::string>& overrides) {
  machine_ = as_written_.arch;
  std::vector<Problem> problems = problems_;
  const std::vector<Assignment> set = base::apply_overrides(keys_, overrides, problems);
  // Rules across keys would only repeat what is already wrong with a key.
  if (problems.empty()) {
    for (Problem& problem : validate(machine_)) problems.push_back(located(std::move(problem), set));
  }
  if (!problems.empty()) throw ConfigError(std::move(problems));
  LoadedArch loaded{machine_, as_written_.constants};
  for (ConstantSource& constant : loaded.constants) {
    const Assignment* changed = find(set, constant.key);
    if (changed != nullptr) constant = {constant.key, keys_.find(constant.key)->get(), changed->source};
  }
  return loaded;
}

/// Adds where a key was given, in `set` or in the file, to the problem of a rule across keys.
Problem ArchText::located(Problem problem, const std::vector<Assignment>& set) const {
  const Assignment* changed = find(set, problem.where);
  const auto found = assigned_.find(problem.where);
  const std::string& file = found == assigned_.end() ? name_ : found->second.where;
  problem.where = (changed != nullptr ? changed->where : file) + ": " + problem.where;
  return problem;
}

LoadedArch parse_arch(const std::string& yaml, const std::string& name,
                      const std::vector<std::string>& overrides) {
  return ArchText(yaml, name).with(overrides);
}

LoadedArch load_arch(const std::string& path, const std::vector<std::string>& overrides) {
  std::string text;
  try {
    text = base::read_file(path, kLargestFile);
  } catch (const base::UsageError& error) {
    throw ConfigError(error.problems());
  }
  return parse_arch(text, path, overrides);
}

std::string resolved_yaml(const LoadedArch& loaded) {
  Arch arch = loaded.arch;
  const base::Schema keys = schema(arch);
  std::map<std::string, std::string> sources;
  for (const ConstantSource& constant : loaded.constants) sources[constant.key] = constant.source;
  std::string text;
  std::vector<std::string> open;  // sections that the last key was in
  for (const base::Field& field : keys.fields()) {
    const std::vector<std::string> path = split_path(field.key);
    std::size_t depth = 0;
    while (depth < open.size() && depth + 1 < path.size() && open[depth] == path[depth]) ++depth;
    open.resize(depth);
    for (; depth + 1 < path.size(); ++depth) {
      text += std::string(2 * depth, ' ') + path[depth] + ":\n";
      open.push_back(path[depth]);
    }
    text += std::string(2 * depth, ' ') + path.back() + ": ";
    const auto source = sources.find(field.key);
    if (source == sources.end()) {
      text += field.get() + "\n";
    } else {
      text += "{value: " + field.get() + ", source: " + base::yaml_scalar(source->second) + "}\n";
    }
  }
  return text;
}

}  // namespace bitline::arch
