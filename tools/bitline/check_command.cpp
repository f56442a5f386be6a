// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "models/arch/arch_loader.h"
#include "tools/bitline/checks.h"
#include "tools/bitline/commands.h"

namespace bitline::cli {
namespace {

using Json = nlohmann::ordered_json;

struct CheckOptions {
  std::vector<std::string> files, archs, networks, overrides, dimensions;
  bool reference = false;
  std::int64_t memory = 0;
  bool operators = false;
  bool json = false, quiet = false;
};

std::string extension(const std::string& path) {
  return std::filesystem::path(path).extension().string();
}

bool is_arch(const std::string& path) {
  return extension(path) == ".yaml" || extension(path) == ".yml";
}

/// Sorts the files without an option by the ends of their names.
void sort_files(CheckOptions& options) {
  std::vector<base::Problem> problems;
  for (const std::string& file : options.files) {
    if (is_arch(file))
      options.archs.push_back(file);
    else if (extension(file) == ".onnx")
      options.networks.push_back(file);
    else
      problems.push_back({file, "cannot tell what it is from its name",
                          "a name that ends in .yaml, .yml or .onnx", "use --arch or --network"});
  }
  if (problems.empty() && options.archs.empty() && options.networks.empty())
    problems.push_back(
        {"bitline check", "no file to check", "architectures (.yaml) and networks (.onnx)", ""});
  if (problems.empty() && options.archs.empty() && !options.overrides.empty())
    problems.push_back({"--set", "given without an architecture", "", "name the architecture to override"});
  if (!problems.empty()) throw base::UsageError(std::move(problems));
}

/// Checks one file; prints what it is or every problem. Returns the exit code of the problem.
template <class Check>
base::ExitCode check_one(const std::string& file, const char* kind, const CheckOptions& options,
                         const Check& check, const Streams& streams, Json& report) {
  Json entry = {{"file", file}, {"kind", kind}};
  base::ExitCode code = base::ExitCode::ok;
  try {
    const Checked checked = check();
    entry["ok"] = true;
    entry.update(Json::parse(checked.json));
    if (!options.json && !options.quiet) streams.out << fmt::format("ok  {}\n{}", file, checked.text);
  } catch (const base::Error& error) {
    code = error.code();
    entry["ok"] = false;
    for (const base::Problem& problem : error.problems()) {
      streams.err << "bitline: error: " << problem.str() << "\n";
      entry["problems"].push_back({{"where", problem.where},
                                   {"given", problem.given},
                                   {"allowed", problem.allowed},
                                   {"remedy", problem.remedy}});
    }
  }
  report["files"].push_back(std::move(entry));
  return code;
}

void check_files(CheckOptions& options, const Streams& streams) {
  if (options.reference) {
    streams.out << arch::reference_markdown();
    return;
  }
  if (options.operators) {
    streams.out << operator_list();
    return;
  }
  sort_files(options);
  Json report;
  base::ExitCode worst = base::ExitCode::ok;
  const auto note = [&worst](base::ExitCode code) {
    if (worst == base::ExitCode::ok) worst = code;
  };
  for (const std::string& file : options.archs)
    note(check_one(
        file, "arch", options, [&] { return check_arch(file, options.overrides); }, streams, report));
  for (const std::string& file : options.networks)
    note(check_one(
        file, "network", options, [&] { return check_network(file, options.dimensions); }, streams, report));
  if (options.json) streams.out << report.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
  if (worst != base::ExitCode::ok) throw Exit{worst};
}

}  // namespace

void add_check(CLI::App& app, const Streams& streams) {
  CLI::App& command = *app.add_subcommand("check", "Check architectures and networks");
  const auto options = std::make_shared<CheckOptions>();
  command.add_option("files", options->files, "Architectures (.yaml, .yml) and networks (.onnx)")
      ->type_name("FILE");
  command.add_option("--arch", options->archs, "An architecture, whatever its name (repeatable)")
      ->type_name("FILE")
      ->allow_extra_args(false);
  command.add_option("--network", options->networks, "A network, whatever its name (repeatable)")
      ->type_name("FILE")
      ->allow_extra_args(false);
  add_overrides(command, options->overrides);
  add_dimensions(command, options->dimensions);
  command.add_flag("--reference", options->reference,
                   "Print the reference of all keys (configs/REFERENCE.md)");
  add_memory(command, options->memory);
  command.add_flag("--operators", options->operators, "Print the operators that networks may use");
  command.add_flag("--json", options->json, "Print JSON");
  add_quiet(command, options->quiet);
  using enum base::ExitCode;
  command.footer("\n" + footer({"bitline check configs/isaac.yaml", "bitline check workloads/digits-cnn.onnx",
                                "bitline check configs/isaac.yaml --set crossbar.rows=256",
                                "bitline check --reference > configs/REFERENCE.md"},
                               {ok, usage, config, network}));
  command.callback([options, streams] {
    const auto limit = limit_memory(options->memory);
    check_files(*options, streams);
  });
}

}  // namespace bitline::cli
