// SPDX-License-Identifier: Apache-2.0
#include "tools/bitline/help_topics.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <functional>
#include <set>

#include "models/arch/arch_loader.h"
#include "models/base/edit_distance.h"
#include "sim/result/result.h"
#include "sim/result/text.h"
#include "tools/bitline/checks.h"
#include "tools/bitline/commands.h"
#include "tools/bitline/help_result.h"
#include "tools/bitline/wrap.h"

namespace bitline::cli {
namespace {

constexpr std::size_t kWidth = result::kReportWidth;
constexpr std::size_t kIndent = 6;

/// A name, and below it an indented text.
std::string entry(const std::string& name, const std::string& text) {
  return fmt::format("  {}\n{}\n", name, wrapped(text, kWidth, kIndent));
}

std::string paragraph(std::string_view text) {
  return wrapped(text, kWidth) + "\n";
}

/// Runs `visit` on every key of a machine file.
void each_key(const std::function<void(const base::Field&)>& visit) {
  arch::Arch defaults;
  const base::Schema schema = arch::schema(defaults);
  for (const base::Field& field : schema.fields()) visit(field);
}

std::string key_text(const base::Field& field) {
  const std::string units = base::units_of(field.dimension);
  const std::string type = field.type + (units.empty() ? "" : " (" + units + ")");
  const std::string value = field.get();
  return entry(field.key, field.doc) +
         wrapped(
             fmt::format("{}; allowed: {}; default: {}", type, field.allowed, value.empty() ? "none" : value),
             kWidth, kIndent) +
         "\n";
}

bool below(const std::string& key, const std::string& section) {
  return key == section || key.starts_with(section + ".");
}

/// The keys of a section, or one key.
std::string section_text(const std::string& section) {
  std::string out;
  each_key([&](const base::Field& field) {
    if (below(field.key, section)) out += key_text(field);
  });
  return out;
}

/// First parts of keys: "adc", "crossbar", ...
std::vector<std::string> sections() {
  std::vector<std::string> names;
  each_key([&](const base::Field& field) {
    const std::string name = field.key.substr(0, field.key.find('.'));
    if (field.key != name && std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(name);
  });
  return names;
}

std::string arch_text() {
  std::string names;
  for (const std::string& name : sections()) names += (names.empty() ? "" : ", ") + name;
  return paragraph(
             "An architecture is a YAML file of keys in sections. Every value with a dimension carries its "
             "unit (help units); any "
             "value may say where it comes from: {value: 100 ns, source: the paper, table 1}. A key that is "
             "not given has its "
             "default; --set KEY=VALUE overrides a file; an unknown key is an error.") +
         "\n" + paragraph("Sections: " + names + ".") + "\n" +
         paragraph(
             "`bitline help SECTION` or `bitline help KEY` shows keys with meaning, type, range and default; "
             "`bitline check "
             "FILE` checks a file; `bitline check --reference` prints all keys.");
}

std::string units_text() {
  std::string out = paragraph(
                        "Values with a dimension carry one of its units; a bare number is an error. KB is "
                        "1000 bytes, KiB 1024.") +
                    "\n";
  for (int d = 0; d <= static_cast<int>(base::Dimension::length); ++d) {
    const auto dimension = static_cast<base::Dimension>(d);
    if (const std::string units = base::units_of(dimension); !units.empty())
      out += fmt::format("  {:<12}{}\n", base::to_string(dimension), wrapped(units, kWidth, 14).substr(14));
  }
  return out + "\n" +
         paragraph(
             "Results are in SI units, which the ends of their keys name (_s, _j, _w); areas are in mm2.");
}

std::string result_text(const std::string& prefix) {
  std::string out;
  for (const ResultKey& key : result_keys()) {
    const bool here = prefix.empty() || key.path == prefix || key.path.starts_with(prefix + ".") ||
                      key.path.starts_with(prefix + "[]");
    if (!here) continue;
    const std::string name = fmt::format("{}: {}", key.path, key.type);
    out += key.description.empty() ? "  " + name + "\n" : entry(name, key.description);
  }
  return out;
}

std::string results_text() {
  return paragraph(
             "bitline run --out DIR writes result.json with the keys below, layers.csv and components.csv; "
             "--json prints the same "
             "tree. bitline report makes pages, tables and figures of it, bitline compare puts runs side by "
             "side.") +
         "\n" + result_text("");
}

std::string exit_codes_text() {
  std::string out;
  using enum base::ExitCode;
  for (const base::ExitCode code : {ok, usage, config, network, mapping, simulation, timeout})
    out += fmt::format("  {}  {}\n", static_cast<int>(code), meaning(code));
  return out + "\n" +
         paragraph(
             "An error is one line per problem on standard error: where, what was given, what is allowed, "
             "what to do.");
}

std::string option_text(const CLI::App& app, const std::string& command, const std::string& name) {
  std::string text = app.get_subcommand(command)->get_option(name)->get_description();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

struct Topic {
  const char* name;
  const char* about;
  std::function<std::string(const CLI::App&)> text;
};

const std::vector<Topic>& topics() {
  static const std::vector<Topic> kTopics = {
      {"arch", "the file that describes a machine", [](const CLI::App&) { return arch_text(); }},
      {"environment", "variables that the program reads",
       [](const CLI::App&) {
         return entry("BITLINE_PYTHON",
                      "the Python 3 with matplotlib that draws figures (bitline report --figures)") +
                entry("BITLINE", "the program that the Python package and the tests call") +
                entry("NO_COLOR", "has nothing to do: nothing is coloured");
       }},
      {"exit-codes", "what the program returns", [](const CLI::App&) { return exit_codes_text(); }},
      {"modes", "how time is found",
       [](const CLI::App& app) {
         return paragraph("--mode: " + option_text(app, "run", "--mode") + ".") + "\n" +
                paragraph(
                    "cycle and structural give equal cycles, outputs and action counts; `bitline fidelity` "
                    "tells how near "
                    "analytic comes.");
       }},
      {"operators", "of ONNX, that networks may use",
       [](const CLI::App&) { return paragraph(operator_list()); }},
      {"quantisation", "bits and scales of weights and activations",
       [](const CLI::App&) {
         return paragraph(
                    "Weights and activations become integers by the keys below; a network with "
                    "QuantizeLinear or QLinear nodes "
                    "brings its own scales. `bitline quantize` writes such a network.") +
                "\n" + section_text("precision");
       }},
      {"results", "the keys of result.json", [](const CLI::App&) { return results_text(); }},
      {"units", "of values in machine files", [](const CLI::App&) { return units_text(); }},
  };
  return kTopics;
}

std::vector<const CLI::App*> visible_commands(const CLI::App& app) {
  std::vector<const CLI::App*> all;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    if (!command->get_group().empty()) all.push_back(command);
  return all;
}

std::string overview(const CLI::App& app) {
  std::string out = "Topics (bitline help TOPIC):\n";
  for (const Topic& topic : topics()) out += fmt::format("  {:<14}{}\n", topic.name, topic.about);
  std::string names, commands;
  for (const std::string& name : sections()) names += (names.empty() ? "" : ", ") + name;
  for (const CLI::App* command : visible_commands(app))
    commands += (commands.empty() ? "" : ", ") + command->get_name();
  return out + "\n" +
         paragraph("Sections of a machine, or one key (bitline help adc.resolution.policy): " + names + ".") +
         "\n" + paragraph("Keys of a result, such as latency_s or layers[].slices.") + "\n" +
         paragraph("Commands: " + commands + ".");
}

/// A key of a result without its brackets: "layers.slices".
std::string plain(std::string path) {
  for (std::size_t at; (at = path.find("[]")) != std::string::npos;) path.erase(at, 2);
  return path;
}

std::string nearest(const CLI::App& app, const std::string& name) {
  std::string best;
  std::size_t distance = std::max<std::size_t>(2, name.size() / 3) + 1;
  for (const std::string& known : topic_names(app)) {
    const std::size_t d = base::edit_distance(name, known, distance);
    if (d >= distance) continue;
    best = known;
    distance = d;
  }
  return best;
}

}  // namespace

std::vector<std::string> topic_names(const CLI::App& app) {
  std::set<std::string> names;
  for (const Topic& topic : topics()) names.insert(topic.name);
  for (const CLI::App* command : visible_commands(app)) names.insert(command->get_name());
  each_key([&](const base::Field& field) {
    names.insert(field.key);
    for (std::size_t dot = field.key.find('.'); dot != std::string::npos; dot = field.key.find('.', dot + 1))
      names.insert(field.key.substr(0, dot));
  });
  for (const ResultKey& key : result_keys()) names.insert(plain(key.path));
  return {names.begin(), names.end()};
}

std::string topic_text(const CLI::App& app, const std::string& name) {
  if (name.empty()) return overview(app);
  for (const Topic& topic : topics())
    if (name == topic.name || (name == "quantization" && std::string(topic.name) == "quantisation"))
      return topic.text(app);
  // A section comes before the command of its name (adc), which has a --help of its own.
  std::string out = section_text(name);
  for (const CLI::App* command : visible_commands(app))
    if (command->get_name() == name)
      out = out.empty() ? command->help(app.get_name()) : out + "\nSee also: bitline " + name + " --help\n";
  if (!out.empty()) return out;
  for (const ResultKey& key : result_keys())
    if (plain(key.path) == plain(name)) return result_text(key.path);
  const std::string known = nearest(app, name);
  throw base::UsageError(
      base::Problem{"bitline help", fmt::format("no topic '{}'", name), "",
                    known.empty() ? "bitline help lists all" : fmt::format("did you mean '{}'?", known)});
}

}  // namespace bitline::cli
