// SPDX-License-Identifier: Apache-2.0
// A YAML file as a plain tree that remembers where each key stands. Aliases, tags and more than one document
// are refused, so what is read is what is written.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "models/base/errors.h"

namespace bitline::base {

struct ConfigNode {
  enum class Kind { scalar, list, map };
  struct Member;

  Kind kind = Kind::scalar;
  std::string text;               ///< of a scalar
  std::vector<ConfigNode> items;  ///< of a list
  std::vector<Member> members;    ///< of a map, in file order; keys are unique
  std::string where;              ///< "isaac.yaml:12"
};

struct ConfigNode::Member {
  std::string key;
  std::string where;
  ConfigNode node;
};

/// Parses YAML text; `name` stands for the file in messages. Faults are added to `problems`; what could be
/// read is returned (an empty map if nothing could).
[[nodiscard]] ConfigNode parse_yaml(std::string_view text, const std::string& name,
                                    std::vector<Problem>& problems);

/// Writes `text` as a YAML scalar, quoted where it must be.
[[nodiscard]] std::string yaml_scalar(std::string_view text);

}  // namespace bitline::base
