// SPDX-License-Identifier: Apache-2.0
// Costs of networks on machines. Analytic ones are computed here, by any number of threads at once; a
// simulation runs as `bitline run` in a process of its own (SystemC has one kernel per process, and a crash
// or a hang stays there).
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "mapper/graph/graph.h"
#include "sim/assemble.h"
#include "sim/known_layers.h"
#include "tools/oracle/cache.h"
#include "tools/oracle/request.h"

namespace bitline::oracle {

/// The values asked for last, by key. For any thread.
template <class Value>
class Recent {
 public:
  explicit Recent(std::size_t most) : most_(most) {}
  template <class Make>
  std::shared_ptr<const Value> get(const std::string& key, Make make) {
    {
      const std::lock_guard lock(mutex_);
      if (const auto found = by_key_.find(key); found != by_key_.end()) {
        entries_.splice(entries_.begin(), entries_, found->second);
        return entries_.front().second;
      }
    }
    std::shared_ptr<const Value> made = make();
    const std::lock_guard lock(mutex_);
    if (const auto found = by_key_.find(key); found != by_key_.end()) return found->second->second;
    entries_.emplace_front(key, made);
    by_key_.emplace(key, entries_.begin());
    if (entries_.size() > most_) {
      by_key_.erase(entries_.back().first);
      entries_.pop_back();
    }
    return made;
  }

 private:
  std::size_t most_;
  std::mutex mutex_;
  using Entries = std::list<std::pair<std::string, std::shared_ptr<const Value>>>;
  Entries entries_;
  std::unordered_map<std::string, typename Entries::iterator> by_key_;
};

class Oracle {
 public:
  /// `program`: the `bitline` that simulates; `cache`: where costs are kept and looked up, or null.
  explicit Oracle(std::string program, std::shared_ptr<Cache> cache = nullptr)
      : program_(std::move(program)), cache_(std::move(cache)) {}

  /// Mode analytic. Throws base::Error.
  [[nodiscard]] result::Result analyse(const Request& request, sim::Rows rows = sim::Rows::all);
  /// Any fidelity, as the tree of result.json. Throws base::Error.
  [[nodiscard]] Json result(const Request& request);
  /// What the request wants: {"cost": ...} or {"result": ...}, or {"error": ...}. Never throws.
  [[nodiscard]] Json answer(const Request& request);
  /// What was computed and what was known of the layers of analytic evaluations on the request's machine.
  [[nodiscard]] sim::KnownLayers::Counts layer_counts(const Request& request) {
    return machine(request)->counts();
  }
  /// One line in, one line out. Never throws.
  [[nodiscard]] std::string answer_line(const std::string& line, const Request& defaults);

 private:
  [[nodiscard]] Json simulate(const Request& request);
  [[nodiscard]] Json cost(const Request& request);
  [[nodiscard]] Json kept_cost(const Request& request);
  /// All that a cost follows from; none where a part of the network lies in other files.
  [[nodiscard]] std::optional<std::string> content_of(const Request& request);
  [[nodiscard]] std::string network_content(const NetworkSource& source);
  [[nodiscard]] std::shared_ptr<const sim::KnownLayers> machine(const Request& request);
  [[nodiscard]] std::shared_ptr<const graph::Graph> network(const Request& request, bool shapes_only);

  std::string program_;
  std::shared_ptr<Cache> cache_;
  Recent<sim::KnownLayers> machines_{64};
  Recent<std::string> contents_{64};  ///< of files and machines
  Recent<graph::Graph> networks_{8};
  Recent<Json> costs_{1024};  ///< analytic ones, of this process
};

/// All that a kept cost follows from: `version` of Bitline, the request, every constant of the machine, and
/// `network`, which tells the network's content.
[[nodiscard]] std::string content_key(const Request& request, const arch::LoadedArch& machine,
                                      const std::string& network, const std::string& version);

/// The same figures from the tree of a result.json as cost_json() gives.
[[nodiscard]] Json cost_of_tree(const Json& tree, bool layers);

/// Of the program that runs now.
[[nodiscard]] std::string own_program();

}  // namespace bitline::oracle
