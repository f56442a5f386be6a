// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "tools/bitline/cli.h"

namespace bitline::cli {

struct CliAnswer {
  int code;
  std::string out, err;
};

/// One command line, in this process.
[[nodiscard]] inline CliAnswer answer_of(const std::vector<std::string>& arguments) {
  std::ostringstream out;
  std::ostringstream err;
  const int code = run(arguments, {out, err, false});
  return {code, out.str(), err.str()};
}

[[nodiscard]] inline std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

}  // namespace bitline::cli
