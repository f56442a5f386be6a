// SPDX-License-Identifier: Apache-2.0
#include "workloads/genotype.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>

#include "models/base/errors.h"
#include "models/base/files.h"

namespace bitline::workloads {

namespace {

using Json = nlohmann::json;

constexpr int kNodes = 4;
constexpr int kFirstNode = 2;
constexpr std::int64_t kLargestFile = 1 << 20;

// As published in the authors' repositories quark0/darts and yuhuixu1993/PC-DARTS (cnn/genotypes.py).
const std::array<std::pair<const char*, Genotype>, 3>& published() {
  static const std::array<std::pair<const char*, Genotype>, 3> genotypes = {{
      {"DARTS_V1",
       {{{{"sep_conv_3x3", 1},
          {"sep_conv_3x3", 0},
          {"skip_connect", 0},
          {"sep_conv_3x3", 1},
          {"skip_connect", 0},
          {"sep_conv_3x3", 1},
          {"sep_conv_3x3", 0},
          {"skip_connect", 2}}},
        {{{"max_pool_3x3", 0},
          {"max_pool_3x3", 1},
          {"skip_connect", 2},
          {"max_pool_3x3", 0},
          {"max_pool_3x3", 0},
          {"skip_connect", 2},
          {"skip_connect", 2},
          {"avg_pool_3x3", 0}}},
        {}}},
      {"DARTS_V2",
       {{{{"sep_conv_3x3", 0},
          {"sep_conv_3x3", 1},
          {"sep_conv_3x3", 0},
          {"sep_conv_3x3", 1},
          {"sep_conv_3x3", 1},
          {"skip_connect", 0},
          {"skip_connect", 0},
          {"dil_conv_3x3", 2}}},
        {{{"max_pool_3x3", 0},
          {"max_pool_3x3", 1},
          {"skip_connect", 2},
          {"max_pool_3x3", 1},
          {"max_pool_3x3", 0},
          {"skip_connect", 2},
          {"skip_connect", 2},
          {"max_pool_3x3", 1}}},
        {}}},
      {"PC_DARTS",
       {{{{"sep_conv_3x3", 1},
          {"skip_connect", 0},
          {"sep_conv_3x3", 0},
          {"dil_conv_3x3", 1},
          {"sep_conv_5x5", 0},
          {"sep_conv_3x3", 1},
          {"avg_pool_3x3", 0},
          {"dil_conv_3x3", 1}}},
        {{{"sep_conv_5x5", 1},
          {"max_pool_3x3", 0},
          {"sep_conv_5x5", 1},
          {"sep_conv_5x5", 2},
          {"sep_conv_3x3", 0},
          {"sep_conv_3x3", 3},
          {"sep_conv_3x3", 1},
          {"sep_conv_3x3", 2}}},
        {}}},
  }};
  return genotypes;
}

const Genotype* find_published(const std::string& name) {
  for (const auto& [known, genotype] : published())
    if (name == known) return &genotype;
  return nullptr;
}

template <class Range>
std::string joined(const Range& names) {
  std::string list;
  for (const auto& name : names) list += (list.empty() ? "" : ", ") + std::string(name);
  return list;
}

/// Collects every problem of a file.
class Reader {
 public:
  explicit Reader(std::string file) : file_(std::move(file)) {}

  Genotype read(const std::string& text) {
    const Json json = Json::parse(text, nullptr, false);
    Genotype genotype;
    if (json.is_discarded() || !json.is_object()) {
      report("", "is not a JSON object", R"({"normal": [[operation, input], ...], "reduce": ...})");
    } else {
      read_object(json, genotype);
    }
    if (!problems_.empty()) throw base::UsageError(std::move(problems_));
    return genotype;
  }

 private:
  void report(const std::string& where, const std::string& given, const std::string& allowed) {
    problems_.push_back({where.empty() ? file_ : file_ + ": " + where, given, allowed, ""});
  }

  void read_object(const Json& json, Genotype& genotype) {
    for (const auto& [key, value] : json.items()) {
      if (key != "normal" && key != "reduce" && key != "normal_concat" && key != "reduce_concat" &&
          key != "cells") {
        report(key, "unknown key", "normal, reduce, normal_concat, reduce_concat, cells");
      }
    }
    genotype.normal = cell(json, "normal");
    genotype.reduce = cell(json, "reduce");
    if (json.contains("cells")) cells(json["cells"], genotype);
  }

  CellGenotype cell(const Json& json, const std::string& key) {
    CellGenotype made;
    if (!json.contains(key)) {
      report(key, "is missing", "eight [operation, input] pairs");
      return made;
    }
    made.edges = edges(json[key], key);
    if (json.contains(key + "_concat")) made.concat = concat(json[key + "_concat"], key + "_concat");
    return made;
  }

