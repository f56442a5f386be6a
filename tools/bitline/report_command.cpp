// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "sim/result/text.h"
#include "tools/bitline/commands.h"
#include "tools/report/run_report.h"

namespace bitline::cli {
namespace {

struct ReportOptions {
  std::string run;
  std::string out;
  bool json = false;
};

/// Beside the result.
std::string default_out(const std::string& run) {
  const std::filesystem::path path(run);
  std::error_code none;
  return ((std::filesystem::is_directory(path, none) ? path : path.parent_path()) / "report.html").string();
}

}  // namespace

void add_report(CLI::App& app, const Streams& streams) {
  CLI::App& command = *app.add_subcommand("report", "A run as one HTML page that opens offline");
  const auto options = std::make_shared<ReportOptions>();
  command.add_option("run", options->run, "result.json, or the folder of --out, of `bitline run`")
      ->required()
      ->type_name("RUN");
  command.add_option("-o,--out", options->out, "Where to (default: report.html beside the result)")
      ->type_name("FILE");
  command.add_flag("--json", options->json, "Print JSON: the file and its size");
  using enum base::ExitCode;
  command.footer("\n" + footer({"bitline run --arch configs/isaac.yaml \\",
                                "    --network workloads/digits-cnn.onnx --out out", "bitline report out",
                                "bitline report out/result.json --out digits.html"},
                               {ok, usage}));
  command.callback([options, streams] {
    const std::string out = options->out.empty() ? default_out(options->run) : options->out;
    report::write_run_report(options->run, out);
    std::error_code none;  // a device has no size
    const std::uintmax_t bytes =
        std::filesystem::is_regular_file(out, none) ? std::filesystem::file_size(out, none) : 0;
    if (options->json)
      streams.out << nlohmann::ordered_json{{"file", out}, {"bytes", bytes}}.dump(
                         2, ' ', false, nlohmann::ordered_json::error_handler_t::replace)
                  << "\n";
    else
      streams.out << fmt::format("{}: {} bytes\n", out, result::count(static_cast<std::int64_t>(bytes)));
  });
}

}  // namespace bitline::cli
