// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>
#include <string_view>

#include "models/base/errors.h"
#include "models/base/files.h"
#include "sim/faults.h"

namespace bitline::sim {
namespace {

constexpr std::int64_t kLargestMap = std::int64_t{1} << 30;  // bytes
constexpr std::size_t kMostProblems = 20;
constexpr const char* kFormat = "tile,ima,crossbar,row,column,off (or on), numbers from 0";

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t end = text.find(separator); end != std::string_view::npos; end = text.find(separator)) {
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  parts.push_back(text);
  return parts;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

class MapReader {
 public:
  MapReader(const std::string& path, const arch::Arch& arch) : path_(path) {
    limits_ = {{{"tile", arch.chip.tiles, "chip.tiles"},
                {"ima", arch.tile.imas, "tile.imas"},
                {"crossbar", arch.ima.crossbars, "ima.crossbars"},
                {"row", arch.crossbar.rows, "crossbar.rows"},
                {"column", arch.crossbar.cols, "crossbar.cols"}}};
  }

  std::map<engine::ChipCell, device::Stuck> read(const std::string& text) {
    for (const std::string_view line : split(text, '\n')) {
      ++line_;
      const std::string_view content = trimmed(line);
      if (!content.empty() && content.front() != '#') read_line(content);
      if (problems_.size() >= kMostProblems) break;
    }
    if (!problems_.empty()) throw base::ConfigError(std::move(problems_));
    return std::move(faults_);
  }

 private:
  struct Limit {
    const char* name;
    int count;
    const char* key;
  };

  void fault(std::string given, std::string allowed) {
    problems_.push_back({fmt::format("{}:{}", path_, line_), std::move(given), std::move(allowed), ""});
  }

  void read_line(std::string_view line) {
    const std::vector<std::string_view> fields = split(line, ',');
    if (fields.size() != limits_.size() + 1) return fault(fmt::format("{} fields", fields.size()), kFormat);
    std::array<int, 5> place{};
    for (std::size_t i = 0; i < limits_.size(); ++i) {
      const std::optional<int> value = number(trimmed(fields[i]));
      if (!value) return fault(fmt::format("'{}' is no {}", fields[i], limits_[i].name), kFormat);
      if (*value < 0 || *value >= limits_[i].count)
        return fault(fmt::format("{} {}", limits_[i].name, *value),
                     fmt::format("0 ... {}, less than {}", limits_[i].count - 1, limits_[i].key));
      place[i] = *value;
    }
    const std::string_view state = trimmed(fields.back());
    if (state != "off" && state != "on") return fault(fmt::format("state '{}'", state), "off, on");
    const engine::ChipCell cell{place[0], place[1], place[2], place[3], place[4]};
    const auto stuck = state == "on" ? device::Stuck::on : device::Stuck::off;
    if (!faults_.emplace(cell, stuck).second) fault("a cell that a line above has", "each cell once");
  }

  std::string path_;
  std::array<Limit, 5> limits_{};
  std::int64_t line_ = 0;
  std::map<engine::ChipCell, device::Stuck> faults_;
  std::vector<base::Problem> problems_;
};

}  // namespace

std::map<engine::ChipCell, device::Stuck> read_fault_map(const std::string& path, const arch::Arch& arch) {
  try {
    return MapReader(path, arch).read(base::read_file(path, kLargestMap));
  } catch (const base::UsageError& unreadable) {
    std::vector<base::Problem> problems = unreadable.problems();
    for (base::Problem& problem : problems) problem.where = "device.stuck.map: " + problem.where;
    throw base::ConfigError(std::move(problems));
  }
}

}  // namespace bitline::sim
