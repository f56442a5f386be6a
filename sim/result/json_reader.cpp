// SPDX-License-Identifier: Apache-2.0
#include "sim/result/json_reader.h"

#include <limits>

#include "sim/result/text.h"

namespace bitline::result {
namespace {

constexpr const char* kRemedy = "write the file anew with bitline run --out";

/// A value as it stands in the file, cut where it is long.
std::string shown(const Json& json) {
  constexpr std::size_t kLongest = 40;
  if (json.is_structured()) return json.is_array() ? "a list" : "an object";
  return shortened(json.dump(-1, ' ', true), kLongest);
}

std::string joined(const std::string& path, const char* key) {
  return path.empty() ? key : path + "." + key;
}

}  // namespace

bool Reader::is(bool right, const char* allowed) const {
  if (!right && json_ != nullptr)
    faults_->problems.push_back({faults_->file + ": " + path_, "is " + shown(*json_), allowed, kRemedy});
  return right;
}

Reader Reader::operator[](const char* key) const {
  Reader member = find(key);
  if (json_ != nullptr && json_->is_object() && !member)
    faults_->problems.push_back({faults_->file + ": " + joined(path_, key), "is missing", "", kRemedy});
  return member;
}

Reader Reader::find(const char* key) const {
  const Json* member = nullptr;
  if (is(json_ != nullptr && json_->is_object(), "an object")) {
    const auto found = json_->find(key);
    if (found != json_->end()) member = &*found;
  }
  return {member, joined(path_, key), *faults_};
}

void Reader::to(std::string& value) const {
  if (is(json_ != nullptr && json_->is_string(), "a text")) value = json_->get<std::string>();
}

void Reader::to(double& value) const {
  if (is(json_ != nullptr && json_->is_number() && json_->get<double>() >= 0, "a number from 0 on"))
    value = json_->get<double>();
}

void Reader::to(std::uint64_t& value) const {
  if (is(json_ != nullptr && json_->is_number_unsigned(), "a whole number from 0 on"))
    value = json_->get<std::uint64_t>();
}

void Reader::to(std::int64_t& value) const {
  std::uint64_t whole = static_cast<std::uint64_t>(value);
  to(whole);
  if (is(whole <= std::uint64_t{std::numeric_limits<std::int64_t>::max()}, "a whole number below 2^63"))
    value = static_cast<std::int64_t>(whole);
}

void Reader::to(int& value) const {
  std::uint64_t whole = static_cast<std::uint64_t>(value);
  to(whole);
  if (is(whole <= std::uint64_t{std::numeric_limits<int>::max()}, "a whole number below 2^31"))
    value = static_cast<int>(whole);
}

void Reader::to(std::vector<std::pair<std::string, double>>& values) const {
  members([&](const std::string& key, const Reader& member) {
    values.emplace_back(key, 0.0);
    member.to(values.back().second);
  });
}

}  // namespace bitline::result
