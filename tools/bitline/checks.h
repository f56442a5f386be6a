// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace bitline::cli {

/// What `bitline check` says about a file that is right.
struct Checked {
  std::string text;  ///< lines indented below the file's name
  std::string json;  ///< an object
};

/// The machine at full rate: power and area by component of an IMA, a tile and the chip. Throws
/// base::ConfigError.
[[nodiscard]] Checked check_arch(const std::string& path, const std::vector<std::string>& overrides);
/// Inputs, outputs, size and operators of the network. Throws base::NetworkError.
[[nodiscard]] Checked check_network(const std::string& path, const std::vector<std::string>& dimensions);
/// The operators that networks may use, as README.md lists them.
[[nodiscard]] std::string operator_list();

}  // namespace bitline::cli
