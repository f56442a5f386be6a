// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "models/base/errors.h"
#include "models/base/files.h"
#include "tools/report/assets.h"
#include "tools/report/page.h"

namespace bitline::report {
namespace {

using testing::HasSubstr;
using testing::Not;
using Json = nlohmann::ordered_json;

std::string between(const std::string& text, const std::string& from, const std::string& to) {
  const std::size_t begin = text.find(from) + from.size();
  return text.substr(begin, text.find(to, begin) - begin);
}

const Page kPage{"a title", "stem", "about it", {}, {}};

TEST(Assets, AreEmbeddedByteForByte) {
  EXPECT_EQ(asset("echarts.min.js"),
            base::read_file(BITLINE_SOURCE_DIR "/tools/report/vendor/echarts/echarts.min.js", 1 << 22));
  EXPECT_EQ(asset("page.css"), base::read_file(BITLINE_SOURCE_DIR "/tools/report/assets/page.css", 1 << 20));
  EXPECT_THROW(static_cast<void>(asset("page")), std::logic_error);
}

TEST(Page, HoldsItsPartsInOrder) {
  Page page = kPage;
  page.scripts = {"page.js"};
  const std::string text = html(page, Json::object());
  EXPECT_THAT(text,
              testing::StartsWith("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"));
  const std::string script(asset("page.js"));
  const std::size_t style = text.find(asset("page.css")), echarts = text.find(asset("echarts.min.js")),
                    first = text.find(script), second = text.find(script, first + 1);
  EXPECT_TRUE(style < echarts && echarts < first && first < second && second != std::string::npos);
}

TEST(Page, DataComeBackWhateverTheyHold) {
  const Json data = {{"name", "</script><script>alert(1)</script><!-- & \" \u00b5"}, {"value", 0.1}};
  const std::string text = html(kPage, data);
  const std::string json = between(text, "id=\"data\">", "</script>");
  EXPECT_EQ(Json::parse(json), data);
  EXPECT_THAT(text, Not(HasSubstr("alert(1)</script>")));
}

TEST(Page, TextsAreNeverMarkup) {
  const std::string text = html({"<b>\"x\" & y", "a\"onload=\"b", "<i>", {}, {}}, Json::object());
  EXPECT_THAT(text, HasSubstr("<title>&lt;b&gt;&quot;x&quot; &amp; y</title>"));
  EXPECT_THAT(text, HasSubstr("<h1>&lt;b&gt;&quot;x&quot; &amp; y</h1>"));
  EXPECT_THAT(text, HasSubstr("data-stem=\"a&quot;onload=&quot;b\""));
  EXPECT_THAT(text, HasSubstr("<p class=\"about\">&lt;i&gt;</p>"));
}

TEST(Page, ANameThatIsNoUtf8IsStillAPage) {
  EXPECT_THAT(html({"a\xff", "a\xff", "a\xff", {}, {}}, {{"name", "\xff"}}), Not(HasSubstr("\xff")));
}

TEST(Page, IsWrittenWhole) {
  const std::string path = testing::TempDir() + "page.html";
  write_page(path, kPage, Json::object());
  EXPECT_EQ(base::read_file(path, 1 << 22), html(kPage, Json::object()));
  EXPECT_THROW(write_page("/nowhere/at/all.html", kPage, Json::object()), base::UsageError);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace bitline::report
