// SPDX-License-Identifier: Apache-2.0
// SystemC has one kernel per process, so every simulation of a test runs in a child of its own and brings its
// result back as named whole numbers.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace bitline::timing_test {

using Figures = std::map<std::string, std::int64_t>;

/// Runs `work` in a child process and returns its figures. An exception becomes the only figure,
/// "error: <message>". Throws std::runtime_error if the child dies.
[[nodiscard]] Figures in_child(const std::function<Figures()>& work);

}  // namespace bitline::timing_test
