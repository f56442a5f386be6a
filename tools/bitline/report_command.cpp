// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "sim/result/text.h"
#include "tools/bitline/commands.h"
#include "tools/bitline/paper_options.h"
#include "tools/report/run_report.h"

namespace bitline::cli {
namespace {

using Json = nlohmann::ordered_json;

struct ReportOptions {
  std::string run;
  std::string out;
  PaperOptions paper;
  bool json = false, quiet = false;
};

/// Beside the result.
std::string default_out(const std::string& run) {
  const std::filesystem::path path(run);
  std::error_code none;
  return ((std::filesystem::is_directory(path, none) ? path : path.parent_path()) / "report.html").string();
}

void write_page(const ReportOptions& options, Json& json, const Streams& streams) {
  const std::string out = options.out.empty() ? default_out(options.run) : options.out;
  report::write_run_report(options.run, out);
  std::error_code none;  // a device has no size
  const std::uintmax_t bytes =
      std::filesystem::is_regular_file(out, none) ? std::filesystem::file_size(out, none) : 0;
  json.update({{"file", out}, {"bytes", bytes}});
  if (!options.json && !options.quiet)
    streams.out << fmt::format("{}: {} bytes\n", out, result::count(static_cast<std::int64_t>(bytes)));
}

/// A page, unless only tables or figures are asked for.
void run_report(const ReportOptions& options, const Streams& streams) {
  Json json = Json::object();
  if (!options.out.empty() || !options.paper.any()) write_page(options, json, streams);
  for (const Written& written : write_paper(options.paper, options.run)) {
    json[written.what] = {{"folder", written.folder}, {"count", written.count}};
    if (!options.json && !options.quiet)
      streams.out << fmt::format("{}: {} {}\n", written.folder, written.count, written.note);
  }
  if (options.json) streams.out << json.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
}

}  // namespace

void add_report(CLI::App& app, const Streams& streams) {
  CLI::App& command = *app.add_subcommand("report", "A run as an HTML page; tables and figures");
  const auto options = std::make_shared<ReportOptions>();
  command.add_option("run", options->run, "result.json, or the folder of --out, of `bitline run`")
      ->required()
      ->type_name("RUN");
  command
      .add_option(
          "-o,--out", options->out,
          "Where the page goes, which opens offline (default: report.html beside the result, or no page "
          "with the options below)")
      ->type_name("FILE");
  add_paper_options(command, options->paper);
  command.add_flag("--json", options->json, "Print JSON: what was written");
  add_quiet(command, options->quiet);
  using enum base::ExitCode;
  command.footer(
      "\n" +
      footer({"bitline run --arch configs/isaac.yaml \\", "    --network workloads/digits-cnn.onnx --out out",
              "bitline report out", "bitline report out/result.json --out digits.html",
              "bitline report out/5-bit --baseline out/8-bit --latex tables \\", "    --figures figures"},
             {ok, usage, simulation}));
  command.callback([options, streams] { run_report(*options, streams); });
}

}  // namespace bitline::cli
