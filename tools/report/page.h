// SPDX-License-Identifier: Apache-2.0
// One self-contained HTML file: style, scripts, ECharts and the data are inside, it opens offline and asks
// the network for nothing (a Content-Security-Policy says so). What a page's script may call: README.md.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace bitline::report {

struct Page {
  std::string title;  ///< plain text; of the window and of the heading
  std::string stem;   ///< plain text; how the names of downloaded files begin, e.g. "digits-cnn"
  std::string about;  ///< plain text below the heading; may be empty
  /// Assets (assets.h), in this order, after the common ones.
  std::vector<std::string> styles;
  std::vector<std::string> scripts;
};

/// The file's text. `data` is what `bitline.data` gives to the scripts; it may hold any text, whatever it
/// looks like.
[[nodiscard]] std::string html(const Page& page, const nlohmann::ordered_json& data);

/// Writes it under a temporary name and renames. Throws base::UsageError where it cannot be written.
void write_page(const std::string& path, const Page& page, const nlohmann::ordered_json& data);

}  // namespace bitline::report
