// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include <deque>
#include <future>
#include <iostream>
#include <memory>
#include <string>

#include "tools/bitline/commands.h"
#include "tools/bitline/log.h"
#include "tools/oracle/oracle.h"

namespace bitline::cli {
namespace {

struct OracleOptions {
  oracle::Request defaults;
  std::string fidelity = "analytic";
  std::string program, cache;
  int jobs = 1;
  std::int64_t memory = 0;
};

/// A longer request is an error; the rest of its line is not kept.
constexpr std::size_t kLongestLine = std::size_t{64} << 20;

/// The next line; one that is too long is cut off after one character more. False at the end.
bool read_line(std::istream& in, std::string& line) {
  using Traits = std::istream::traits_type;
  line.clear();
  std::streambuf& from = *in.rdbuf();
  Traits::int_type c = from.sbumpc();
  const bool more = c != Traits::eof();
  for (; c != Traits::eof() && c != '\n'; c = from.sbumpc())
    if (line.size() <= kLongestLine) line.push_back(Traits::to_char_type(c));
  return more;
}

std::string too_long() {
  const base::Problem problem{"request", "is longer than 64 MiB", "at most 67 108 864 bytes",
                              "give the path of a network"};
  return oracle::Json{{"error", oracle::error_json(base::ExitCode::usage, problem.str(), {problem})}}.dump();
}

/// Lines in, lines out in the same order, at most `jobs` at once.
void serve(const OracleOptions& options, const Streams& streams) {
  std::shared_ptr<oracle::Cache> cache;
  if (!options.cache.empty())
    cache = std::make_shared<oracle::Cache>(
        options.cache, [&streams](const std::string& text) { Log(streams, false).warn(text); });
  oracle::Oracle oracle(options.program.empty() ? oracle::own_program() : options.program, cache);
  std::deque<std::future<std::string>> pending;
  const auto write_first = [&] {
    streams.out << pending.front().get() << "\n" << std::flush;
    pending.pop_front();
  };
  for (std::string line; streams.out.good() && read_line(std::cin, line);) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const auto answer = [&oracle, &options, line] {
      return line.size() > kLongestLine ? too_long() : oracle.answer_line(line, options.defaults);
    };
    pending.push_back(std::async(options.jobs == 1 ? std::launch::deferred : std::launch::async, answer));
    // Waits where no further one may start, or where the asker may wait for the answer: nothing more to read.
    while (!pending.empty() &&
           (pending.size() >= static_cast<std::size_t>(options.jobs) || std::cin.rdbuf()->in_avail() <= 0))
      write_first();
  }
  while (!pending.empty()) write_first();
  streams.out.clear();  // the command line flushes once more, and finds why that fails
}

void run_oracle(OracleOptions& options, const Streams& streams) {
  options.defaults.fidelity = options.fidelity == "cycle"        ? oracle::Fidelity::cycle
                              : options.fidelity == "structural" ? oracle::Fidelity::structural
                                                                 : oracle::Fidelity::analytic;
  std::ios::sync_with_stdio(false);
  const auto memory = limit_memory(options.memory);
  serve(options, streams);
}

}  // namespace

void add_oracle(CLI::App& app, const Streams& streams) {
  CLI::App& command = *app.add_subcommand("oracle", "Costs by request: JSON lines in, JSON lines out");
  const auto options = std::make_shared<OracleOptions>();
  command.add_option("--arch", options->defaults.arch, "Architecture of requests that name none (YAML)")
      ->type_name("FILE");
  add_overrides(command, options->defaults.overrides);
  command
      .add_option("--fidelity", options->fidelity,
                  "Of requests that name none: analytic (default), cycle or structural")
      ->type_name("MODE")
      ->check(CLI::IsMember({"analytic", "cycle", "structural"}));
  command.add_option("--program", options->program, "The bitline that simulates (default: this one)")
      ->type_name("FILE");
  command.add_option("--jobs", options->jobs, "Requests worked on at once (default: 1)")
      ->type_name("N")
      ->check(CLI::Range(1, 1024).description(""));
  command
      .add_option(
          "--cache", options->cache,
          "Keep costs in this file (SQLite; made if missing) and answer from it what is known. Any number "
          "of processes can share it")
      ->type_name("FILE");
  add_memory(command, options->memory);
  using enum base::ExitCode;
  command.footer(
      "\nA request: {\"id\": 1, \"genotype\": \"DARTS_V2\", \"fidelity\": \"analytic\"}; keys\n"
      "and answers: tools/oracle/README.md. Errors are answers; the process ends\nwith its input.\n\n" +
      footer({"bitline oracle --arch configs/isaac-8bit.yaml < requests.jsonl",
              "echo '{\"network\": \"workloads/digits-cnn.onnx\"}' | \\",
              "    bitline oracle --arch configs/isaac.yaml --set adc.rate=2GS/s",
              "bitline oracle --arch configs/isaac.yaml --cache costs.db < requests.jsonl"},
             {ok, usage}));
  command.callback([options, streams] { run_oracle(*options, streams); });
}

}  // namespace bitline::cli
