// SPDX-License-Identifier: Apache-2.0
#include "tools/bitline/paper_options.h"

#include <CLI/CLI.hpp>

#include <optional>

#include "sim/result/csv.h"
#include "sim/result/output_folder.h"
#include "sim/result/read.h"
#include "tools/compare/compare.h"
#include "tools/paper/figures.h"
#include "tools/paper/latex.h"

namespace bitline::cli {
namespace {

std::vector<paper::TexFile> tables(const std::vector<compare::Run>& runs) {
  std::vector<paper::TexFile> files = paper::run_tables(runs.front());
  if (runs.size() > 1)
    for (paper::TexFile& file : paper::comparison_tables(compare::compare({runs[1], runs[0]}, 0)))
      files.push_back(std::move(file));
  return files;
}

}  // namespace

void add_paper_options(CLI::App& command, PaperOptions& options) {
  command
      .add_option("--latex", options.latex,
                  "Write tables for a paper here (booktabs, siunitx), with an example.tex that shows them")
      ->type_name("DIR");
  command
      .add_option(
          "--figures", options.figures,
          "Draw figures for a paper here, PDF and SVG, one column wide; needs Python 3 with matplotlib")
      ->type_name("DIR");
  command.add_option("--csv", options.csv, "Write every table as CSV here")->type_name("DIR");
  command
      .add_option("--baseline", options.baseline, "Another run: --latex and --figures also compare with it")
      ->type_name("RUN");
  command.add_flag("--wide", options.wide, "Figures two columns wide");
}

std::vector<Written> write_paper(const PaperOptions& options, const std::string& run) {
  if (options.latex.empty() && options.figures.empty() && !options.baseline.empty())
    throw base::UsageError(
        base::Problem{"--baseline", "given without --latex or --figures", "", "say what shall be written"});
  if (options.figures.empty() && options.wide)
    throw base::UsageError(base::Problem{"--wide", "given without --figures", "", "say where to"});
  if (!options.any()) return {};
  std::vector<Written> written;
  std::vector<std::string> paths = {run};
  if (!options.baseline.empty()) paths.push_back(options.baseline);
  const std::vector<compare::Run> runs = compare::read_runs(paths);
  if (!options.latex.empty()) {
    const result::OutputFolder folder(options.latex, "--latex");
    const std::vector<paper::TexFile> files = tables(runs);
    paper::write_latex(folder, files);
    written.push_back({"latex", options.latex, files.size(), "tables; example.tex shows them"});
  }
  if (!options.csv.empty()) {
    const result::OutputFolder folder(options.csv, "--csv");
    const std::vector<result::NamedTable> all = result::csv_tables(runs.front().result);
    for (const result::NamedTable& table : all) folder.write(table.file, table.content);
    written.push_back({"csv", options.csv, all.size(), "tables"});
  }
  if (!options.figures.empty()) {
    const result::OutputFolder folder(options.figures, "--figures");
    const auto drawn = paper::draw_figures(
        {runs.front().file, runs.size() > 1 ? runs[1].file : "", options.figures, options.wide});
    written.push_back({"figures", options.figures, drawn.size(), "figures, PDF and SVG"});
  }
  return written;
}

}  // namespace bitline::cli
