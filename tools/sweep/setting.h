// SPDX-License-Identifier: Apache-2.0
// What a sweep varies: one value of an axis, and the axis itself.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "models/base/quantity.h"
#include "sim/simulate.h"

namespace bitline::sweep {

/// One value of an axis: keys of the machine, or what else a run takes.
struct Setting {
  std::string text;              ///< as in tables: "50 ns", "digits-cnn.onnx"
  std::optional<double> number;  ///< of a value that is one, in SI units (areas in mm2)
  std::vector<std::pair<std::string, std::string>> keys;  ///< of the machine, with their values
  std::optional<std::size_t> network;                     ///< index into Spec::networks
  std::optional<sim::Mode> mode;
  std::optional<std::int64_t> batch;
  std::optional<std::uint64_t> seed;
};
using SettingPtr = std::shared_ptr<const Setting>;

/// What values of a key look like.
struct ValueKind {
  std::string type;  ///< as of base::Field: "integer", "time", ...
  base::Dimension dimension = base::Dimension::none;
  [[nodiscard]] bool whole() const;                    ///< takes whole numbers
  [[nodiscard]] bool is_number() const;                ///< may have a range
  [[nodiscard]] std::string text(double value) const;  ///< with its unit, as read() takes it
  [[nodiscard]] std::optional<double> read(const std::string& text) const;  ///< none: no number
  [[nodiscard]] const char* suffix() const;  ///< of a column: "_s", "_hz", ""; "" of plain numbers
};

struct Range {
  double low = 0, high = 0;  ///< both can be reached
  bool logarithmic = false;
  std::int64_t steps = 0;  ///< of a grid
};

struct Axis {
  std::string name;
  std::string where;                ///< in the file
  ValueKind kind;                   ///< of a key of the machine
  std::vector<SettingPtr> choices;  ///< unless there is a range
  std::optional<Range> range;
  /// Name in tables, with a unit where values have one.
  [[nodiscard]] std::string column() const { return name + kind.suffix(); }
  /// The value at `share` (from 0, below 1) of the way through the choices or the range.
  [[nodiscard]] SettingPtr at(double share) const;
  /// All values of a grid, in order.
  [[nodiscard]] std::vector<SettingPtr> grid() const;
  /// A value of the range; whole numbers are rounded down.
  [[nodiscard]] SettingPtr value(double number) const;
};

}  // namespace bitline::sweep
