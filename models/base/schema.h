// SPDX-License-Identifier: Apache-2.0
// The one list of a component's parameters: key, member, unit, range, meaning. The default is the member's
// initialiser. A component declares it once:
//
//   Schema schema(SampleHoldParams& p) {
//     Schema s;
//     s.time("latency", p.latency, {}, kMaxLatency, "from latch to ...");
//     s.cost(p.cost, "sample-and-holds");
//     return s;
//   }
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/base/config_tree.h"
#include "models/base/cost.h"
#include "models/base/quantity.h"
#include "models/base/units.h"

namespace bitline::base {

struct Field {
  std::string key;  ///< path: "adc.resolution.bits"
  Dimension dimension = Dimension::none;
  std::string type;     ///< "integer", "time", "choice", ...
  std::string allowed;  ///< range or choices, as text
  std::string doc;
  std::function<std::string()> get;            ///< the value as YAML text that set() reads back
  std::function<void(const ConfigNode&)> set;  ///< throws ValueError
};

/// Longest latency of a single step that a machine may have.
inline constexpr Time kMaxLatency = Time::from_fs(1'000'000'000'000'000);

class Schema {
 public:
  template <class Enum>
  using Choices = std::vector<std::pair<const char*, Enum>>;

  void text(std::string key, std::string& member, std::string doc);
  void flag(std::string key, bool& member, std::string doc);
  void integer(std::string key, int& member, int min, int max, std::string doc);
  void integer(std::string key, std::int64_t& member, std::int64_t min, std::int64_t max, std::string doc);
  void real(std::string key, double& member, double min, double max, std::string doc);
  void length(std::string key, double& nanometres, double min, double max, std::string doc);
  void time(std::string key, Time& member, Time min, Time max, std::string doc);
  void bytes(std::string key, std::int64_t& member, std::int64_t min, std::int64_t max, std::string doc);
  void frequency(std::string key, Frequency& member, Frequency min, Frequency max, std::string doc);
  void byte_rate(std::string key, Frequency& member, Frequency min, Frequency max, std::string doc);
  void power(std::string key, Power& member, std::string doc);
  void area(std::string key, Area& member, std::string doc);
  void voltage(std::string key, Voltage& member, Voltage min, Voltage max, std::string doc);
  void resistance(std::string key, Resistance& member, Resistance min, Resistance max, std::string doc);
  /// A list of whole numbers, or one number.
  void integers(std::string key, std::vector<int>& member, int min, int max, bool may_be_empty,
                std::string doc);
  template <class Enum>
  void choice(const std::string& key, Enum& member, Choices<Enum> choices, const std::string& doc) {
    std::vector<const char*> names;
    for (const auto& [name, value] : choices) names.push_back(name);
    add_choice(
        key, std::move(names), doc,
        [&member, choices] {
          std::size_t i = 0;
          while (choices[i].second != member) ++i;
          return i;
        },
        [&member, choices](std::size_t i) { member = choices[i].second; });
  }
  /// power, static_power, area and cost_of of a group of `parts` ("ADCs").
  void cost(Cost& cost, const std::string& parts);
  /// The same of a memory of `cost_of` bytes: its power goes with its bandwidth and does not scale with the
  /// size.
  void memory_cost(Cost& cost);
  /// power, static_power and area only, of one thing ("router").
  void single_cost(Cost& cost, const std::string& thing);
  void add(Field field);
  /// All fields of `section` with "<prefix>." before their keys.
  void add(const std::string& prefix, Schema section);

  [[nodiscard]] const std::vector<Field>& fields() const& { return fields_; }
  const std::vector<Field>& fields() const&& = delete;  // would dangle in a range-for
  /// nullptr: no such key.
  [[nodiscard]] const Field* find(std::string_view key) const;
  /// Whether some key starts with "<key>.".
  [[nodiscard]] bool is_section(std::string_view key) const;
  /// The known key or section closest to an unknown path; empty if none is close.
  [[nodiscard]] std::string nearest(std::string_view unknown) const;

 private:
  void add_choice(std::string key, std::vector<const char*> names, std::string doc,
                  std::function<std::size_t()> index, std::function<void(std::size_t)> choose);

  std::vector<Field> fields_;
};

/// Where a key's value came from.
struct Assignment {
  std::string key;
  std::string where;   ///< "isaac.yaml:12" or "--set adc.rate=..."
  std::string source;  ///< its `source:`, that of its section, "--set", or empty
};

/// Sets the members bound to `schema` from a parsed file: leaves are scalars, lists or {value: ..., source:
/// ...}; a section's `source:` applies to its leaves that have none. Faults are added to `problems`.
[[nodiscard]] std::vector<Assignment> apply_tree(const Schema& schema, const ConfigNode& root,
                                                 std::vector<Problem>& problems);
/// Applies "key.path=value" (value as in YAML; 1,3,3,3 is a list). Faults are added to `problems`.
[[nodiscard]] std::vector<Assignment> apply_overrides(const Schema& schema,
                                                      const std::vector<std::string>& overrides,
                                                      std::vector<Problem>& problems);

}  // namespace bitline::base
