// SPDX-License-Identifier: Apache-2.0
// The folder of a sweep: what is finished, and what is not.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "sim/result/output_folder.h"
#include "tools/sweep/evaluate.h"
#include "tools/sweep/journal.h"
#include "tools/sweep/plan.h"

namespace bitline::sweep {

/// By point: {"point", "figures"} or {"point", "error"}; none while it is not finished.
using Records = std::vector<std::optional<Json>>;

struct StoreOptions {
  std::string folder;
  bool keep_results = true;   ///< points/ID/result.json
  bool retry_failed = false;  ///< failed points count as not finished
};

class Store {
 public:
  /// Opens or creates the folder. `plan` must outlive it. Throws base::UsageError: it cannot be written, has
  /// another sweep, or another process is at work in it.
  Store(const Plan& plan, const StoreOptions& options);

  [[nodiscard]] const Records& records() const { return records_; }
  /// Points without a record, in order.
  [[nodiscard]] std::vector<std::size_t> pending() const;
  /// Keeps an outcome: safe from a kill when this returns, from a loss of power within kCommit or at
  /// commit().
  void add(std::size_t point, const Outcome& outcome);
  /// Flushes to the disk what has not been for kCommit.
  void commit_if_due();
  void commit();
  /// A file of the folder, written whole.
  void write(const std::string& name, std::string_view content) const { folder_.write(name, content); }
  [[nodiscard]] std::string path(const std::string& name) const { return folder_.path(name); }
  /// The folder of one point, relative to the sweep's.
  [[nodiscard]] std::string point_folder(std::size_t point) const;
  /// Whether a file of it is there, and not empty.
  [[nodiscard]] bool has_file(std::size_t point, const std::string& name) const;

  /// A flush costs milliseconds, as many as a point of mode analytic.
  static constexpr std::chrono::milliseconds kCommit{50};

 private:
  [[nodiscard]] std::size_t index_of(const Json& record) const;
  void check_header() const;
  void restore();

  const Plan& plan_;
  StoreOptions options_;
  result::OutputFolder folder_;
  Json header_;
  Journal journal_;
  Records records_;
  std::vector<std::string> unflushed_;  ///< files
  bool dirty_ = false;
  std::chrono::steady_clock::time_point committed_ = std::chrono::steady_clock::now();
};

}  // namespace bitline::sweep
