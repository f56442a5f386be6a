// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <memory>
#include <nlohmann/json.hpp>

#include "models/base/config_tree.h"
#include "models/base/files.h"
#include "sim/quantize_network.h"
#include "sim/result/text.h"
#include "tools/bitline/commands.h"

namespace bitline::cli {
namespace {

using Json = nlohmann::ordered_json;

/// Where no machine is given: only its precision is read, so registers just have to be large enough.
constexpr const char* kPrecision =
    "precision: {weights: {bits: 8}, activations: {bits: 8}}\n"
    "ima: {output_register: {capacity: 64 KiB}}\n";

struct QuantizeOptions {
  sim::QuantizeRequest request;
  std::string arch, file;
  std::vector<std::string> overrides;
  int bits = 0, weights = 0, activations = 0;
  std::vector<std::string> layers;
  bool per_channel = false, per_tensor = false, json = false, quiet = false;
  std::string scheme, method;
  double percentile = 0;
  int threads = 0;
  std::int64_t memory = 0;
};

/// NAME:W:A as a row of precision.layers.
std::string layer_row(const std::string& text) {
  const std::size_t second = text.rfind(':');
  const std::size_t first = second == std::string::npos || second == 0 ? second : text.rfind(':', second - 1);
  if (first == std::string::npos || first == 0)
    throw base::UsageError(
        base::Problem{"--layer", text, "NAME:WEIGHTS:ACTIVATIONS, for example conv1:4:6", ""});
  return fmt::format("{{layer: {}, weights: {}, activations: {}}}", base::yaml_scalar(text.substr(0, first)),
                     text.substr(first + 1, second - first - 1), text.substr(second + 1));
}

/// The options as overrides of the machine's keys, which check them.
std::vector<std::string> overrides(const QuantizeOptions& options) {
  std::vector<std::string> sets = options.overrides;
  const auto set = [&](const std::string& key, const auto& value) {
    sets.push_back(fmt::format("precision.{}={}", key, value));
  };
  const int weights = options.weights > 0 ? options.weights : options.bits;
  const int activations = options.activations > 0 ? options.activations : options.bits;
  if (weights > 0) set("weights.bits", weights);
  if (activations > 0) set("activations.bits", activations);
  if (!options.scheme.empty()) set("weights.scheme", options.scheme);
  const bool whole = options.per_tensor || (options.scheme == "dynamic_fixed_point" && !options.per_channel);
  if (whole || options.per_channel) set("weights.granularity", whole ? "per_tensor" : "per_channel");
  if (!options.method.empty()) {
    set("activations.calibration", options.method);
    if (options.method == "mse") set("weights.calibration", "mse");
  }
  if (options.percentile > 0) set("activations.percentile", options.percentile);
  std::string rows;
  for (const std::string& layer : options.layers) rows += (rows.empty() ? "" : ", ") + layer_row(layer);
  if (!rows.empty()) set("layers", "[" + rows + "]");
  return sets;
}

arch::PrecisionParams precision(const QuantizeOptions& options) {
  if (options.percentile > 0 && options.method != "percentile")
    throw base::UsageError(
        base::Problem{"--percentile", "given without --method percentile", "", "give both or neither"});
  const std::vector<std::string> sets = overrides(options);
  return (options.arch.empty() ? arch::parse_arch(kPrecision, "8 bits", sets)
                               : arch::load_arch(options.arch, sets))
      .arch.precision;
}

std::string to_json(const sim::QuantizedNetwork& network, const std::string& file) {
  Json json = {{"file", file}, {"bytes", network.model.size()}, {"layers", Json::array()}};
  for (const sim::QuantizedLayer& layer : network.layers)
    json["layers"].push_back({{"name", layer.name},
                              {"op", layer.op},
                              {"weight_bits", layer.weight_bits},
                              {"weight_scale", layer.weight_scale},
                              {"weights", layer.weights},
                              {"saturated", layer.saturated},
                              {"weight_error", layer.weight_error},
                              {"activation_bits", layer.activation_bits},
                              {"activation_signed", layer.activation_signed},
                              {"activation_scale", layer.activation_scale}});
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string to_text(const sim::QuantizedNetwork& network, const std::string& file) {
  result::Table table({"layer", "op", "weights", "scale", "error", "held", "input", "scale"}, 2);
  for (const sim::QuantizedLayer& layer : network.layers)
    table.add({layer.name, layer.op, fmt::format("{} bits", layer.weight_bits),
               fmt::format("{:.3e}", layer.weight_scale), fmt::format("{:.2f} %", 100 * layer.weight_error),
               result::count(layer.saturated),
               fmt::format("{}{}", layer.activation_signed ? "int" : "uint", layer.activation_bits),
               fmt::format("{:.3e}", layer.activation_scale)});
  return table.str() + fmt::format(
                           "\nscale of weights: the largest of the layer; error: of the weights, rms; held:\n"
                           "beyond the range\n"
                           "{}: {} bytes\n",
                           file, result::count(static_cast<std::int64_t>(network.model.size())));
}

void add_options(CLI::App& command, QuantizeOptions& options) {
  sim::QuantizeRequest& request = options.request;
  command.add_option("network", request.network, "Network (ONNX)")->required()->type_name("FILE");
  command
      .add_option("--calibrate", request.calibration,
                  "Images that the scales follow from, as --input of a run")
      ->required()
      ->type_name("PATH");
  command.add_option("--out", options.file, "The quantised network (ONNX)")->required()->type_name("FILE");
  command.add_option("--arch", options.arch, "Architecture (YAML): its precision (default: 8 bits)")
      ->type_name("FILE");
  add_overrides(command, options.overrides);
  const CLI::Range bits(1, 16);
  command.add_option("--bits", options.bits, "Of weights and activations")->type_name("N")->check(bits);
  command.add_option("--weights", options.weights, "Bits of weights")->type_name("N")->check(bits);
  command.add_option("--activations", options.activations, "Bits of activations")
      ->type_name("N")
      ->check(bits);
  command
      .add_option("--layer", options.layers, "Bits of one layer's weights and input, NAME:W:A (repeatable)")
      ->type_name("NAME:W:A")
      ->allow_extra_args(false);
  auto* channel = command.add_flag("--per-channel", options.per_channel, "A weight scale for each output");
  command.add_flag("--per-tensor", options.per_tensor, "One weight scale for each layer")->excludes(channel);
  command.add_option("--scheme", options.scheme, "Of weights")
      ->type_name("NAME")
      ->check(CLI::IsMember({"symmetric", "dynamic_fixed_point"}));
  command
      .add_option("--method", options.method, "What scales cover: all values, most, or least squared error")
      ->type_name("NAME")
      ->check(CLI::IsMember({"minmax", "percentile", "mse"}));
  command.add_option("--percentile", options.percentile, "Of --method percentile (default: 99.99)")
      ->type_name("P")
      ->check(CLI::Range(50.0, 100.0));
  command.add_option("--mean", request.normalisation.mean, "As of a run")->type_name("X,..")->delimiter(',');
  command.add_option("--std", request.normalisation.deviation, "As of a run")
      ->type_name("X,..")
      ->delimiter(',');
  command.add_option("--scale", request.normalisation.scale, "As of a run")
      ->type_name("X")
      ->check(CLI::PositiveNumber);
  add_dimensions(command, request.dimensions);
  add_threads(command, options.threads);
  add_memory(command, options.memory);
  command.add_flag("--json", options.json, "Print JSON");
  add_quiet(command, options.quiet);
}

}  // namespace

void add_quantize(CLI::App& app, const Streams& streams) {
  CLI::App& command = *app.add_subcommand("quantize", "Write a network as a QDQ model for any runtime");
  const auto options = std::make_shared<QuantizeOptions>();
  add_options(command, *options);
  using enum base::ExitCode;
  command.footer("\n" + footer({"bitline quantize workloads/digits-cnn.onnx --out digits.qdq.onnx \\",
                                "    --calibrate workloads/digits-calibration-x.npy",
                                "bitline quantize workloads/digits-cnn.onnx --out digits.qdq.onnx \\",
                                "    --calibrate workloads/digits-calibration-x.npy --bits 6 \\",
                                "    --method mse --layer conv1:6:4"},
                               {ok, usage, config, network}));
  command.callback([options, streams] {
    const auto limit = limit_threads(options->threads);
    const auto memory = limit_memory(options->memory);
    options->request.precision = precision(*options);
    const sim::QuantizedNetwork network = sim::quantize_network(options->request);
    base::write_file_atomically(options->file, network.model);
    if (options->json)
      streams.out << to_json(network, options->file);
    else if (!options->quiet)
      streams.out << to_text(network, options->file);
  });
}

}  // namespace bitline::cli
