// SPDX-License-Identifier: Apache-2.0
#include "tools/oracle/request.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace bitline::oracle {
namespace {

const char* kind_of(base::ExitCode code) {
  switch (code) {
    case base::ExitCode::ok:
      return "ok";
    case base::ExitCode::usage:
      return "usage";
    case base::ExitCode::config:
      return "config";
    case base::ExitCode::network:
      return "network";
    case base::ExitCode::mapping:
      return "mapping";
    case base::ExitCode::timeout:
      return "timeout";
    case base::ExitCode::simulation:
      break;
  }
  return "simulation";
}

class Reader {
 public:
  Reader(const Json& json, Request request) : json_(json), request_(std::move(request)) {}

  Request read() {
    if (!json_.is_object()) {
      refuse("", "is no object");
    } else {
      for (const auto& [key, value] : json_.items()) read_key(key, value);
      check_network();
      if (request_.arch.empty() && problems_.empty()) refuse("arch", "is missing", "the path of a machine");
    }
    if (!problems_.empty()) throw base::UsageError(std::move(problems_));
    return std::move(request_);
  }

 private:
  void refuse(const std::string& key, const std::string& given, const std::string& allowed = "",
              const std::string& remedy = "") {
    problems_.push_back({key.empty() ? "request" : "request." + key, given, allowed, remedy});
  }

  void read_key(const std::string& key, const Json& value) {
    if (key == "id") return;
    if (key == "network" || key == "genotype" || key == "workload") {
      ++networks_;
      read_network(key, value);
    } else if (key == "layers" || key == "channels" || key == "classes" || key == "resolution") {
      const std::int64_t n = whole(key, value, 1, 1'000'000);
      auto& options = request_.network.options;
      (key == "layers"     ? options.layers
       : key == "channels" ? options.channels
       : key == "classes"  ? options.classes
                           : options.resolution) = n;
    } else if (key == "arch") {
      request_.arch = text(key, value);
    } else if (key == "set") {
      read_set(value);
    } else if (key == "fidelity") {
      read_choice(key, value,
                  {{"analytic", Fidelity::analytic},
                   {"cycle", Fidelity::cycle},
                   {"structural", Fidelity::structural}},
                  request_.fidelity);
    } else if (key == "answer") {
      read_choice(
          key, value,
          {{"cost", AnswerKind::cost}, {"layers", AnswerKind::layers}, {"result", AnswerKind::result}},
          request_.answer);
    } else if (key == "batch") {
      request_.batch = whole(key, value, 1, 1'000'000);
    } else if (key == "seed") {
      request_.seed = static_cast<std::uint64_t>(whole(key, value, 0, INT64_MAX));
    } else if (key == "activity") {
      read_activity(value);
    } else if (key == "timeout") {
      request_.timeout_s = number(key, value, 1e-3, 1e9);
    } else {
      refuse(key, "unknown key",
             "id, network, genotype, workload, layers, channels, classes, resolution, arch, set, fidelity, "
             "batch, "
             "seed, activity, timeout, answer");
    }
  }

  void read_network(const std::string& key, const Json& value) {
    if (key == "genotype") {
      request_.network.workload = "darts";
      request_.network.options.genotype = value.is_object() ? value.dump() : text(key, value);
    } else {
      (key == "network" ? request_.network.path : request_.network.workload) = text(key, value);
    }
  }

  void check_network() {
    if (networks_ == 1) return;
    refuse("network", networks_ == 0 ? "is missing" : "is given in several ways",
           "one of network, genotype and workload");
  }

  void read_set(const Json& value) {
    if (!value.is_object()) return refuse("set", "is no object", "key: value of the machine");
    for (const auto& [key, v] : value.items()) {
      const bool plain = v.is_number() || v.is_boolean() || v.is_array();
      if (!plain && !v.is_string())
        refuse("set." + key, "is no value", "a text, number, truth value or list");
      request_.overrides.push_back(key + "=" + (v.is_string() ? v.get<std::string>() : v.dump()));
    }
  }

