// SPDX-License-Identifier: Apache-2.0
// Reads the values that a sweep file gives for keys. Only for spec.cpp.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/arch/arch.h"
#include "models/base/config_tree.h"
#include "models/base/errors.h"
#include "models/base/schema.h"
#include "tools/sweep/spec.h"

namespace bitline::sweep {

/// Applies a map to a schema of its own keys: unknown ones are told what `allowed` are.
void apply_own_keys(const base::Schema& schema, const base::ConfigNode& node,
                    std::vector<base::Problem>& problems, const std::string& allowed);

/// Keys are those of a machine, and network, mode, batch and seed. Problems are added to a list; what is
/// read then counts for nothing.
class SettingReader {
 public:
  /// `folder`: where relative paths start.
  SettingReader(std::string folder, std::vector<Network>& networks, std::vector<base::Problem>& problems);
  SettingReader(const SettingReader&) = delete;
  SettingReader& operator=(const SettingReader&) = delete;
  ~SettingReader() = default;

  [[nodiscard]] bool knows(const std::string& key) const;
  /// Adds "unknown key", with the nearest known one.
  void unknown(const std::string& where, const std::string& key);
  /// One value of a known key; nullptr after a problem.
  [[nodiscard]] SettingPtr read(const std::string& key, const base::ConfigNode& node);
  /// An axis: a list of values, one value, a range (with steps if `is_grid`), or a list of maps of keys.
  [[nodiscard]] Axis axis(const base::ConfigNode::Member& member, bool is_grid);
  [[nodiscard]] ValueKind kind(const std::string& key) const;
  /// Index of a network given as a path or a map.
  [[nodiscard]] std::optional<std::size_t> network(const base::ConfigNode& node);
  /// A path as it is from here.
  [[nodiscard]] std::string path(const std::string& given) const;
  /// Adds a problem if the path cannot be read.
  void check_readable(const std::string& where, const std::string& path);

 private:
  [[nodiscard]] std::optional<Range> range(const Axis& axis, const base::ConfigNode& node, bool is_grid);
  [[nodiscard]] SettingPtr bundle(const base::ConfigNode& node);
  [[nodiscard]] SettingPtr machine_key(const std::string& key, const base::ConfigNode& node);
  [[nodiscard]] std::optional<Network> read_network(const base::ConfigNode& node);

  std::string folder_;
  std::vector<Network>& networks_;
  std::vector<base::Problem>& problems_;
  arch::Arch scratch_;
  base::Schema machine_;
};

}  // namespace bitline::sweep