  void cells(const Json& json, Genotype& genotype) {
    if (!json.is_object()) {
      report("cells", "is not an object", R"({"3": [[operation, input], ...], ...})");
      return;
    }
    for (const auto& [key, value] : json.items()) {
      const bool number = !key.empty() && key.size() <= 3 && key.find_first_not_of("0123456789") == key.npos;
      if (!number) {
        report("cells." + key, "is not the number of a cell", "0, 1, ...");
        continue;
      }
      const auto [entry, is_new] = genotype.cells.try_emplace(std::stoi(key));
      if (!is_new) report("cells." + key, "the cell is given twice", "");
      entry->second.edges = edges(value, "cells." + key);
    }
  }

  std::vector<CellEdge> edges(const Json& json, const std::string& where) {
    std::vector<CellEdge> made;
    if (!json.is_array() || json.size() != 2 * kNodes) {
      report(where, json.is_array() ? "has " + std::to_string(json.size()) + " entries" : "is not a list",
             "eight [operation, input] pairs");
      return made;
    }
    for (std::size_t i = 0; i < json.size(); ++i) {
      const int states = kFirstNode + static_cast<int>(i) / 2;
      made.push_back(edge(json[i], where + "[" + std::to_string(i) + "]", states));
    }
    for (std::size_t i = 0; i < made.size(); i += 2) {
      if (made[i].op == "none" && made[i + 1].op == "none") {
        report(where,
               "node " + std::to_string(kFirstNode + i / 2) + " has no input: both operations are none",
               "one of them at most");
      }
    }
    return made;
  }

  CellEdge edge(const Json& json, const std::string& where, int states) {
    if (!json.is_array() || json.size() != 2 || !json[0].is_string() || !json[1].is_number_integer()) {
      report(where, "is not a pair", "[operation, input]");
      return {};
    }
    const auto op = json[0].get<std::string>();
    const std::vector<std::string>& known = darts_operations();
    if (std::find(known.begin(), known.end(), op) == known.end())
      report(where, "unknown operation '" + op + "'", joined(known));
    const auto input = json[1].get<std::int64_t>();
    if (input < 0 || input >= states) {
      report(where, "reads state " + std::to_string(input), "0 to " + std::to_string(states - 1));
      return {};
    }
    return {op, static_cast<int>(input)};
  }

  std::vector<int> concat(const Json& json, const std::string& where) {
    std::vector<int> states;
    bool valid = json.is_array() && !json.empty() && json.size() <= kNodes;
    for (const Json& state : valid ? json : Json::array()) {
      valid = valid && state.is_number_integer() && state >= kFirstNode && state < kFirstNode + kNodes;
      if (valid) states.push_back(state.get<int>());
    }
    std::vector<int> distinct = states;
    std::sort(distinct.begin(), distinct.end());
    valid = valid && std::adjacent_find(distinct.begin(), distinct.end()) == distinct.end();
    if (!valid) report(where, "is not a list of nodes", "one to four different numbers from 2 to 5");
    return states;
  }

  std::string file_;
  std::vector<base::Problem> problems_;
};

}  // namespace

const CellGenotype& Genotype::cell(int index, bool reduction) const {
  const auto own = cells.find(index);
  if (own != cells.end()) return own->second;
  return reduction ? reduce : normal;
}

const std::vector<std::string>& darts_operations() {
  static const std::vector<std::string> operations = {"none",         "max_pool_3x3", "avg_pool_3x3",
                                                      "skip_connect", "sep_conv_3x3", "sep_conv_5x5",
                                                      "dil_conv_3x3", "dil_conv_5x5"};
  return operations;
}

std::vector<std::string> genotype_names() {
  std::vector<std::string> names;
  for (const auto& [name, genotype] : published()) names.emplace_back(name);
  return names;
}

Genotype parse_genotype(const std::string& text, const std::string& name) {
  return Reader(name).read(text);
}

Genotype load_genotype(const std::string& name_or_path) {
  if (const Genotype* known = find_published(name_or_path)) return *known;
  if (name_or_path.starts_with('{')) return parse_genotype(name_or_path, "genotype");
  try {
    return parse_genotype(base::read_file(name_or_path, kLargestFile), name_or_path);
  } catch (const base::UsageError& error) {
    std::vector<base::Problem> problems = error.problems();
    const bool looks_like_a_name = name_or_path.find_first_of("./") == std::string::npos;
    if (looks_like_a_name && problems.size() == 1 && problems[0].allowed.empty())
      problems[0].allowed = joined(genotype_names()) + ", or a JSON file";
    throw base::UsageError(std::move(problems));
  }
}

}  // namespace bitline::workloads
