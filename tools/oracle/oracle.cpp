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
#include "mapper/onnx/model_reader.h"
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

/// What an analytic cost is asked for, files by their state.
std::string request_key(const Request& request) {
  const NetworkSource& network = request.network;
  std::string key = fmt::format(
      "{}|{}|{}|{}|{}|{}", static_cast<int>(request.answer), request.batch, request.seed,
      file_key(request.arch), network.workload.empty() ? "" : network.workload + options_key(network.options),
      network.bytes.empty() ? "" : result::sha256(network.bytes));
  // Of a file, or a genotype that may be the name of one.
  if (network.workload.empty() && network.bytes.empty()) key += file_key(network.path);
  if (network.options.genotype && network.options.genotype->size() < 4096)
    key += file_key(*network.options.genotype);
  for (const analytic::NamedFactor& factor : analytic::kFactors)
    key += fmt::format("|{}", request.activity.*factor.member);
  for (const std::string& item : request.overrides) key += "\n" + item;
  return key;
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

/// Refuses what no request needs and what would take the stack, for JSON values are written recursively.
void require_flat(const std::string& line) {
  constexpr int kDeepest = 64;
  int depth = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"') in_text = !in_text;
    if (in_text && c == '\\') ++i;
    if (in_text) continue;
    if (c == '[' || c == '{') ++depth;
    if (c == ']' || c == '}') --depth;
    if (depth > kDeepest)
      throw base::UsageError(
          {"request", "has lists or objects in each other, more than 64 deep", "at most 64", ""});
  }
}

}  // namespace

std::string own_program() {
  return std::filesystem::read_symlink("/proc/self/exe").string();
}

std::shared_ptr<const sim::KnownLayers> Oracle::machine(const Request& request) {
  std::string key = file_key(request.arch);
  for (const std::string& item : request.overrides) key.append("\n").append(item);
  return machines_.get(key, [&] {
    return std::make_shared<const sim::KnownLayers>(arch::load_arch(request.arch, request.overrides));
  });
}

std::shared_ptr<const graph::Graph> Oracle::network(const Request& request, bool shapes_only) {
  const NetworkSource& source = request.network;
  const std::string prefix = shapes_only ? "shapes|" : "weights|";
  onnx::ImportOptions options;
  options.shapes_only = shapes_only;
  if (!source.bytes.empty()) {
    return networks_.get(prefix + "bytes|" + result::sha256(source.bytes), [&] {
      return std::make_shared<const graph::Graph>(
          onnx::import_onnx_bytes(source.bytes, name_of(source), options));
    });
  }
  if (!source.workload.empty()) {
    const std::string key = fmt::format("{}workload|{}|{}|{}", prefix, source.workload,
                                        shapes_only ? 0 : request.seed, options_key(source.options));
    return networks_.get(key, [&] {
      if (shapes_only)
        return std::make_shared<const graph::Graph>(workloads::make_shapes(source.workload, source.options));
      const std::string bytes = workloads::make(source.workload, request.seed, source.options);
      return std::make_shared<const graph::Graph>(onnx::import_onnx_bytes(bytes, source.workload, options));
    });
  }
  return networks_.get(prefix + "file|" + file_key(source.path),
                       [&] { return sim::import_network(source.path, {}, shapes_only); });
}

std::string Oracle::network_content(const NetworkSource& source) {
  if (!source.bytes.empty()) return "onnx " + result::sha256(source.bytes);
  if (!source.workload.empty()) {
    const std::string genotype = source.options.genotype.value_or("");
    // A genotype may be the name of a file.
    const bool file = !genotype.empty() && genotype.front() != '{' && std::filesystem::exists(genotype);
    return fmt::format("workload {} {} {}", source.workload, options_key(source.options),
                       file ? result::sha256_of_file(genotype) : "");
  }
  return *contents_.get(file_key(source.path), [&] {
    const onnx::MappedFile file(source.path);
    // The name of the key under which a tensor says where its data are.
    const bool other_files = file.bytes().find(std::string("\x0a\x08location")) != std::string_view::npos;
    return std::make_shared<const std::string>(other_files ? "" : "onnx " + result::sha256(file.bytes()));
  });
}

std::string content_key(const Request& request, const arch::LoadedArch& machine, const std::string& network,
                        const std::string& version) {
  std::string content =
      fmt::format("bitline {}\n{}\n{}\nbatch {} seed {}\n", version, to_string(request.fidelity),
                  request.answer == AnswerKind::layers ? "layers" : "cost", request.batch, request.seed);
  if (request.fidelity == Fidelity::analytic) {
    for (const analytic::NamedFactor& factor : analytic::kFactors)
      content += fmt::format("{} {}\n", factor.name, request.activity.*factor.member);
  }
  for (const arch::ConstantSource& constant : machine.constants)
    content += constant.key + "=" + constant.value + "\n";
  return content + network;
}

std::optional<std::string> Oracle::content_of(const Request& request) {
  std::string network;
  try {
    network = network_content(request.network);
  } catch (const base::Error&) {
    // Whoever reads it for its cost says what is wrong.
  }
  if (network.empty()) return std::nullopt;
  return content_key(request, machine(request)->machine(), network, result::version());
}

result::Result Oracle::analyse(const Request& request, sim::Rows rows) {
  const std::shared_ptr<const sim::KnownLayers> known = machine(request);
  const arch::Arch& arch = known->machine().arch;
  std::shared_ptr<const graph::Graph> graph;
  if (!sim::needs_weights({}, arch)) graph = network(request, true);
  // Weights on grids of the network's own are read.
  if (!graph || sim::needs_weights(*graph, arch)) graph = network(request, false);
  result::Result r = sim::analyse(*known, graph, request.batch, request.activity, rows);
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
  sim::add_constants(machine(request)->machine(), r.provenance);
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

Json Oracle::cost(const Request& request) {
  const bool layers = request.answer == AnswerKind::layers;
  if (request.fidelity == Fidelity::analytic)
    return cost_json(analyse(request, layers ? sim::Rows::all : sim::Rows::none), layers);
  return cost_of_tree(simulate(request), layers);
}

/// From the file of kept costs, or computed and kept there.
Json Oracle::kept_cost(const Request& request) {
  const std::optional<std::string> content = cache_ ? content_of(request) : std::nullopt;
  if (!content) return cost(request);
  const std::string key = result::sha256(*content);
  if (const auto kept = cache_->find(key)) return Json::parse(*kept);
  Json fresh = cost(request);
  cache_->keep(key, fresh.dump());
  return fresh;
}

Json Oracle::answer(const Request& request) {
  try {
    if (request.answer == AnswerKind::result) return {{"result", result(request)}};
    if (request.fidelity != Fidelity::analytic) return {{"cost", kept_cost(request)}};
    return {{"cost", *costs_.get(request_key(request),
                                 [&] { return std::make_shared<const Json>(kept_cost(request)); })}};
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
    require_flat(line);
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
