// SPDX-License-Identifier: Apache-2.0
// The errors that a user sees. Each carries all problems found (never just the first) and the exit code of
// the command line. Bugs are caught by BITLINE_CHECK, which throws std::logic_error.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace bitline::base {

/// Exit codes of the command line (also the kind of an error in JSON answers).
enum class ExitCode : int {
  ok = 0,
  usage = 2,
  config = 3,
  network = 4,
  mapping = 5,
  simulation = 6,
  timeout = 7
};

/// One fault of an input: where it is (file:line, key path, node), what was given, what is allowed, what to
/// do.
struct Problem {
  std::string where;
  std::string given;    ///< what was found, as a sentence fragment: "unknown key 'colls'"
  std::string allowed;  ///< may be empty
  std::string remedy;   ///< may be empty
  /// "where: given; allowed: ...; remedy" on one line, whatever a file's names hold.
  [[nodiscard]] std::string str() const;
};

/// Base of every error a user can cause. `what()` has one line per problem.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, std::vector<Problem> problems);
  [[nodiscard]] ExitCode code() const { return code_; }
  [[nodiscard]] const std::vector<Problem>& problems() const { return problems_; }

 private:
  ExitCode code_;
  std::vector<Problem> problems_;
};

template <ExitCode kCode>
class ErrorOf final : public Error {
 public:
  explicit ErrorOf(std::vector<Problem> problems) : Error(kCode, std::move(problems)) {}
  explicit ErrorOf(Problem problem) : Error(kCode, {std::move(problem)}) {}
};

using UsageError = ErrorOf<ExitCode::usage>;
using ConfigError = ErrorOf<ExitCode::config>;
using NetworkError = ErrorOf<ExitCode::network>;
using MappingError = ErrorOf<ExitCode::mapping>;
using SimulationError = ErrorOf<ExitCode::simulation>;
using TimeoutError = ErrorOf<ExitCode::timeout>;

[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace bitline::base

/// For bugs, never for bad input: throws std::logic_error naming the condition and the line.
#define BITLINE_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::bitline::base::check_failed(#condition, __FILE__, __LINE__))
