// SPDX-License-Identifier: Apache-2.0
// A sweep as its file describes it (README.md of this folder has the format).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sim/analytic/activity.h"
#include "tools/oracle/request.h"
#include "tools/sweep/setting.h"

namespace bitline::sweep {

enum class Method { grid, list, random, latin_hypercube, sobol };
[[nodiscard]] const char* to_string(Method method);

struct Network {
  std::string label;  ///< in tables
  oracle::NetworkSource source;
  [[nodiscard]] bool operator==(const Network& other) const;
};

/// What every point has unless an axis says otherwise.
struct Base {
  std::string arch;
  std::map<std::string, std::string> keys;  ///< of the machine
  std::optional<std::size_t> network;       ///< index into Spec::networks
  sim::Mode mode = sim::Mode::cycle;
  std::int64_t batch = 1;
  std::uint64_t seed = 1;
  std::int64_t trials = 1;
  std::string input, labels, calibration;
  sim::Normalisation normalisation;
  std::vector<std::string> dimensions;
  analytic::ActivityFactors activity;
};

struct Spec {
  std::string file;  ///< as given
  Base base;
  std::vector<Network> networks;
  Method method = Method::grid;
  std::int64_t samples = 0;  ///< of random, latin_hypercube and sobol
  std::uint64_t sampling_seed = 1;
  std::vector<Axis> axes;
  /// Method list: for each point a setting by axis, or none.
  std::vector<std::vector<SettingPtr>> points;
  std::vector<std::string> objectives;  ///< empty: those that suit the results
};

/// Reads a sweep file; paths in it start from its own folder, or from `folder`. Throws base::ConfigError
/// with every problem of the file, of its machine and of the files it names.
[[nodiscard]] Spec read_spec(const std::string& path, const std::string& folder = {});
/// The same from text; `name` stands for the file in messages.
[[nodiscard]] Spec parse_spec(const std::string& text, const std::string& name, const std::string& folder);

}  // namespace bitline::sweep
