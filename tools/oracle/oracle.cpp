// SPDX-License-Identifier: Apache-2.0
#include "tools/oracle/oracle.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <new>

#include "mapper/onnx/import.h"
#include "models/arch/arch_loader.h"
#include "models/base/files.h"
#include "sim/analyse.h"
#include "sim/provenance.h"
#include "sim/result/json.h"
#include "sim/result/sha256.h"
#include "tools/oracle/child.h"

namespace bitline::oracle {
namespace {

/// A file's name and what tells that it has changed.
std::string file_key(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return path;
  return fmt::format("{}|{}|{}|{}|{}", path, info.st_ino, info.st_size, info.st_mtim.tv_sec,
                     info.st_mtim.tv_nsec);
}

std::string options_key(const workloads::Options& o) {
  return fmt::format("{}|{}|{}|{}|{}", o.genotype.value_or(""), o.layers.value_or(0), o.channels.value_or(0),
                     o.classes.value_or(0), o.resolution.value_or(0));
}

std::string name_of(const NetworkSource& network) {
  if (!network.path.empty()) return network.path;
  return network.workload.empty() ? "network" : network.workload;
}

/// Deleted with the object.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& bytes) {
    std::string name = (std::filesystem::temp_directory_path() / "bitline-XXXXXX.onnx").string();
    const int file = mkstemps(name.data(), 5);
    if (file < 0)
      throw base::SimulationError({"temporary file", name + " cannot be written", "", "set TMPDIR"});
    close(file);
    path_ = name;
    base::write_file_atomically(path_, bytes);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { unlink(path_.c_str()); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// The child's error as its message lines, without "bitline: error: ".
[[noreturn]] void rethrow(const ChildResult& child, double timeout_s) {
  if (child.timed_out || child.code == static_cast<int>(base::ExitCode::timeout))
    throw base::TimeoutError(
        base::Problem{"simulation", fmt::format("not done after {} s", timeout_s), "", "raise the timeout"});
  if (child.signal != 0)
    throw base::SimulationError(base::Problem{"simulation",
                                              fmt::format("its process was ended by signal {}", child.signal),
                                              "", "see its memory, or report this network"});
  std::vector<base::Problem> problems;
  const std::string start = "bitline: error: ";
  for (std::size_t at = 0; at < child.err.size();) {
    const std::size_t end = std::min(child.err.find('\n', at), child.err.size());
    const std::string line = child.err.substr(at, end - at);
    if (line.starts_with(start)) {
      const std::size_t colon = std::min(line.find(": ", start.size()), line.size());
      problems.push_back({line.substr(start.size(), colon - start.size()),
                          line.substr(std::min(colon + 2, line.size())), "", ""});
    }
    at = end + 1;
  }
  if (problems.empty()) problems.push_back({"simulation", child.err, "", ""});
  switch (child.code) {
    case 2:
      throw base::UsageError(std::move(problems));
    case 3:
      throw base::ConfigError(std::move(problems));
    case 4:
      throw base::NetworkError(std::move(problems));
    case 5:
      throw base::MappingError(std::move(problems));
    default:
      throw base::SimulationError(std::move(problems));
  }
}

}  // namespace

std::string own_program() {
  return std::filesystem::read_symlink("/proc/self/exe").string();
}

std::shared_ptr<const arch::LoadedArch> Oracle::machine(const Request& request) {
  std::string key = file_key(request.arch);
  for (const std::string& item : request.overrides) key.append("\n").append(item);
  return machines_.get(key, [&] {
    return std::make_shared<const arch::LoadedArch>(arch::load_arch(request.arch, request.overrides));
  });
}

std::shared_ptr<const graph::Graph> Oracle::network(const Request& request) {
  const NetworkSource& source = request.network;
  if (!source.bytes.empty()) {
    return networks_.get("bytes|" + result::sha256(source.bytes), [&] {
      return std::make_shared<const graph::Graph>(onnx::import_onnx_bytes(source.bytes, name_of(source)));
    });
  }
  if (!source.workload.empty()) {
    const std::string key =
        fmt::format("workload|{}|{}|{}", source.workload, request.seed, options_key(source.options));
    return networks_.get(key, [&] {
      const std::string bytes = workloads::make(source.workload, request.seed, source.options);
      return std::make_shared<const graph::Graph>(onnx::import_onnx_bytes(bytes, source.workload));
    });
  }
  return networks_.get("file|" + file_key(source.path), [&] { return sim::import_network(source.path); });
}

result::Result Oracle::analyse(const Request& request) {
  const std::shared_ptr<const arch::LoadedArch> loaded = machine(request);
  const std::shared_ptr<const graph::Graph> graph = network(request);
  result::Result r = sim::analyse(*loaded, graph, request.batch, request.activity);
  r.provenance.network = name_of(request.network);
  r.provenance.arch = request.arch;
  r.provenance.overrides = request.overrides;
  r.provenance.seed = request.seed;
  return r;
}

Json Oracle::simulate(const Request& request) {
  std::optional<TemporaryFile> file;
  const NetworkSource& source = request.network;
  if (!source.bytes.empty()) file.emplace(source.bytes);
  if (!source.workload.empty()) file.emplace(workloads::make(source.workload, request.seed, source.options));
  std::vector<std::string> arguments{"run", "--quiet", "--json", "--mode", to_string(request.fidelity)};
  const auto add = [&](const char* option, const std::string& value) {
    arguments.emplace_back(option);
    arguments.push_back(value);
  };
  add("--arch", request.arch);
  add("--network", file ? file->path() : source.path);
  add("--batch", std::to_string(request.batch));
  add("--seed", std::to_string(request.seed));
  add("--threads", "1");
  for (const std::string& item : request.overrides) add("--set", item);
  const ChildResult child = run_child(program_, arguments, request.timeout_s);
  if (child.timed_out || child.signal != 0 || child.code != 0) rethrow(child, request.timeout_s);
  Json tree = Json::parse(child.out);
  tree["provenance"]["network"] = name_of(source);
  return tree;
}

Json Oracle::result(const Request& request) {
  if (request.fidelity != Fidelity::analytic) return simulate(request);
  result::Result r = analyse(request);
  sim::add_constants(*machine(request), r.provenance);
  const NetworkSource& source = request.network;
  r.provenance.network_sha256 =
      !source.bytes.empty() ? result::sha256(source.bytes)
      : source.workload.empty()
          ? result::sha256_of_file(source.path)
          : result::sha256(workloads::make(source.workload, request.seed, source.options));
  return Json::parse(result::to_json(r));
}

Json cost_of_tree(const Json& tree, bool layers) {
  result::Result r;
  r.latency = {tree["latency_s"]["image"], tree["latency_s"]["interval"], tree["latency_s"]["total"]};
  r.throughput_ips = tree["throughput_ips"];
  r.energy.total = tree["energy_j"]["total"];
  r.power_w = tree["power_w"];
  r.area_mm2 = tree["area_mm2"]["total"];
  r.tops = tree["tops"];
  r.crossbars_used = tree["crossbars"]["used"];
  r.crossbar_macs = tree["macs"]["crossbars"];
  r.digital_macs = tree["macs"]["digital"];
  r.provenance.mode = tree["provenance"]["mode"];
  r.provenance.version = tree["provenance"]["version"];
  for (const Json& row : tree["layers"]) {
    result::LayerResult l;
    l.name = row["name"];
    l.op = row["op"];
    l.crossbars = row["crossbars"];
    l.replicas = row["replicas"];
    l.rows = row["rows"];
    l.cols = row["cols"];
    l.start = row["start_s"];
    l.latency = row["latency_s"];
    l.busy = row["busy_s"];
    l.energy.total = row["energy_j"]["total"];
    r.layers.push_back(std::move(l));
  }
  return cost_json(r, layers);
}

Json Oracle::answer(const Request& request) {
  try {
    if (request.answer == AnswerKind::result) return {{"result", result(request)}};
    const bool layers = request.answer == AnswerKind::layers;
    if (request.fidelity == Fidelity::analytic) return {{"cost", cost_json(analyse(request), layers)}};
    return {{"cost", cost_of_tree(simulate(request), layers)}};
  } catch (const base::Error& error) {
    return {{"error", error_json(error.code(), error.what(), error.problems())}};
  } catch (const std::bad_alloc&) {
    return {{"error", error_json(base::ExitCode::simulation, "out of memory", {})}};
  } catch (const std::exception& error) {
    return {{"error",
             error_json(base::ExitCode::simulation, std::string("internal error: ") + error.what(), {})}};
  }
}

std::string Oracle::answer_line(const std::string& line, const Request& defaults) {
  Json answered = Json::object();
  try {
    const Json json = Json::parse(line);
    if (json.is_object() && json.contains("id")) answered["id"] = json["id"];
    answered.update(answer(read_request(json, defaults)));
  } catch (const base::Error& error) {
    answered["error"] = error_json(error.code(), error.what(), error.problems());
  } catch (const std::exception& error) {
    answered["error"] =
        error_json(base::ExitCode::usage, std::string("request: is no JSON: ") + error.what(), {});
  }
  return answered.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace bitline::oracle
