// SPDX-License-Identifier: Apache-2.0
#include "tools/report/page.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string_view>

#include "models/base/files.h"
#include "sim/result/result.h"
#include "tools/report/assets.h"

namespace bitline::report {
namespace {

/// Of text between tags or in a quoted attribute.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

/// JSON that a <script> element may hold: neither "</script" nor "<!--" ends or changes it.
std::string script_json(const nlohmann::ordered_json& data) {
  const std::string text = data.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  std::string out;
  out.reserve(text.size() + text.size() / 64);
  for (const char c : text) {
    if (c == '<') {
      out += "\\u003c";  // '<' is only ever inside a string of JSON
    } else {
      out += c;
    }
  }
  return out;
}

/// A file name may hold any bytes; HTML here holds UTF-8 only.
std::string utf8(const std::string& text) {
  const nlohmann::ordered_json json = text;
  return nlohmann::ordered_json::parse(
             json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace))
      .get<std::string>();
}

constexpr const char* kPolicy =
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:";

std::string head(const Page& page) {
  std::string out = fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<meta name=\"generator\" content=\"Bitline {}\">\n<title>{}</title>\n",
      kPolicy, result::version(), escaped(utf8(page.title)));
  out += fmt::format("<style>\n{}</style>\n", asset("page.css"));
  for (const std::string& style : page.styles) out += fmt::format("<style>\n{}</style>\n", asset(style));
  return out + "</head>\n";
}

}  // namespace

std::string html(const Page& page, const nlohmann::ordered_json& data) {
  std::string out = head(page);
  out += fmt::format(
      "<body data-stem=\"{}\">\n<a class=\"skip\" href=\"#main\">Skip to the content</a>\n"
      "<header>\n<h1>{}</h1>\n",
      escaped(utf8(page.stem)), escaped(utf8(page.title)));
  if (!page.about.empty()) out += fmt::format("<p class=\"about\">{}</p>\n", escaped(utf8(page.about)));
  out += fmt::format(
      "</header>\n<nav aria-label=\"Sections\"></nav>\n<main id=\"main\">\n"
      "<noscript><p>This page draws its charts with JavaScript, which is switched off.</p></noscript>\n"
      "</main>\n<footer><p>Bitline {}. Charts: Apache ECharts, Apache License 2.0.</p></footer>\n"
      "<div id=\"live\" class=\"hidden\" aria-live=\"polite\"></div><div id=\"light\" hidden></div>\n",
      result::version());
  out += "<script type=\"application/json\" id=\"data\">" + script_json(data) + "</script>\n";
  for (const char* common : {"echarts.min.js", "page.js", "charts.js"})
    out += fmt::format("<script>\n{}</script>\n", asset(common));
  for (const std::string& script : page.scripts) out += fmt::format("<script>\n{}</script>\n", asset(script));
  return out + "</body>\n</html>\n";
}

void write_page(const std::string& path, const Page& page, const nlohmann::ordered_json& data) {
  base::write_file_atomically(path, html(page, data));
}

}  // namespace bitline::report
