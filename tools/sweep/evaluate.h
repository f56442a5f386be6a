// SPDX-License-Identifier: Apache-2.0
// Evaluates the points of a sweep in this process, one at a time.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "mapper/graph/graph.h"
#include "models/arch/arch_loader.h"
#include "tools/sweep/plan.h"

namespace bitline::sweep {

/// A point that was evaluated.
struct Outcome {
  Json record;         ///< {"point": ..., "figures": {...}} or {"point": ..., "error": {...}}
  std::string result;  ///< result.json; empty after an error, or where it was not asked for
};

class Evaluator {
 public:
  /// `plan` must outlive it.
  Evaluator(const Plan& plan, double timeout_s, bool with_result);
  /// Whether it runs SystemC, which a process can do once.
  [[nodiscard]] bool is_simulation(std::size_t point) const;
  /// Loads the network of a point, and keeps it for the next ones.
  void prepare(std::size_t point);
  /// Never throws.
  [[nodiscard]] Outcome evaluate(std::size_t point);

 private:
  struct Loaded {
    std::shared_ptr<const graph::Graph> graph;
    std::string sha256;
    std::exception_ptr error;
  };
  /// Generated networks depend on the seed.
  using NetworkKey = std::pair<std::size_t, std::uint64_t>;

  [[nodiscard]] const Loaded& network(const Run& run);
  [[nodiscard]] Loaded load(const Run& run) const;
  [[nodiscard]] result::Result result_of(const Run& run);

  const Plan& plan_;
  double timeout_s_;
  bool with_result_;
  arch::ArchText machine_;
  std::list<std::pair<NetworkKey, Loaded>> networks_;  ///< used last first
};

/// A point whose process ended without a result.
[[nodiscard]] Json failed_record(const Point& point, base::ExitCode code, const std::string& message);

/// An outcome as one text, and back.
[[nodiscard]] std::string to_text(const Outcome& outcome);
[[nodiscard]] Outcome outcome_of(const std::string& text);

}  // namespace bitline::sweep