  void read_activity(const Json& value) {
    if (!value.is_object()) return refuse("activity", "is no object", "factors by name");
    for (const auto& [key, v] : value.items()) {
      const auto* found = std::find_if(std::begin(analytic::kFactors), std::end(analytic::kFactors),
                                       [&](const auto& factor) { return key == factor.name; });
      if (found == std::end(analytic::kFactors)) {
        refuse("activity." + key, "unknown factor",
               "input, nonnegative, signed, depthwise, zero_reads, mean_level");
      } else {
        request_.activity.*found->member = number("activity." + key, v, 0, 1);
      }
    }
  }

  template <class T>
  void read_choice(const std::string& key, const Json& value,
                   const std::vector<std::pair<const char*, T>>& choices, T& into) {
    std::string allowed;
    for (const auto& [name, choice] : choices) {
      if (value == name) {
        into = choice;
        return;
      }
      allowed.append(allowed.empty() ? "" : ", ").append(name);
    }
    refuse(key, value.dump(-1, ' ', false, Json::error_handler_t::replace), allowed);
  }

  std::string text(const std::string& key, const Json& value) {
    if (value.is_string() && !value.get<std::string>().empty()) return value.get<std::string>();
    refuse(key, "is no text", "a text");
    return {};
  }
  std::int64_t whole(const std::string& key, const Json& value, std::int64_t low, std::int64_t high) {
    const bool fits =
        value.is_number_integer() &&
        !(value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX)) &&
        value.get<std::int64_t>() >= low && value.get<std::int64_t>() <= high;
    if (fits) return value.get<std::int64_t>();
    refuse(key, "is " + value.dump(-1, ' ', false, Json::error_handler_t::replace),
           fmt::format("a whole number from {} to {}", low, high));
    return low;
  }
  double number(const std::string& key, const Json& value, double low, double high) {
    if (value.is_number() && value.get<double>() >= low && value.get<double>() <= high)
      return value.get<double>();
    refuse(key, "is " + value.dump(-1, ' ', false, Json::error_handler_t::replace),
           fmt::format("a number from {} to {}", low, high));
    return low;
  }

  const Json& json_;
  Request request_;
  int networks_ = 0;
  std::vector<base::Problem> problems_;
};

}  // namespace

const char* to_string(Fidelity fidelity) {
  switch (fidelity) {
    case Fidelity::analytic:
      return "analytic";
    case Fidelity::cycle:
      return "cycle";
    case Fidelity::structural:
      break;
  }
  return "structural";
}

Request read_request(const Json& json, const Request& defaults) {
  return Reader(json, defaults).read();
}

Json cost_json(const result::Result& r, bool layers) {
  Json cost = {{"latency_s", r.latency.image},
               {"interval_s", r.latency.interval},
               {"total_s", r.latency.total},
               {"throughput_ips", r.throughput_ips},
               {"energy_j", r.energy.total},
               {"power_w", r.power_w},
               {"area_mm2", r.area_mm2},
               {"edp_js", r.energy.total * r.latency.image},
               {"tops", r.tops},
               {"crossbars", r.crossbars_used},
               {"macs", r.crossbar_macs + r.digital_macs},
               {"fidelity", r.provenance.mode},
               {"version", r.provenance.version}};
  if (r.estimate)
    cost["expected_error"] = {{"latency", r.estimate->latency_error},
                              {"interval", r.estimate->interval_error},
                              {"energy", r.estimate->energy_error}};
  if (!layers) return cost;
  cost["layers"] = Json::array();
  for (const result::LayerResult& l : r.layers)
    cost["layers"].push_back({{"name", l.name},
                              {"op", l.op},
                              {"crossbars", l.crossbars},
                              {"replicas", l.replicas},
                              {"rows", l.rows},
                              {"cols", l.cols},
                              {"start_s", l.start},
                              {"latency_s", l.latency},
                              {"busy_s", l.busy},
                              {"energy_j", l.energy.total}});
  return cost;
}

Json error_json(base::ExitCode code, const std::string& message, const std::vector<base::Problem>& problems) {
  Json list = Json::array();
  for (const base::Problem& p : problems)
    list.push_back({{"where", p.where}, {"given", p.given}, {"allowed", p.allowed}, {"remedy", p.remedy}});
  return {{"code", static_cast<int>(code)},
          {"kind", kind_of(code)},
          {"message", message},
          {"problems", std::move(list)}};
}

}  // namespace bitline::oracle
