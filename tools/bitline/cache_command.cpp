// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "models/base/errors.h"
#include "tools/bitline/commands.h"
#include "tools/bitline/log.h"
#include "tools/oracle/cache.h"

namespace bitline::cli {
namespace {

struct CacheOptions {
  std::string path;
  bool clear = false;
  bool json = false, quiet = false;
};

void run_cache(const CacheOptions& options, const Streams& streams) {
  // Looking makes no file.
  if (!std::filesystem::exists(options.path))
    throw base::UsageError({options.path, "is missing", "a file that --cache has made", ""});
  oracle::Cache cache(options.path, [&](const std::string& text) { Log(streams, false).warn(text); });
  if (options.clear) cache.clear();
  const oracle::Cache::Contents contents = cache.contents();
  if (options.json) {
    streams.out << nlohmann::ordered_json{{"answers", contents.answers}, {"bytes", contents.file_bytes}}.dump(
                       2)
                << "\n";
  } else if (!options.quiet || !options.clear) {
    streams.out << fmt::format("{}: {} answers, {} bytes\n", options.path, contents.answers,
                               contents.file_bytes);
  }
}

}  // namespace

void add_cache(CLI::App& app, const Streams& streams) {
  CLI::App& command = *app.add_subcommand("cache", "What the oracle has kept in a file, or forget it");
  const auto options = std::make_shared<CacheOptions>();
  command.add_option("file", options->path, "A file of --cache")->required()->type_name("FILE");
  command.add_flag("--clear", options->clear, "Forget all answers first");
  command.add_flag("--json", options->json, "Print JSON");
  add_quiet(command, options->quiet);
  using enum base::ExitCode;
  command.footer("\n" + footer({"bitline cache costs.db", "bitline cache --clear costs.db"}, {ok, usage}));
  command.callback([options, streams] { run_cache(*options, streams); });
}

}  // namespace bitline::cli
