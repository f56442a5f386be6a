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

/// The last assignment of each key: overrides come after the file.
std::map<std::string, Assignment> by_key(std::vector<Assignment> file, std::vector<Assignment> overrides) {
  std::map<std::string, Assignment> assigned;
  for (Assignment& assignment : file) assigned[assignment.key] = std::move(assignment);
  for (Assignment& assignment : overrides) assigned[assignment.key] = std::move(assignment);
  return assigned;
}

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

/// Adds where a key was given to the problem of a rule across keys.
Problem located(Problem problem, const std::map<std::string, Assignment>& assigned, const std::string& file) {
  const auto found = assigned.find(problem.where);
  const std::string place = found == assigned.end() ? file : found->second.where;
  problem.where = place + ": " + problem.where;
  return problem;
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

}  // namespace

LoadedArch parse_arch(const std::string& yaml, const std::string& name,
                      const std::vector<std::string>& overrides) {
  std::vector<Problem> problems;
  LoadedArch loaded;
  const base::Schema keys = schema(loaded.arch);
  const base::ConfigNode root = base::parse_yaml(yaml, name, problems);
  if (problems.empty() && root.kind == base::ConfigNode::Kind::map && root.members.empty()) {
    problems.push_back({name, "is empty", "keys of a machine", "see configs/isaac.yaml for a whole one"});
  }
  std::vector<Assignment> file = base::apply_tree(keys, root, problems);
  std::vector<Assignment> set = base::apply_overrides(keys, overrides, problems);
  const auto assigned = by_key(std::move(file), std::move(set));
  // Rules across keys would only repeat what is already wrong with a key.
  if (problems.empty()) {
    for (Problem& problem : validate(loaded.arch))
      problems.push_back(located(std::move(problem), assigned, name));
  }
  if (!problems.empty()) throw ConfigError(std::move(problems));
  loaded.constants = constants_of(keys, assigned);
  return loaded;
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
