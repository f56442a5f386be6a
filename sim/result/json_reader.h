// SPDX-License-Identifier: Apache-2.0
// Typed reading of a JSON tree that notes every fault instead of stopping at the first.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "models/base/errors.h"

namespace bitline::result {

using Json = nlohmann::ordered_json;

struct Faults {
  std::string file;
  std::vector<base::Problem> problems;
};

/// One place of the tree. Where it is absent, reading leaves the target as it is.
class Reader {
 public:
  Reader(const Json* json, std::string path, Faults& faults)
      : json_(json), path_(std::move(path)), faults_(&faults) {}

  [[nodiscard]] explicit operator bool() const { return json_ != nullptr; }
  /// A member that must be there.
  [[nodiscard]] Reader operator[](const char* key) const;
  /// A member that may be absent.
  [[nodiscard]] Reader find(const char* key) const;

  /// Notes that the place does not have what is allowed there.
  void refuse(const char* allowed) const { static_cast<void>(is(false, allowed)); }

  void to(std::string& value) const;
  void to(double& value) const;  ///< not negative, as every figure of a result
  void to(std::int64_t& value) const;
  void to(std::uint64_t& value) const;
  void to(int& value) const;
  /// null is no value.
  template <class T>
  void to(std::optional<T>& value) const {
    if (json_ == nullptr || json_->is_null()) return;
    T inner{};
    to(inner);
    value = std::move(inner);
  }
  template <class T>
  void to(std::vector<T>& values) const {
    each([&](const Reader& item) {
      values.emplace_back();
      item.to(values.back());
    });
  }
  /// An object of numbers, in its order.
  void to(std::vector<std::pair<std::string, double>>& values) const;
  /// Calls visit(item) for every item of a list.
  template <class Visit>
  void each(const Visit& visit) const {
    if (json_ == nullptr || !is(json_->is_array(), "a list")) return;
    for (std::size_t i = 0; i < json_->size(); ++i)
      visit(Reader(&(*json_)[i], fmt::format("{}[{}]", path_, i), *faults_));
  }
  /// Calls visit(key, member) for every member of an object.
  template <class Visit>
  void members(const Visit& visit) const {
    if (json_ == nullptr || !is(json_->is_object(), "an object")) return;
    for (const auto& [key, value] : json_->items())
      visit(key, Reader(&value, fmt::format("{}.{}", path_, key), *faults_));
  }

 private:
  /// `right`, and where not, a fault unless the place is absent (which was one already).
  bool is(bool right, const char* allowed) const;

  const Json* json_;
  std::string path_;
  Faults* faults_;
};

}  // namespace bitline::result
