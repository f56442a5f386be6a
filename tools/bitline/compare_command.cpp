// SPDX-License-Identifier: Apache-2.0
#include "tools/compare/compare.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "models/base/files.h"
#include "sim/result/output_folder.h"
#include "sim/result/read.h"
#include "tools/bitline/commands.h"
#include "tools/paper/latex.h"

namespace bitline::cli {
namespace {

struct CompareOptions {
  std::vector<std::string> runs;
  std::string baseline, csv, html, latex;
  bool json = false;
};

bool same_file(const std::string& a, const std::string& b) {
  std::error_code error;
  return std::filesystem::equivalent(result::result_file(a), result::result_file(b), error);
}

/// A baseline that is not among the runs goes before them.
compare::Comparison compare_runs(const CompareOptions& options) {
  std::vector<std::string> paths = options.runs;
  std::size_t baseline = 0;
  if (!options.baseline.empty()) {
    const auto found = std::find_if(paths.begin(), paths.end(), [&](const std::string& path) {
      return path == options.baseline || same_file(path, options.baseline);
    });
    baseline = found == paths.end() ? 0 : static_cast<std::size_t>(found - paths.begin());
    if (found == paths.end()) paths.insert(paths.begin(), options.baseline);
  }
  return compare::compare(compare::read_runs(paths), baseline);
}

void run_compare(const CompareOptions& options, const Streams& streams) {
  const compare::Comparison c = compare_runs(options);
  if (!options.csv.empty()) base::write_file_atomically(options.csv, compare::to_csv(c));
  if (!options.html.empty()) compare::write_html(options.html, c);
  if (!options.latex.empty())
    paper::write_latex(result::OutputFolder(options.latex, "--latex"), paper::comparison_tables(c));
  streams.out << (options.json ? compare::to_json(c) : compare::to_text(c));
}

}  // namespace

void add_compare(CLI::App& app, const Streams& streams) {
  CLI::App& command = *app.add_subcommand("compare", "Runs side by side: ratios, what changed");
  const auto options = std::make_shared<CompareOptions>();
  command.add_option("runs", options->runs, "Folders of bitline run --out, or their result.json")
      ->required()
      ->type_name("RUN");
  command
      .add_option("--baseline", options->baseline,
                  "What ratios refer to: one of the runs, or a further one (default: the first)")
      ->type_name("RUN");
  command.add_option("--csv", options->csv, "Also write every value and ratio here, one a row")
      ->type_name("FILE");
  command.add_option("--html", options->html, "Also write a page that opens offline here")->type_name("FILE");
  command.add_option("--latex", options->latex, "Also write tables for a paper here (booktabs, siunitx)")
      ->type_name("DIR");
  command.add_flag("--json", options->json, "Print JSON");
  using enum base::ExitCode;
  command.footer("\n" + footer({"bitline compare out/8-bit out/5-bit",
                                "bitline compare out/* --baseline out/8-bit --html compare.html"},
                               {ok, usage}));
  command.callback([options, streams] { run_compare(*options, streams); });
}

}  // namespace bitline::cli
