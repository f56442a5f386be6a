// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "sim/result/text.h"
#include "sim/seen_sums.h"
#include "tools/bitline/commands.h"

namespace bitline::cli {
namespace {

using Json = nlohmann::ordered_json;

struct SlicesOptions {
  sim::MappingRequest request;
  std::string calibration;
  sim::Normalisation normalisation;
  int threads = 0;
  std::int64_t memory = 0;
  bool json = false;
};

/// The largest possible column sum of slice `s` over all row blocks, inputs at their maximum.
std::int64_t max_column_sum(const slice::SlicedLayer& sliced, std::size_t s) {
  std::int64_t largest = 0;
  for (const std::vector<std::int64_t>& block : sliced.max_column_sum) largest = std::max(largest, block[s]);
  return largest;
}

std::string to_json(const sim::Mapping& mapping) {
  Json layers = Json::array();
  for (std::size_t l = 0; l < mapping.sliced.size(); ++l) {
    Json slices = Json::array();
    const std::vector<slice::SliceStatistics> statistics = slice::statistics(*mapping.sliced[l]);
    for (std::size_t s = 0; s < statistics.size(); ++s)
      slices.push_back({{"width", statistics[s].width},
                        {"cells", statistics[s].cells},
                        {"nonzero", statistics[s].nonzero},
                        {"nonzero_ratio", statistics[s].nonzero_ratio()},
                        {"max_column_sum", max_column_sum(*mapping.sliced[l], s)},
                        {"adc_bits_needed", statistics[s].adc_bits_needed},
                        {"adc_bits", statistics[s].adc_bits}});
    layers.push_back({{"name", mapping.graph->node(mapping.quants[l]->node).name},
                      {"saturated_codes", mapping.quants[l]->weights.saturated},
                      {"slices", std::move(slices)}});
  }
  return Json{{"layers", std::move(layers)}}.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string to_text(const sim::Mapping& mapping) {
  result::Table table({"layer", "slice", "cell bits", "non-zero", "max column sum", "ADC needed", "ADC set"});
  std::int64_t saturated = 0;
  for (std::size_t l = 0; l < mapping.sliced.size(); ++l) {
    const std::vector<slice::SliceStatistics> statistics = slice::statistics(*mapping.sliced[l]);
    for (std::size_t s = 0; s < statistics.size(); ++s)
      table.add({s == 0 ? mapping.graph->node(mapping.quants[l]->node).name : "", std::to_string(s),
                 std::to_string(statistics[s].width), result::percent(statistics[s].nonzero_ratio()),
                 std::to_string(max_column_sum(*mapping.sliced[l], s)),
                 std::to_string(statistics[s].adc_bits_needed), std::to_string(statistics[s].adc_bits)});
    saturated += mapping.quants[l]->weights.saturated;
  }
  std::string out = table.str();
  out +=
      "\nslice 0 is the most significant; max column sum: all inputs at their maximum;\n"
      "ADC needed: bits with which no conversion clips; ADC set: bits by the machine's\n"
      "policy\n";
  if (saturated > 0) out += fmt::format("{} weight codes are saturated at the largest code\n", saturated);
  return out;
}

}  // namespace

void add_slices(CLI::App& app, const Streams& streams) {
  CLI::App& command = *app.add_subcommand("slices", "Bit-slice sparsity and ADC bits per layer and slice");
  const auto options = std::make_shared<SlicesOptions>();
  add_mapping_options(command, options->request);
  command
      .add_option("--calibrate", options->calibration,
                  "Images that set the activation scales, and the sums of adc.resolution.percentile_of: sums")
      ->type_name("PATH");
  add_normalisation(command, options->normalisation);
  add_threads(command, options->threads);
  add_memory(command, options->memory);
  command.add_flag("--json", options->json, "Print JSON");
  using enum base::ExitCode;
  command.footer("\n" + footer({"bitline slices --arch configs/bitslice-l1.yaml \\",
                                "    --network workloads/digits-mlp.onnx"},
                               {ok, usage, config, network}));
  command.callback([options, streams] {
    const auto limit = limit_threads(options->threads);
    const auto memory = limit_memory(options->memory);
    const sim::Mapping sliced =
        sim::slice_network(options->request, options->calibration, options->normalisation);
    streams.out << (options->json ? to_json(sliced) : to_text(sliced));
  });
}

}  // namespace bitline::cli
