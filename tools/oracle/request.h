// SPDX-License-Identifier: Apache-2.0
// Requests to the oracle as JSON objects, and its answers (README.md).
#pragma once

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <vector>

#include "models/base/errors.h"
#include "sim/analytic/activity.h"
#include "sim/result/result.h"
#include "workloads/networks.h"

namespace bitline::oracle {

using Json = nlohmann::ordered_json;

enum class Fidelity { analytic, cycle, structural };
enum class AnswerKind { cost, layers, result };
[[nodiscard]] const char* to_string(Fidelity fidelity);

/// A network is given in one of these ways.
struct NetworkSource {
  std::string path;      ///< of an ONNX file
  std::string bytes;     ///< the file itself; `path` is then its name in messages
  std::string workload;  ///< a generated one
  workloads::Options options;
};

struct Request {
  NetworkSource network;
  std::string arch;                    ///< path
  std::vector<std::string> overrides;  ///< "key=value"
  Fidelity fidelity = Fidelity::analytic;
  std::int64_t batch = 1;
  std::uint64_t seed = 1;
  analytic::ActivityFactors activity;
  double timeout_s = 0;
  AnswerKind answer = AnswerKind::cost;
};

/// `defaults` with what `json` says. Throws base::UsageError with every problem.
[[nodiscard]] Request read_request(const Json& json, const Request& defaults);

/// The "cost" of an answer; with a row per layer.
[[nodiscard]] Json cost_json(const result::Result& r, bool layers);
[[nodiscard]] Json error_json(base::ExitCode code, const std::string& message,
                              const std::vector<base::Problem>& problems);

}  // namespace bitline::oracle
