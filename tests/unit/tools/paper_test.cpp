// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>

#include "tests/unit/sim/result_sample.h"
#include "tools/paper/latex.h"
#include "tools/paper/table.h"
#include "tools/paper/tex.h"

namespace bitline::paper {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Tex, SpecialCharactersAreShownAndDoNothing) {
  EXPECT_EQ(escaped("a&b%c$d#e_f{g}"), "a\\&b\\%c\\$d\\#e\\_f\\{g\\}");
  EXPECT_EQ(escaped("~^\\<>|"),
            "\\textasciitilde{}\\textasciicircum{}\\textbackslash{}\\textless{}\\textgreater{}\\textbar{}");
  EXPECT_EQ(escaped("--"), "{-}{-}");
  EXPECT_EQ(escaped("\"'`"), "''\\textquotesingle{}\\textasciigrave{}");
  EXPECT_EQ(escaped(std::string("\n\0\x7f", 3)), "???");
}

TEST(Tex, OtherScripts) {
  EXPECT_EQ(escaped("größe é"), "größe é");
  EXPECT_EQ(escaped("\xE5\xB1\xA4"), "U+5C64");
  EXPECT_EQ(escaped("\xF0\x9F\x99\x82"), "U+1F642");
  EXPECT_EQ(escaped("\xC3"), "U+FFFD");    // cut short
  EXPECT_EQ(escaped("\x80x"), "U+FFFDx");  // no beginning
  EXPECT_EQ(escaped("\xE5\xB1x"), "U+FFFDx");
}

TEST(Tex, NamesBreakAtSeparatorsAndInLongWords) {
  const std::string plain = "/layer1/conv1.bias_averyverylongword WWWWWWWW";
  const std::string tex = breakable(plain);
  EXPECT_THAT(
      tex, AllOf(HasSubstr("/\\allowbreak{}layer1/\\allowbreak{}conv1.\\allowbreak{}bias\\_\\allowbreak{}"),
                 HasSubstr("avery\\allowbreak{}veryl\\allowbreak{}ongw\\allowbreak{}ord "),
                 HasSubstr("WW\\allowbreak{}WW")));
  EXPECT_EQ(std::regex_replace(tex, std::regex("\\\\allowbreak\\{\\}"), ""), escaped(plain));
  EXPECT_EQ(breakable("conv1"), "conv1");
}

TEST(Tex, ColumnsShareAPrefix) {
  const Scale s = scale_of({1.234e-7, 5e-9, std::nullopt});
  EXPECT_EQ(s.prefix, "\\nano");
  EXPECT_EQ(column(s), "S[table-format=3.1]");
  EXPECT_EQ(cell(1.234e-7, s), "123.4");
  EXPECT_EQ(cell(5e-9, s), "5.0");
  EXPECT_EQ(cell(1e-12, s), "{$<$0.1}");
  EXPECT_EQ(cell(0.0, s), "0");
  EXPECT_EQ(cell(std::nullopt, s), "{--}");
  EXPECT_EQ(scale_of({9.9999e-7}).prefix, "\\micro");  // rounds to 1.000 micro
  EXPECT_EQ(column(scale_of({9.9999e-7})), "S[table-format=1.3]");
  EXPECT_EQ(scale_of({}).decimals, 0);
  EXPECT_EQ(scale_of({0.0}).prefix, "");
  EXPECT_EQ(scale_of({2e15}).prefix, "\\tera");
  EXPECT_EQ(cell(2e15, scale_of({2e15})), "2000");
  EXPECT_EQ(cell(1234.5, scale_of({1234.5}, false)), "1234");
}

TEST(Table, SharesAndRatios) {
  EXPECT_THAT(shares("x", {0.5, 1.0, std::nullopt}).cells, ElementsAre("50.0", "100.0", "{--}"));
  EXPECT_EQ(shares("x", {0.5, 1.0}).spec, "S[table-format=3.1]");
  EXPECT_THAT(shares("x", {-0.301, 0.0, 0.0001}, true).cells, ElementsAre("-30.1", "0.0", "0.0"));
  EXPECT_EQ(shares("x", {-0.301}, true).spec, "S[table-format=+2.1]");
  EXPECT_THAT(ratios("x", {0.5, 12.0}).cells, ElementsAre("0.50", "12.00"));
}

