// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <tbb/global_control.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <thread>

#include "tools/bitline/commands.h"

namespace bitline::cli {
namespace {

const char* meaning(base::ExitCode code) {
  switch (code) {
    case base::ExitCode::ok:
      return "done";
    case base::ExitCode::usage:
      return "wrong arguments, input arrays, or a place that cannot be written";
    case base::ExitCode::config:
      return "the architecture is wrong";
    case base::ExitCode::network:
      return "the network is damaged or not supported";
    case base::ExitCode::mapping:
      return "the network does not fit the chip";
    case base::ExitCode::simulation:
      return "the simulation failed";
    case base::ExitCode::timeout:
      return "--timeout was reached";
  }
  return "";
}

}  // namespace

void add_overrides(CLI::App& command, std::vector<std::string>& overrides) {
  command.add_option("--set", overrides, "Override one key of the architecture, key.path=value (repeatable)")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
}

void add_mapping_options(CLI::App& command, sim::MappingRequest& request) {
  command.add_option("--arch", request.arch, "Architecture (YAML)")->required()->type_name("FILE");
  command.add_option("--network", request.network, "Network (ONNX)")->required()->type_name("FILE");
  add_overrides(command, request.overrides);
}

void add_threads(CLI::App& command, int& threads) {
  command
      .add_option("--threads", threads, "Threads at most; results do not depend on it (default: all cores)")
      ->type_name("N")
      ->check(CLI::Range(1, 1024).description(""));
}

std::shared_ptr<void> limit_threads(int threads) {
  if (threads == 0) return nullptr;
  return std::make_shared<tbb::global_control>(tbb::global_control::max_allowed_parallelism,
                                               static_cast<std::size_t>(threads));
}

std::string footer(const std::vector<std::string>& examples, const std::vector<base::ExitCode>& codes) {
  std::string text = "Examples:\n";
  for (const std::string& example : examples) text += fmt::format("  {}\n", example);
  text += "\nExit codes:\n";
  for (const base::ExitCode code : codes)
    text += fmt::format("  {}  {}\n", static_cast<int>(code), meaning(code));
  return text;
}

}  // namespace bitline::cli
