// SPDX-License-Identifier: Apache-2.0
// How long the report of a run takes, from result.json to the written page. The result is that of resnet50 by
// mode analytic, made once.
//   build/release/bin/report_bench
#include <benchmark/benchmark.h>

#include <filesystem>
#include <string>

#include "models/base/files.h"
#include "sim/result/json.h"
#include "sim/simulate.h"
#include "tools/report/run_report.h"
#include "workloads/networks.h"

namespace {

using namespace bitline;

/// A folder with the result of a network, until the program ends.
class Run {
 public:
  explicit Run(const std::string& network)
      : folder_(std::filesystem::temp_directory_path() / ("bitline-report-bench-" + network)) {
    std::filesystem::create_directories(folder_);
    const std::string file = path("network.onnx");
    base::write_file_atomically(file, workloads::make(network, 1));
    sim::SimulationRequest request;
    request.files.arch = BITLINE_SOURCE_DIR "/configs/isaac-8bit.yaml";
    request.files.network = file;
    request.mode = sim::Mode::analytic;
    base::write_file_atomically(path("result.json"), result::to_json(sim::simulate(request)));
  }
  ~Run() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  [[nodiscard]] std::string path(const std::string& name) const { return (folder_ / name).string(); }

 private:
  std::filesystem::path folder_;
};

void report(benchmark::State& state, const std::string& network) {
  const Run run(network);
  for (auto _ : state) report::write_run_report(run.path("result.json"), run.path("report.html"));
  state.counters["bytes"] = static_cast<double>(std::filesystem::file_size(run.path("report.html")));
}
BENCHMARK_CAPTURE(report, resnet50, "resnet50")->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