TEST(Table, LongTablesContinue) {
  TexTable table{"Caption", "tab:x", "Layer", {}, {texts("A", {})}, true};
  for (int i = 0; i < 120; ++i) {
    table.names.push_back(name("layer" + std::to_string(i)));
    table.columns[0].cells.push_back("1");
  }
  const std::string tex = to_tex(table);
  const auto times = [&](const std::string& what) {
    std::size_t n = 0;
    for (std::size_t at = tex.find(what); at != std::string::npos; at = tex.find(what, at + 1)) ++n;
    return n;
  };
  EXPECT_EQ(times("\\begin{table}"), 3U);
  EXPECT_EQ(times("\\end{table}"), 3U);
  EXPECT_EQ(times("(continued)"), 2U);
  EXPECT_EQ(times(" & 1 \\\\"), 120U);
  EXPECT_THAT(
      tex, AllOf(HasSubstr("\\label{tab:x}"), HasSubstr("\\label{tab:x-2}"), HasSubstr("\\label{tab:x-3}")));
  // The total stands below a rule of its own: three heads and that.
  EXPECT_EQ(times("\\midrule"), 4U);
}

compare::Run run(const std::string& label) {
  return {label, label + "/result.json", result::device_sample()};
}

const TexFile& file(const std::vector<TexFile>& files, const std::string& name) {
  return *std::find_if(files.begin(), files.end(), [&](const TexFile& f) { return f.name == name; });
}

TEST(Latex, TablesOfARunHoldItsFigures) {
  const std::vector<TexFile> files = run_tables(run("a"));
  ASSERT_EQ(files.size(), 3U);
  // 2 us, 0.3 J; adc 0.2 J of 0.3, 3 mm2 of 3.5; the layer's name has a comma and quotes.
  EXPECT_THAT(file(files, "summary.tex").content,
              AllOf(HasSubstr("latency of an image (\\unit{\\micro\\second}) & \\num{2.000}"),
                    HasSubstr("accuracy, top-1 (\\unit{\\percent}) & \\num{97.50}")));
  EXPECT_THAT(file(files, "components.tex").content, HasSubstr("adc & 200.0 & 66.7 & 3.000 & 85.7 \\\\"));
  EXPECT_THAT(file(files, "components.tex").content, HasSubstr("total & 300.0 & 100.0 & 3.500 & 100.0 \\\\"));
  EXPECT_THAT(file(files, "layers.tex").content,
              AllOf(HasSubstr("conv,\\allowbreak{} ''first'' & conv & 3 & 4--5 & 2.500 & 300.0 & 100.0"),
                    Not(HasSubstr("\""))));
}

TEST(Latex, AgainstABaseline) {
  compare::Run slow = run("slow_one");
  slow.result.latency.image *= 2;
  slow.result.energy.by_component[0].second = 0.5;
  slow.result.energy.total = 0.6;
  const std::vector<TexFile> files = comparison_tables(compare::compare({run("a"), slow}, 0));
  EXPECT_THAT(
      file(files, "comparison.tex").content,
      AllOf(
          HasSubstr("slow\\_one"),
          HasSubstr(
              "latency of an image (\\unit{\\micro\\second}) & \\num{2.000} & \\num{4.000} & \\num{2.000}")));
  EXPECT_THAT(file(files, "comparison-components.tex").content,
              HasSubstr("adc & 200.0 & 500.0 & +100.0 \\\\"));
  // Five others: two tables, ratios only.
  const std::vector<TexFile> many =
      comparison_tables(compare::compare({run("a"), slow, run("b"), run("c"), run("d"), run("e")}, 0));
  EXPECT_THAT(file(many, "comparison.tex").content, HasSubstr("\\label{tab:bitline-comparison-2}"));
}

}  // namespace
}  // namespace bitline::paper
