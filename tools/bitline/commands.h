// SPDX-License-Identifier: Apache-2.0
// One function per subcommand: declares it with its options; its callback does the work and writes to the
// streams.
#pragma once

#include <CLI/App.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "models/base/errors.h"
#include "sim/analytic/activity.h"
#include "sim/images.h"
#include "sim/mapping.h"
#include "tools/bitline/cli.h"

namespace bitline::cli {

void add_adc(CLI::App& app, const Streams& streams);
void add_run(CLI::App& app, const Streams& streams);
void add_infer(CLI::App& app, const Streams& streams);
void add_lut(CLI::App& app, const Streams& streams);
void add_map(CLI::App& app, const Streams& streams);
void add_slices(CLI::App& app, const Streams& streams);
void add_show(CLI::App& app, const Streams& streams);
void add_quantize(CLI::App& app, const Streams& streams);
void add_check(CLI::App& app, const Streams& streams);
void add_cache(CLI::App& app, const Streams& streams);
void add_fidelity(CLI::App& app, const Streams& streams);
void add_oracle(CLI::App& app, const Streams& streams);
void add_report(CLI::App& app, const Streams& streams);
void add_sweep(CLI::App& app, const Streams& streams);
void add_workload(CLI::App& app, const Streams& streams);

void add_compare(CLI::App& app, const Streams& streams);
void add_completion(CLI::App& app, const Streams& streams);
void add_help(CLI::App& app, const Streams& streams);

/// --arch, --network, --set and --dim, as every command that maps has them.
void add_mapping_options(CLI::App& command, sim::MappingRequest& request);
void add_overrides(CLI::App& command, std::vector<std::string>& overrides);
void add_dimensions(CLI::App& command, std::vector<std::string>& dimensions);
/// --input, --labels, --mean, --std and --scale, as every command that reads images has them; an empty
/// `none` means that --input must be given, else it says what happens without it.
struct InputArguments {
  std::string& path;
  std::vector<std::string>& named;  ///< "name=file", instead of a path
};
void add_image_options(CLI::App& command, InputArguments input, std::string& labels,
                       sim::Normalisation& normalisation, const std::string& none);
/// --mean, --std and --scale alone.
void add_normalisation(CLI::App& command, sim::Normalisation& normalisation);
/// --threads; limit() applies it for as long as its result lives.
void add_threads(CLI::App& command, int& threads);
[[nodiscard]] std::shared_ptr<void> limit_threads(int threads);

/// --quiet: nothing but results and errors.
void add_quiet(CLI::App& command, bool& quiet);

/// --activity, as every command of mode analytic has it.
void add_activity(CLI::App& command, std::vector<std::string>& factors);
/// The defaults with "name=share" applied. Throws base::UsageError with every problem.
[[nodiscard]] analytic::ActivityFactors read_activity(const std::vector<std::string>& factors);

/// --max-memory; limit_memory() applies it for as long as its result lives.
void add_memory(CLI::App& command, std::int64_t& bytes);
[[nodiscard]] std::shared_ptr<void> limit_memory(std::int64_t bytes);

/// What an exit code says.
[[nodiscard]] const char* meaning(base::ExitCode code);

/// Examples and exit codes at the end of a subcommand's help.
[[nodiscard]] std::string footer(const std::vector<std::string>& examples,
                                 const std::vector<base::ExitCode>& codes);

/// An exit code for a command that reports failures itself.
struct Exit {
  base::ExitCode code;
};

}  // namespace bitline::cli
