// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "tools/compare/compare.h"
#include "tools/report/page.h"

namespace bitline::compare {

void write_html(const std::string& path, const Comparison& c) {
  report::Page page;
  page.title = "Comparison with " + c.runs[c.baseline].label;
  page.stem = "comparison";
  for (const Run& run : c.runs) page.about += (page.about.empty() ? "" : ", ") + run.label;
  page.scripts = {"compare.js"};
  report::write_page(path, page, nlohmann::ordered_json::parse(to_json(c)));
}

}  // namespace bitline::compare
