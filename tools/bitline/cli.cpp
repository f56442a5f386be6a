// SPDX-License-Identifier: Apache-2.0
#include "tools/bitline/cli.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <new>

#include "models/base/edit_distance.h"
#include "sim/result/result.h"
#include "sim/result/text.h"
#include "tools/bitline/commands.h"
#include "tools/bitline/wrap.h"

namespace bitline::cli {
namespace {

constexpr std::size_t kHelpColumn = 28;
/// Letters by which a mistyped command may be off.
constexpr std::size_t kMistyped = 2;

int code(base::ExitCode c) {
  return static_cast<int>(c);
}

/// One line per problem.
int fail(const base::Error& error, const Streams& streams) {
  for (const base::Problem& problem : error.problems())
    streams.err << "bitline: error: " << problem.str() << "\n";
  return code(error.code());
}

int internal_error(const char* what, const Streams& streams) {
  streams.err << "bitline: internal error: " << what
              << "; please report this with the command and its files\n";
  return code(base::ExitCode::simulation);
}

void declare(CLI::App& app, const Streams& streams) {
  app.description(
      "Bitline: cycle-level simulation of ReRAM crossbar accelerators.\n"
      "Reads an ONNX network and a YAML machine; reports outputs, latency, energy and\narea.");
  app.set_version_flag("--version", std::string("bitline ") + result::version());
  app.require_subcommand(1);
  app.get_formatter()->column_width(kHelpColumn);
  add_run(app, streams);
  add_infer(app, streams);
  add_map(app, streams);
  add_slices(app, streams);
  add_adc(app, streams);
  add_show(app, streams);
  add_quantize(app, streams);
  add_check(app, streams);
  add_fidelity(app, streams);
  add_lut(app, streams);
  add_oracle(app, streams);
  add_cache(app, streams);
  add_report(app, streams);
  add_sweep(app, streams);
  add_workload(app, streams);

  add_compare(app, streams);
  add_completion(app, streams);
  add_help(app, streams);
  app.footer("\n" + footer({"bitline run --arch configs/isaac-8bit.yaml \\",
                            "    --network workloads/digits-cnn.onnx", "bitline run --help"},
                           {base::ExitCode::ok, base::ExitCode::usage, base::ExitCode::config,
                            base::ExitCode::network, base::ExitCode::mapping, base::ExitCode::simulation,
                            base::ExitCode::timeout}));
}

/// A script may give --quiet to every command that computes; those that have not taken it write nothing but
/// their result.
void accept_quiet(CLI::App& app) {
  for (CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    const std::string name = command->get_name();
    if (name == "completion" || name == "help") continue;
    if (!command->get_subcommands([](const CLI::App*) { return true; }).empty()) {
      accept_quiet(*command);
    } else if (command->get_option_no_throw("--quiet") == nullptr) {
      command->add_flag("--quiet")->description("Nothing but the result, as without it");
    }
  }
}

void wrap_descriptions(CLI::App& app) {
  for (CLI::Option* option : app.get_options())
    option->description(wrapped(option->get_description(), result::kReportWidth - kHelpColumn));
  for (CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    wrap_descriptions(*command);
}

/// CLI11 would only say that a subcommand is required.
void check_command(const CLI::App& app, const std::string& name) {
  if (name.starts_with("-")) return;
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(command->get_name());
  if (std::find(names.begin(), names.end(), name) != names.end()) return;
  const auto near = std::find_if(names.begin(), names.end(), [&](const std::string& known) {
    return base::edit_distance(name, known, kMistyped) <= kMistyped;
  });
  throw base::UsageError(base::Problem{app.get_name(), fmt::format("unknown command '{}'", name),
                                       fmt::format("{}", fmt::join(names, ", ")),
                                       near == names.end() ? "" : fmt::format("did you mean '{}'?", *near)});
}

int parse_and_run(const std::vector<std::string>& arguments, const Streams& streams) {
  CLI::App app("", "bitline");
  declare(app, streams);
  accept_quiet(app);
  wrap_descriptions(app);
  if (!arguments.empty()) check_command(app, arguments.front());
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // as CLI11 wants them
  try {
    app.parse(reversed);
  } catch (const CLI::Success& wish) {  // --help, --version
    app.exit(wish, streams.out, streams.err);
  } catch (const CLI::ParseError& error) {
    std::string text = error.what();
    std::replace(text.begin(), text.end(), '\n', ' ');
    const auto chosen = app.get_subcommands();
    streams.err << fmt::format("bitline: error: {}; see bitline{} --help\n", text,
                               chosen.empty() ? "" : " " + chosen.front()->get_name());
    return code(base::ExitCode::usage);
  }
  return code(base::ExitCode::ok);
}

/// Results that nobody could read are no success; a reader that went away (| head) is.
int check_output(const Streams& streams, int result) {
  errno = 0;
  streams.out.flush();
  if (streams.out.good() || errno == EPIPE || result != code(base::ExitCode::ok)) return result;
  streams.err << fmt::format("bitline: error: standard output: cannot be written: {}\n",
                             errno != 0 ? std::strerror(errno) : "write failed");
  return code(base::ExitCode::usage);
}

}  // namespace

int run(const std::vector<std::string>& arguments, const Streams& streams) {
  try {
    return check_output(streams, parse_and_run(arguments, streams));
  } catch (const Exit& exit) {
    return check_output(streams, code(exit.code));
  } catch (const base::Error& error) {
    return fail(error, streams);
  } catch (const std::bad_alloc&) {
    streams.err
        << "bitline: error: out of memory; raise --max-memory, or use a smaller network, fewer images or "
           "fewer threads\n";
    return code(base::ExitCode::simulation);
  } catch (const std::exception& error) {
    return internal_error(error.what(), streams);
  } catch (...) {
    return internal_error("unknown exception", streams);
  }
}

}  // namespace bitline::cli
