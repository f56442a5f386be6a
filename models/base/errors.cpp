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

/// Part of a message for one line of a terminal: names come from files of strangers. Control characters as
/// \xNN, and of a very long text its beginning and end.
std::string printable(const std::string& text) {
  constexpr std::size_t kLongest = 4000;
  constexpr std::size_t kEnd = 200;
  if (text.size() > kLongest)
    return printable(text.substr(0, kLongest - kEnd - 3)) + "..." +
           printable(text.substr(text.size() - kEnd));
  constexpr const char* kDigits = "0123456789abcdef";
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      result += c;
      continue;
    }
    result += "\\x";
    result += kDigits[byte >> 4];
    result += kDigits[byte & 15U];
  }
  return result;
}

}  // namespace

std::string Problem::str() const {
  std::string text = printable(where.empty() ? given : where + ": " + given);
  if (!allowed.empty()) text += "; allowed: " + printable(allowed);
  if (!remedy.empty()) text += "; " + printable(remedy);
  return text;
}

Error::Error(ExitCode code, std::vector<Problem> problems)
    : std::runtime_error(join_lines(problems)), code_(code), problems_(std::move(problems)) {}

void check_failed(const char* condition, const char* file, int line) {
  throw std::logic_error(std::string(file) + ":" + std::to_string(line) + ": check failed: " + condition +
                         " (this is a bug in Bitline, please report it)");
}

}  // namespace bitline::base
