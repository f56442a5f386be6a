// SPDX-License-Identifier: Apache-2.0
#include "models/base/errors.h"

namespace bitline::base {

namespace {

std::string join_lines(const std::vector<Problem>& problems) {
  std::string text;
  for (const Problem& problem : problems) {
    if (!text.empty()) text += '\n';
    text += problem.str();
  }
  return text;
}

}  // namespace

std::string Problem::str() const {
  std::string text = where.empty() ? given : where + ": " + given;
  if (!allowed.empty()) text += "; allowed: " + allowed;
  if (!remedy.empty()) text += "; " + remedy;
  return text;
}

Error::Error(ExitCode code, std::vector<Problem> problems)
    : std::runtime_error(join_lines(problems)), code_(code), problems_(std::move(problems)) {}

void check_failed(const char* condition, const char* file, int line) {
  throw std::logic_error(std::string(file) + ":" + std::to_string(line) + ": check failed: " + condition +
                         " (this is a bug in Bitline, please report it)");
}

}  // namespace bitline::base
