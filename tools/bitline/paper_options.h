// SPDX-License-Identifier: Apache-2.0
// What `bitline report` and `bitline compare` write for papers: LaTeX tables, figures, CSV.
#pragma once

#include <string>
#include <vector>

#include "tools/bitline/commands.h"

namespace bitline::cli {

struct PaperOptions {
  std::string latex, figures, csv;  ///< folders; empty: none
  std::string baseline;             ///< a run; empty: none
  bool wide = false;
  [[nodiscard]] bool any() const { return !latex.empty() || !figures.empty() || !csv.empty(); }
};

/// --latex, --figures, --csv, --baseline and --wide.
void add_paper_options(CLI::App& command, PaperOptions& options);

/// What was written where.
struct Written {
  std::string what;  ///< "latex", "csv" or "figures"
  std::string folder;
  std::size_t count = 0;
  std::string note;  ///< of what there are so many
};

/// Writes what the options ask for. Throws base::Error.
std::vector<Written> write_paper(const PaperOptions& options, const std::string& run);

}  // namespace bitline::cli
