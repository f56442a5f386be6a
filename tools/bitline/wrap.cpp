// SPDX-License-Identifier: Apache-2.0
#include "tools/bitline/wrap.h"

#include <sstream>

namespace bitline::cli {

std::string wrapped(std::string_view text, std::size_t width, std::size_t indent) {
  std::string out;
  std::string line;
  std::istringstream words{std::string(text)};
  const auto end_line = [&] {
    if (!out.empty()) out += '\n';
    out += line;
  };
  for (std::string word; words >> word;) {
    if (line.empty()) {
      line = std::string(indent, ' ') + word;
    } else if (line.size() + 1 + word.size() <= width) {
      line += ' ';
      line += word;
    } else {
      end_line();
      line = std::string(indent, ' ') + word;
    }
  }
  if (!line.empty()) end_line();
  return out;
}

}  // namespace bitline::cli
