// SPDX-License-Identifier: Apache-2.0
// What may follow on a command line: read from the declared commands and the machine's schema, so that it
// never lags behind.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace bitline::cli {

/// The words that could stand in place of the last one of `line` ("bitline run --mo", without what follows
/// the cursor), in alphabetical order: commands, options, choices of an option, keys and values of --set (a
/// key ends with "="), names of workloads and topics. None where a file is meant, or nothing fits.
[[nodiscard]] std::vector<std::string> complete(const CLI::App& app, std::string_view line);

/// The text that a shell sources: "bash", "zsh" or "fish". It asks `bitline completion words`.
[[nodiscard]] std::string completion_script(std::string_view shell);

}  // namespace bitline::cli
