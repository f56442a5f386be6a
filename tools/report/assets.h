// SPDX-License-Identifier: Apache-2.0
// The parts of pages (style, script, ECharts), embedded in the binary at build time: nothing is looked for at
// run time, so a page can be made wherever the program or the Python package is.
#pragma once

#include <cstddef>
#include <string_view>

namespace bitline::report {

/// The bytes of `assets/<name>`, or of "echarts.min.js". A name that there is not is a bug
/// (std::logic_error).
[[nodiscard]] std::string_view asset(std::string_view name);

/// One embedded file; embedded() is made by CMake.
struct Embedded {
  const char* name;
  const char* begin;
  const char* end;
};
[[nodiscard]] const Embedded* embedded(std::size_t& count);

}  // namespace bitline::report
