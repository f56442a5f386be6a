// SPDX-License-Identifier: Apache-2.0
#include "tools/sweep/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <new>

#include "mapper/onnx/import.h"
#include "models/base/files.h"
#include "sim/analyse.h"
#include "sim/provenance.h"
#include "sim/result/json.h"
#include "sim/result/sha256.h"
#include "workloads/networks.h"

namespace bitline::sweep {
namespace {

constexpr std::size_t kMostNetworks = 8;  // kept loaded
constexpr std::int64_t kLargestMachine = 1 << 20;

bool has_values(const Base& base) {
  return !base.input.empty() || !base.calibration.empty();
}

}  // namespace

Evaluator::Evaluator(const Plan& plan, double timeout_s, bool with_result)
    : plan_(plan),
      timeout_s_(timeout_s),
      with_result_(with_result),
      machine_(base::read_file(plan.spec.base.arch, kLargestMachine), plan.spec.base.arch) {}

bool Evaluator::is_simulation(std::size_t point) const {
  return run_of(plan_.spec, plan_.points[point]).mode != sim::Mode::analytic;
}

void Evaluator::prepare(std::size_t point) {
  (void)network(run_of(plan_.spec, plan_.points[point]));
}

Evaluator::Loaded Evaluator::load(const Run& run) const {
  const Network& network = plan_.spec.networks[run.network];
  const oracle::NetworkSource& source = network.source;
  Loaded loaded;
  try {
    if (source.workload.empty()) {
      loaded.graph = sim::import_network(source.path, plan_.spec.base.dimensions);
      loaded.sha256 = result::sha256_of_file(source.path);
    } else {
      const std::string bytes = workloads::make(source.workload, run.seed, source.options);
      loaded.graph = std::make_shared<const graph::Graph>(
          onnx::import_onnx_bytes(bytes, network.label, sim::import_options(plan_.spec.base.dimensions)));
      loaded.sha256 = result::sha256(bytes);
    }
  } catch (...) {
    loaded.error = std::current_exception();
  }
  return loaded;
}

const Evaluator::Loaded& Evaluator::network(const Run& run) {
  const bool generated = !plan_.spec.networks[run.network].source.workload.empty();
  const NetworkKey key{run.network, generated ? run.seed : 0};
  const auto found =
      std::find_if(networks_.begin(), networks_.end(), [&](const auto& entry) { return entry.first == key; });
  if (found != networks_.end()) {
    networks_.splice(networks_.begin(), networks_, found);
  } else {
    networks_.emplace_front(key, load(run));
    if (networks_.size() > kMostNetworks) networks_.pop_back();
  }
  return networks_.front().second;
}

result::Result Evaluator::result_of(const Run& run) {
  const Base& base = plan_.spec.base;
  arch::LoadedArch machine = machine_.with(run.overrides);
  const Loaded& loaded = network(run);
  if (loaded.error) std::rethrow_exception(loaded.error);
  result::Result r;
  if (run.mode == sim::Mode::analytic && !has_values(base)) {
    r = sim::analyse(machine, loaded.graph, run.batch, base.activity);
    sim::add_files({base.arch, run.overrides, "", {}}, machine, r.provenance);
    r.provenance.seed = run.seed;
  } else {
    sim::SimulationRequest request;
    request.files = {base.arch, run.overrides, "", base.dimensions};
    request.input = base.input;
    request.labels = base.labels;
    request.calibration = base.calibration;
    request.normalisation = base.normalisation;
    request.batch = run.batch;
    request.mode = run.mode;
    request.seed = run.seed;
    request.trials = base.trials;
    request.timeout_s = timeout_s_;
    r = sim::simulate(request, std::move(machine), loaded.graph);
  }
  const Network& network = plan_.spec.networks[run.network];
  r.provenance.network = network.source.path.empty() ? network.label : network.source.path;
  r.provenance.network_sha256 = loaded.sha256;
  return r;
}

Outcome Evaluator::evaluate(std::size_t index) {
  const Point& point = plan_.points[index];
  const auto failed = [&](base::ExitCode code, const std::string& message,
                          const std::vector<base::Problem>& problems = {}) {
    Outcome outcome{{{"point", point.id}}, ""};
    outcome.record["error"] = oracle::error_json(code, message, problems);
    return outcome;
  };
  try {
    const result::Result r = result_of(run_of(plan_.spec, point));
    Outcome outcome{{{"point", point.id}}, ""};
    outcome.record["figures"] = figures_json(r);
    if (with_result_) outcome.result = result::to_json(r);
    return outcome;
  } catch (const base::Error& error) {
    return failed(error.code(), error.what(), error.problems());
  } catch (const std::bad_alloc&) {
    return failed(base::ExitCode::simulation, "out of memory");
  } catch (const std::exception& error) {
    return failed(base::ExitCode::simulation, std::string("internal error: ") + error.what());
  }
}

Json failed_record(const Point& point, base::ExitCode code, const std::string& message) {
  return {{"point", point.id}, {"error", oracle::error_json(code, message, {})}};
}

std::string to_text(const Outcome& outcome) {
  return outcome.record.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n" + outcome.result;
}

Outcome outcome_of(const std::string& text) {
  const std::size_t end = text.find('\n');
  return {Json::parse(text.substr(0, end)), text.substr(end + 1)};
}

}  // namespace bitline::sweep
