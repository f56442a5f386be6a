// SPDX-License-Identifier: Apache-2.0
#include "tools/bitline/completion.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <set>

#include "models/arch/arch_loader.h"
#include "models/base/errors.h"
#include "tools/bitline/help_topics.h"
#include "workloads/networks.h"

namespace bitline::cli {
namespace {

/// The words of a line; the last one, which may be empty, is where the cursor is.
std::vector<std::string> split(std::string_view line) {
  std::vector<std::string> words = {""};
  char quote = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote == 0 && (c == ' ' || c == '\t' || c == '\n')) {
      if (!words.back().empty()) words.emplace_back();
    } else if (quote == 0 && (c == '"' || c == '\'')) {
      quote = c;
    } else if (c == quote) {
      quote = 0;
    } else if (c == '\\' && quote != '\'' && i + 1 < line.size()) {
      words.back() += line[++i];
    } else {
      words.back() += c;
    }
  }
  return words;
}

/// "a, b, c" or "{a,b,c}".
std::set<std::string> listed(std::string_view text) {
  std::set<std::string> items;
  std::string item;
  for (const char c : text) {
    if (c == ',' || c == '{' || c == '}') {
      if (!item.empty()) items.insert(item);
      item.clear();
    } else if (c != ' ') {
      item += c;
    }
  }
  if (!item.empty()) items.insert(item);
  return items;
}

std::vector<const CLI::App*> commands(const CLI::App& app) {
  std::vector<const CLI::App*> all;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    if (!command->get_group().empty()) all.push_back(command);
  return all;
}

bool takes_value(const CLI::Option& option) {
  return option.get_items_expected_max() > 0;
}

const CLI::Option* option_of(const CLI::App& app, const std::string& word) {
  return word.starts_with("-") ? app.get_option_no_throw(word) : nullptr;
}

/// Keys with "=", or behind it what the key may be.
std::set<std::string> settings(const std::string& word) {
  arch::Arch machine;
  const base::Schema schema = arch::schema(machine);
  std::set<std::string> found;
  const std::size_t equals = word.find('=');
  if (equals == std::string::npos) {
    for (const base::Field& field : schema.fields()) found.insert(field.key + "=");
    return found;
  }
  const base::Field* field = schema.find(word.substr(0, equals));
  if (field == nullptr) return found;
  if (field->type == "choice")
    for (const std::string& value : listed(field->allowed)) found.insert(field->key + "=" + value);
  if (field->type == "flag" || field->allowed == "true, false")
    for (const char* value : {"true", "false"}) found.insert(field->key + "=" + value);
  return found;
}

/// What an option may be set to, where its check tells.
std::set<std::string> values(CLI::Option& option, const std::string& word) {
  if (option.get_name() == "--set") return settings(word);
  for (int i = 0;; ++i) {
    try {
      const std::string description = option.get_validator(i)->get_description();
      if (description.starts_with("{")) return listed(description);
    } catch (const CLI::OptionNotFound&) {
      return {};
    }
  }
}

/// Words that are no option: commands below `app`, else what its first argument may be.
std::set<std::string> arguments(const CLI::App& app, const CLI::App& root) {
  std::set<std::string> found;
  for (const CLI::App* command : commands(app)) found.insert(command->get_name());
  if (app.get_name() == "help")
    for (const std::string& topic : topic_names(root)) found.insert(topic);
  if (app.get_name() == "make")
    for (const workloads::Workload& workload : workloads::list()) found.insert(workload.name);
  if (app.get_name() == "completion") found = {"bash", "fish", "zsh"};
  return found;
}

std::set<std::string> options(const CLI::App& app) {
  std::set<std::string> found;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) found.insert("--" + name);
  return found;
}

constexpr const char* kBash =
    R"SH(# bash completion of bitline; source it, or put it into /etc/bash_completion.d
_bitline() {
  local IFS=$'\n' cur=${COMP_LINE:0:COMP_POINT}
  COMPREPLY=($("${COMP_WORDS[0]}" completion words --line "$cur" 2>/dev/null))
  cur=${cur##*[[:space:]]}
  # bash replaces only what follows the last "=" of a word.
  if [[ $cur == *=* && $COMP_WORDBREAKS == *=* ]]; then
    COMPREPLY=("${COMPREPLY[@]#"${cur%=*}="}")
  fi
  if [[ ${COMPREPLY[0]-} == *= ]]; then compopt -o nospace 2>/dev/null; fi
}
complete -o default -F _bitline bitline
)SH";

constexpr const char* kZsh = R"SH(#compdef bitline
# zsh completion of bitline; source it, or put it as _bitline into a folder of $fpath
_bitline() {
  local -a found
  found=(${(f)"$("${words[1]}" completion words --line "${(j: :)words[1,CURRENT]}" 2>/dev/null)"})
  if (( ! ${#found} )); then
    _files
  elif [[ ${found[1]} == *= ]]; then
    compadd -S '' -a found
  else
    compadd -a found
  fi
}
if [[ ${funcstack[1]} == _bitline ]]; then _bitline "$@"; else compdef _bitline bitline; fi
)SH";

constexpr const char* kFish =
    R"SH(# fish completion of bitline; source it, or put it into ~/.config/fish/completions
function __bitline_words
  set -l found (bitline completion words --line (commandline -cp | string collect) 2>/dev/null)
  if test (count $found) -gt 0
    printf '%s\n' $found
  else
    __fish_complete_path (commandline -ct)
  end
end
complete -c bitline -f -a '(__bitline_words)'
)SH";

}  // namespace

std::vector<std::string> complete(const CLI::App& app, std::string_view line) {
  const std::vector<std::string> words = split(line);
  const std::string& last = words.back();
  const CLI::App* at = &app;
  const CLI::Option* waiting = nullptr;  // an option whose value comes next
  for (std::size_t i = 1; i + 1 < words.size(); ++i) {
    if (waiting != nullptr) {
      waiting = nullptr;
    } else if (const CLI::Option* option = option_of(*at, words[i])) {
      waiting = takes_value(*option) ? option : nullptr;
    } else {
      const std::vector<const CLI::App*> below = commands(*at);
      const auto found = std::find_if(below.begin(), below.end(), [&](const CLI::App* command) {
        return command->get_name() == words[i];
      });
      if (found != below.end()) at = *found;
    }
  }
  const std::set<std::string> all = words.size() < 2        ? std::set<std::string>{}
                                    : waiting != nullptr    ? values(const_cast<CLI::Option&>(*waiting), last)
                                    : last.starts_with("-") ? options(*at)
                                                            : arguments(*at, app);
  std::vector<std::string> fitting;
  for (const std::string& word : all)
    if (word.starts_with(last)) fitting.push_back(word);
  return fitting;
}

std::string completion_script(std::string_view shell) {
  if (shell == "bash") return kBash;
  if (shell == "zsh") return kZsh;
  BITLINE_CHECK(shell == "fish");
  return kFish;
}

}  // namespace bitline::cli
