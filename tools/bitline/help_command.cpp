// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include <memory>

#include "tools/bitline/commands.h"
#include "tools/bitline/help_topics.h"

namespace bitline::cli {

void add_help(CLI::App& app, const Streams& streams) {
  CLI::App& command = *app.add_subcommand("help", "A topic, a key of a machine or result, a command");
  const auto topic = std::make_shared<std::string>();
  command.add_option("topic", *topic, "What to explain (default: lists the topics)")->type_name("TOPIC");
  using enum base::ExitCode;
  command.footer("\n" + footer({"bitline help", "bitline help units", "bitline help adc.resolution",
                                "bitline help layers.stalls_s", "bitline help run"},
                               {ok, usage}));
  command.callback([topic, streams, &app] { streams.out << topic_text(app, *topic); });
}

}  // namespace bitline::cli
