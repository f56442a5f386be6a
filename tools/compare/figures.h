// SPDX-License-Identifier: Apache-2.0
// The figures of a run that comparisons and tables of papers show: one list with names, units and what is
// better.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/result/result.h"

namespace bitline::compare {

enum class Better { lower, higher, neither };

/// How a figure is printed and compared.
enum class Kind {
  quantity,  ///< with an SI prefix; compared by ratio
  area,      ///< mm2, without a prefix
  count,     ///< whole number
  share      ///< 0 to 1, printed in percent; compared by its difference in points
};

struct Figure {
  const char* key;    ///< "latency_image_s": of JSON and CSV, with the unit as suffix
  const char* label;  ///< "latency of an image"
  const char* unit;   ///< SI unit of the value, empty for counts and shares
  Kind kind;
  Better better;
  /// Of a result; none where the run has no such figure.
  std::optional<double> (*of)(const result::Result&);
};

/// All of them, in the order in which they are shown.
[[nodiscard]] const std::vector<Figure>& figures();

/// A value for a person: "12.34 ms", "85.42 mm2", "1 234", "99.44 %"; "-" for none.
[[nodiscard]] std::string text(const Figure& figure, const std::optional<double>& value);

}  // namespace bitline::compare
