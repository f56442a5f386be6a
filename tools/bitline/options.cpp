// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <tbb/global_control.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <thread>

#include "models/base/memory_limit.h"
#include "tools/bitline/commands.h"

namespace bitline::cli {

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

void add_overrides(CLI::App& command, std::vector<std::string>& overrides) {
  command.add_option("--set", overrides, "Override one key of the architecture, key.path=value (repeatable)")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
}

void add_mapping_options(CLI::App& command, sim::MappingRequest& request) {
  command.add_option("--arch", request.arch, "Architecture (YAML)")->required()->type_name("FILE");
  command.add_option("--network", request.network, "Network (ONNX)")->required()->type_name("FILE");
  add_overrides(command, request.overrides);
  add_dimensions(command, request.dimensions);
}

void add_quiet(CLI::App& command, bool& quiet) {
  command.add_flag("--quiet", quiet, "No log, no progress, no note of what was written");
}

void add_dimensions(CLI::App& command, std::vector<std::string>& dimensions) {
  command
      .add_option("--dim", dimensions, "Size of a symbolic dimension of the network's inputs (repeatable)")
      ->type_name("NAME=N")
      ->allow_extra_args(false);
}

void add_image_options(CLI::App& command, InputArguments input, std::string& labels,
                       sim::Normalisation& normalisation, const std::string& none) {
  const auto take = [input](const std::vector<std::string>& given) {
    for (const std::string& text : given) {
      std::error_code error;
      const bool is_named = text.find('=') != std::string::npos && !std::filesystem::exists(text, error);
      if (!is_named && !input.path.empty())
        throw CLI::ValidationError("--input " + text,
                                   "is a second path; allowed: one, or name=file for each input");
      if (is_named)
        input.named.push_back(text);
      else
        input.path = text;
    }
  };
  CLI::Option& images = *command.add_option_function<std::vector<std::string>>(
      "--input", take,
      "Images: float32 NCHW as .npy, TensorProto .pb or a folder of "
      "them; CIFAR-10 .bin; IDX; a folder with one "
      "folder of PNG or JPEG files per class; for several inputs name=file for each" +
          (none.empty() ? none : fmt::format(" (default: {})", none)));
  images.type_name("PATH")->allow_extra_args(false)->required(none.empty());
  command
      .add_option(
          "--labels", labels,
          "Labels of the images, integers as .npy, .pb or IDX: prints the accuracy (default: those that "
          "come with CIFAR-10 and with folders per class)")
      ->type_name("FILE");
  add_normalisation(command, normalisation);
}

void add_normalisation(CLI::App& command, sim::Normalisation& normalisation) {
  command
      .add_option("--mean", normalisation.mean,
                  "Subtracted from scaled pixels: one number, or one per channel")
      ->type_name("X,..")
      ->delimiter(',');
  command.add_option("--std", normalisation.deviation, "Divides them then: one number, or one per channel")
      ->type_name("X,..")
      ->delimiter(',');
  command
      .add_option("--scale", normalisation.scale,
                  "Stored values are divided by it first (default: 255 for 8-bit pixels, 1 for arrays)")
      ->type_name("X")
      ->check(CLI::PositiveNumber);
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

void add_activity(CLI::App& command, std::vector<std::string>& factors) {
  command
      .add_option("--activity", factors,
                  "Mode analytic without images: an activity factor, name=share (repeatable; "
                  "sim/analytic/README.md), "
                  "or `measured` on random images")
      ->type_name("NAME=X")
      ->allow_extra_args(false);
}

analytic::ActivityFactors read_activity(const std::vector<std::string>& factors) {
  analytic::ActivityFactors activity;
  std::vector<base::Problem> problems;
  std::string names;
  for (const analytic::NamedFactor& factor : analytic::kFactors)
    names.append(names.empty() ? "" : ", ").append(factor.name);
  for (const std::string& text : factors) {
    const std::size_t equals = std::min(text.find('='), text.size());
    const auto* found =
        std::find_if(std::begin(analytic::kFactors), std::end(analytic::kFactors),
                     [&](const auto& factor) { return text.substr(0, equals) == factor.name; });
    double share = -1;
    if (found == std::end(analytic::kFactors)) {
      problems.push_back({"--activity " + text, "is no factor", names, ""});
    } else if (!CLI::detail::lexical_cast(text.substr(std::min(equals + 1, text.size())), share) ||
               !(share >= 0 && share <= 1)) {
      problems.push_back({"--activity " + text, "is no share", std::string(found->name) + "=0 to 1", ""});
    } else {
      activity.*found->member = share;
    }
  }
  if (!problems.empty()) throw base::UsageError(std::move(problems));
  return activity;
}

void add_memory(CLI::App& command, std::int64_t& bytes) {
  bytes = base::kDefaultMemory;
  command
      .add_option(
          "--max-memory", bytes,
          fmt::format("Refuse what needs more memory; bytes, or with a unit: 500MiB, 16GiB (default: {})",
                      base::print_memory(base::kDefaultMemory)))
      ->type_name("SIZE")
      ->transform(CLI::AsSizeValue(false).description(""))
      ->check(CLI::Range(base::kLeastMemory, std::int64_t{1} << 50).description(""));
}

std::shared_ptr<void> limit_memory(std::int64_t bytes) {
  return std::make_shared<base::MemoryLimit>(bytes);
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
