// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include <memory>

#include "tools/bitline/commands.h"
#include "tools/bitline/completion.h"

namespace bitline::cli {

void add_completion(CLI::App& app, const Streams& streams) {
  CLI::App& command = *app.add_subcommand("completion", "Commands, options and keys on Tab");
  struct Options {
    std::string shell, line;
  };
  const auto options = std::make_shared<Options>();
  command.add_option("shell", options->shell, "bash, zsh or fish (words: what the scripts ask)")
      ->required()
      ->type_name("SHELL")
      ->check(CLI::IsMember({"bash", "zsh", "fish", "words"}).description(""));
  command.add_option("--line", options->line, "With words: print what could follow this command line")
      ->type_name("TEXT");
  using enum base::ExitCode;
  command.footer("\n" + footer({"source <(bitline completion bash)",
                                "bitline completion bash > /etc/bash_completion.d/bitline",
                                "bitline completion zsh > ~/.zfunc/_bitline",
                                "bitline completion fish > ~/.config/fish/completions/bitline.fish"},
                               {ok, usage}));
  command.callback([options, streams, &app] {
    if (options->shell == "words") {
      for (const std::string& word : complete(app, options->line)) streams.out << word << "\n";
      return;
    }
    streams.out << completion_script(options->shell);
  });
}

}  // namespace bitline::cli
