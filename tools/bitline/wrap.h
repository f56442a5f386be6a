// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace bitline::cli {

/// `text` in lines of at most `width` bytes, broken at spaces, each indented by `indent` of them; a longer
/// word has a line of its own. No line end at the end.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t width, std::size_t indent = 0);

}  // namespace bitline::cli
