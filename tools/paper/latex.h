// SPDX-License-Identifier: Apache-2.0
// Tables of a run, and of runs against a baseline, for a paper: LaTeX with booktabs, siunitx and tabularx.
#pragma once

#include <string>
#include <vector>

#include "sim/result/output_folder.h"
#include "tools/compare/compare.h"

namespace bitline::paper {

struct TexFile {
  std::string name;  ///< "layers.tex"
  std::string content;
};

/// summary.tex, components.tex and layers.tex.
[[nodiscard]] std::vector<TexFile> run_tables(const compare::Run& run);
/// comparison.tex (the figures), comparison-components.tex and comparison-layers.tex (where the energy went).
[[nodiscard]] std::vector<TexFile> comparison_tables(const compare::Comparison& comparison);

/// Writes the files, preamble.tex (the packages they need) and example.tex (a two-column article that shows
/// all). Throws base::UsageError.
void write_latex(const result::OutputFolder& folder, const std::vector<TexFile>& tables);

}  // namespace bitline::paper
