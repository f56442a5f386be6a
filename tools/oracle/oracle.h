// SPDX-License-Identifier: Apache-2.0
// Costs of networks on machines. Analytic ones are computed here, by any number of threads at once; a
// simulation runs as `bitline run` in a process of its own (SystemC has one kernel per process, and a crash
// or a hang stays there).
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "mapper/graph/graph.h"
#include "models/arch/arch.h"
#include "tools/oracle/request.h"

namespace bitline::oracle {

/// The last few values by key.
template <class Value>
class Recent {
 public:
  explicit Recent(std::size_t most) : most_(most) {}
  template <class Make>
  std::shared_ptr<const Value> get(const std::string& key, Make make) {
    {
      const std::lock_guard lock(mutex_);
      for (auto it = entries_.begin(); it != entries_.end(); ++it) {
        if (it->first != key) continue;
        entries_.splice(entries_.begin(), entries_, it);
        return entries_.front().second;
      }
    }
    std::shared_ptr<const Value> made = make();
    const std::lock_guard lock(mutex_);
    entries_.emplace_front(key, made);
    if (entries_.size() > most_) entries_.pop_back();
    return made;
  }

 private:
  std::size_t most_;
  std::mutex mutex_;
  std::list<std::pair<std::string, std::shared_ptr<const Value>>> entries_;
};

class Oracle {
 public:
  /// `program`: the `bitline` that simulates.
  explicit Oracle(std::string program) : program_(std::move(program)) {}

  /// Mode analytic. Throws base::Error.
  [[nodiscard]] result::Result analyse(const Request& request);
  /// Any fidelity, as the tree of result.json. Throws base::Error.
  [[nodiscard]] Json result(const Request& request);
  /// What the request wants: {"cost": ...} or {"result": ...}, or {"error": ...}. Never throws.
  [[nodiscard]] Json answer(const Request& request);
  /// One line in, one line out. Never throws.
  [[nodiscard]] std::string answer_line(const std::string& line, const Request& defaults);

 private:
  [[nodiscard]] Json simulate(const Request& request);
  [[nodiscard]] std::shared_ptr<const arch::LoadedArch> machine(const Request& request);
  [[nodiscard]] std::shared_ptr<const graph::Graph> network(const Request& request);

  std::string program_;
  Recent<arch::LoadedArch> machines_{64};
  Recent<graph::Graph> networks_{8};
};

/// The same figures from the tree of a result.json as cost_json() gives.
[[nodiscard]] Json cost_of_tree(const Json& tree, bool layers);

/// Of the program that runs now.
[[nodiscard]] std::string own_program();

}  // namespace bitline::oracle
