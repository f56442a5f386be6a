// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <memory>
#include <nlohmann/json.hpp>

#include "sim/result/text.h"
#include "sim/simulate.h"
#include "tools/bitline/commands.h"

namespace bitline::cli {
namespace {

struct InferOptions {
  sim::InferRequest request;
  int threads = 0;
  std::int64_t memory = 0;
  bool json = false;
};

std::string to_json(const sim::InferResult& r) {
  nlohmann::ordered_json json;
  json["images"] = r.images;
  json["outputs"] = nlohmann::ordered_json::array();
  for (const sim::InferResult::Output& output : r.outputs) {
    nlohmann::ordered_json entry = {{"name", output.name}, {"shape", output.shape}};
    if (!output.file.empty()) entry["file"] = output.file;
    json["outputs"].push_back(std::move(entry));
  }
  json["top1"] = r.top1;
  if (r.accuracy) json["float_top1"] = *r.accuracy;
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string to_text(const sim::InferResult& r) {
  std::string out = fmt::format("{} {} in float32\n", r.images, r.images == 1 ? "image" : "images");
  for (const sim::InferResult::Output& output : r.outputs)
    out += fmt::format("  output {}  {}{}\n", result::shortened(output.name, 30),
                       tensor::to_string(output.shape), output.file.empty() ? "" : "  in " + output.file);
  if (r.accuracy) out += fmt::format("  accuracy, top-1  {:.2f} %\n", 100 * *r.accuracy);
  return out;
}

}  // namespace

void add_infer(CLI::App& app, const Streams& streams) {
  CLI::App& command = *app.add_subcommand("infer", "Run a network in float32, without a chip");
  const auto options = std::make_shared<InferOptions>();
  sim::InferRequest& request = options->request;
  command.add_option("--network", request.network, "Network (ONNX)")->required()->type_name("FILE");
  add_dimensions(command, request.dimensions);
  add_image_options(command, {request.input, request.named_inputs}, request.labels, request.normalisation,
                    "");
  command.add_option("--dump-outputs", request.dump_outputs, "Write <output>.npy here")->type_name("DIR");
  add_threads(command, options->threads);
  add_memory(command, options->memory);
  command.add_flag("--json", options->json, "Print JSON");
  using enum base::ExitCode;
  command.footer("\n" + footer({"bitline infer --network workloads/digits-cnn.onnx \\",
                                "    --input workloads/digits-test-x.npy --dump-outputs out"},
                               {ok, usage, network}));
  command.callback([options, streams] {
    const auto limit = limit_threads(options->threads);
    const auto memory = limit_memory(options->memory);
    const sim::InferResult r = sim::infer(options->request);
    streams.out << (options->json ? to_json(r) : to_text(r));
  });
}

}  // namespace bitline::cli
