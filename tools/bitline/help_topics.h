// SPDX-License-Identifier: Apache-2.0
// `bitline help TOPIC`: texts made from what the program already knows (commands, the machine's schema, the
// result's schema), with a few lines around them.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

namespace bitline::cli {

/// Everything that `bitline help` takes: commands, topics, sections and keys of a machine, keys of a result.
[[nodiscard]] std::vector<std::string> topic_names(const CLI::App& app);

/// The text of a command, topic, section or key, at most 80 columns wide; of an empty name the list of
/// topics. Throws base::UsageError with the nearest name for an unknown one.
[[nodiscard]] std::string topic_text(const CLI::App& app, const std::string& name);

}  // namespace bitline::cli
