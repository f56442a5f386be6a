// SPDX-License-Identifier: Apache-2.0
// Networks of a sweep file: a path, or a map with one of path, workload and genotype.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "tools/sweep/setting_reader.h"
#include "workloads/networks.h"

namespace bitline::sweep {
namespace {

using base::ConfigNode;

std::string name_of(const Network& network) {
  const oracle::NetworkSource& s = network.source;
  if (!s.path.empty()) return std::filesystem::path(s.path).filename().string();
  std::string text =
      s.options.genotype ? std::filesystem::path(*s.options.genotype).stem().string() : s.workload;
  const auto add = [&text](const char* letter, const std::optional<std::int64_t>& n) {
    if (n) text += fmt::format("-{}{}", letter, *n);
  };
  add("l", s.options.layers);
  add("c", s.options.channels);
  add("n", s.options.classes);
  add("r", s.options.resolution);
  return text;
}

/// A genotype that is neither a published name nor JSON text is a file.
bool is_genotype_file(const std::string& genotype) {
  return !genotype.starts_with("{") && !std::all_of(genotype.begin(), genotype.end(), [](unsigned char c) {
    return std::isupper(c) != 0 || std::isdigit(c) != 0 || c == '_';
  });
}

}  // namespace

std::optional<std::size_t> SettingReader::network(const ConfigNode& node) {
  std::optional<Network> read = read_network(node);
  if (!read) return std::nullopt;
  const auto same = std::find(networks_.begin(), networks_.end(), *read);
  if (same != networks_.end()) return static_cast<std::size_t>(same - networks_.begin());
  networks_.push_back(std::move(*read));
  return networks_.size() - 1;
}

std::optional<Network> SettingReader::read_network(const ConfigNode& node) {
  const std::string where = node.where + ": network";
  const std::size_t before = problems_.size();
  Network network;
  std::string genotype;
  if (node.kind == ConfigNode::Kind::scalar) {
    network.source.path = node.text;
  } else if (node.kind == ConfigNode::Kind::list) {
    problems_.push_back({where, "a list", "a path, or {workload: ...} or {genotype: ...}",
                         "to vary networks, name them below axes"});
    return std::nullopt;
  } else {
    std::int64_t layers = 0, channels = 0, classes = 0, resolution = 0;
    base::Schema keys;
    keys.text("path", network.source.path, "of an ONNX file");
    keys.text("workload", network.source.workload, "name of a generated network");
    keys.text("genotype", genotype, "cells of darts: a name, a JSON file or its text");
    keys.text("label", network.label, "name in tables");
    keys.integer("layers", layers, 1, 1'000'000, "of darts");
    keys.integer("channels", channels, 1, 1'000'000, "of darts");
    keys.integer("classes", classes, 1, 1'000'000, "outputs");
    keys.integer("resolution", resolution, 1, 1'000'000, "height and width of images");
    apply_own_keys(keys, node, problems_,
                   "path, workload, genotype, label, layers, channels, classes, resolution");
    workloads::Options& options = network.source.options;
    if (layers > 0) options.layers = layers;
    if (channels > 0) options.channels = channels;
    if (classes > 0) options.classes = classes;
    if (resolution > 0) options.resolution = resolution;
  }
  const int ways = (network.source.path.empty() ? 0 : 1) + (network.source.workload.empty() ? 0 : 1) +
                   (genotype.empty() ? 0 : 1);
  if (ways != 1 && problems_.size() == before)
    problems_.push_back({where, ways == 0 ? "no network" : "a network in several ways",
                         "a path, or one of path, workload and genotype", ""});
  if (!network.source.path.empty()) {
    network.source.path = path(network.source.path);
    check_readable(where, network.source.path);
  }
  if (!network.source.workload.empty()) {
    std::vector<std::string> names;
    for (const workloads::Workload& w : workloads::list()) names.push_back(w.name);
    if (std::find(names.begin(), names.end(), network.source.workload) == names.end())
      problems_.push_back({where, "'" + network.source.workload + "' is no workload",
                           fmt::format("{}", fmt::join(names, ", ")), ""});
  }
  if (!genotype.empty()) {
    network.source.workload = "darts";
    if (is_genotype_file(genotype)) {
      genotype = path(genotype);
      check_readable(where, genotype);
    }
    network.source.options.genotype = genotype;
  }
  if (problems_.size() > before) return std::nullopt;
  if (network.label.empty()) network.label = name_of(network);
  return network;
}

}  // namespace bitline::sweep
