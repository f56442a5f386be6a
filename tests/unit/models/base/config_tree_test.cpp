// SPDX-License-Identifier: Apache-2.0
#include "models/base/config_tree.h"

#include <gmock/gmock.h>

#include <sstream>
#include <string>
#include <vector>

namespace bitline::base {
namespace {

using testing::HasSubstr;

struct Parsed {
  ConfigNode root;
  std::vector<Problem> problems;
  [[nodiscard]] std::string messages() const {
    std::string text;
    for (const Problem& problem : problems) text += problem.str() + "\n";
    return text;
  }
};

Parsed parse(const std::string& text) {
  Parsed parsed;
  parsed.root = parse_yaml(text, "f.yaml", parsed.problems);
  return parsed;
}

TEST(ParseYaml, RemembersWhereKeysStand) {
  const Parsed parsed = parse("# comment\na: 1 ns\nb:\n  c: [1, 2]\n  d: {value: x}\n");
  ASSERT_TRUE(parsed.problems.empty()) << parsed.messages();
  ASSERT_EQ(parsed.root.members.size(), 2u);
  EXPECT_EQ(parsed.root.members[0].key, "a");
  EXPECT_EQ(parsed.root.members[0].node.text, "1 ns");
  EXPECT_EQ(parsed.root.members[0].where, "f.yaml:2");
  const ConfigNode& b = parsed.root.members[1].node;
  ASSERT_EQ(b.members.size(), 2u);
  EXPECT_EQ(b.members[0].where, "f.yaml:4");
  ASSERT_EQ(b.members[0].node.items.size(), 2u);
  EXPECT_EQ(b.members[0].node.items[1].text, "2");
  EXPECT_EQ(b.members[1].node.members[0].key, "value");
}

TEST(ParseYaml, AnEmptyFileIsAnEmptyMap) {
  EXPECT_TRUE(parse("").root.members.empty());
  EXPECT_TRUE(parse("# only a comment\n").root.members.empty());
}

TEST(ParseYaml, ReportsEachDuplicateKeyWithBothLines) {
  const Parsed parsed = parse("a: 1\na: 2\nb:\n  c: 1\n  c: 2\n");
  EXPECT_EQ(parsed.messages(),
            "f.yaml:2: key 'a' given twice; allowed: once (first at f.yaml:1)\n"
            "f.yaml:5: key 'c' given twice; allowed: once (first at f.yaml:4)\n");
}

TEST(ParseYaml, RefusesAnchorsAliasesTagsAndSecondDocuments) {
  EXPECT_THAT(parse("a: &x 1\nb: *x\n").messages(), HasSubstr("f.yaml:2: an alias"));
  EXPECT_THAT(parse("a: &x 1\n").messages(), HasSubstr("f.yaml:1: an anchor"));
  EXPECT_THAT(parse("a: !!int 1\n").messages(), HasSubstr("the tag"));
  EXPECT_THAT(parse("a: 1\n---\nb: 2\n").messages(), HasSubstr("more than one YAML document"));
  EXPECT_THAT(parse("? [1, 2]\n: 3\n").messages(), HasSubstr("a list or map as a key"));
}

TEST(ParseYaml, AnAliasBombCostsNothing) {
  std::ostringstream bomb;
  bomb << "a0: &a0 [x, x]\n";
  for (int i = 1; i < 40; ++i) {
    bomb << "a" << i << ": &a" << i << " [*a" << i - 1 << ", *a" << i - 1 << "]\n";
  }
  const Parsed parsed = parse(bomb.str());
  EXPECT_FALSE(parsed.problems.empty());
  EXPECT_LE(parsed.problems.size(), 60u);
}

TEST(ParseYaml, DeepNestingIsAProblemNotAStackOverflow) {
  EXPECT_THAT(parse(std::string(100000, '[')).messages(), HasSubstr("nested too deeply"));
  std::string maps;
  for (int i = 0; i < 300; ++i) maps += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  EXPECT_THAT(parse(maps).messages(), HasSubstr("nested too deeply"));
}

TEST(ParseYaml, TheLastOfManyKeysIsComparedWithAll) {
  std::ostringstream keys;
  for (int i = 0; i < 60000; ++i) keys << "k" << i << ": \n";
  const std::string text = keys.str();
  EXPECT_EQ(parse(text).root.members.size(), 60000U);
  EXPECT_THAT(parse(text + "k7: 1\n").messages(),
              HasSubstr("f.yaml:60001: key 'k7' given twice; allowed: once (first at f.yaml:8)"));
}

TEST(ParseYaml, BinaryAndBrokenTextAreProblemsWithALine) {
  EXPECT_THAT(parse(std::string("a: 1\n\0b", 7)).messages(),
              HasSubstr("f.yaml:2: a control character (byte 0)"));
  for (const char* broken :
       {"\xff", "\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf5\x80\x80\x80"})  // UTF-8 has none of these
    EXPECT_THAT(parse(std::string("a: 1\nb: ") + broken + "\n").messages(),
                HasSubstr("f.yaml:2: bytes that are not UTF-8"));
  EXPECT_EQ(parse("a: \xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80\n").messages(), "");
  EXPECT_THAT(parse("a: [1, 2\nb: }\n").messages(), HasSubstr("is not valid YAML"));
  EXPECT_THAT(parse("a:\n\tb: 1\n").messages(), HasSubstr("f.yaml:2: is not valid YAML"));
}

TEST(YamlScalar, ReadsBackAsTheSameText) {
  for (const std::string text : {"isaac",
                                 "a: b",
                                 "# c",
                                 "say \"x\" \\ y",
                                 "null",
                                 "~",
                                 "",
                                 " x",
                                 "x ",
                                 "- a",
                                 "[1]",
                                 "{a}",
                                 "&a",
                                 "*a",
                                 "!t",
                                 "%d",
                                 "@x",
                                 "two\nlines\tand a tab",
                                 "2016), table: 8, 16 mW",
                                 "über",
                                 "'q'",
                                 "a,b",
                                 "true"}) {
    const Parsed parsed = parse("k: {value: " + yaml_scalar(text) + ", source: " + yaml_scalar(text) + "}\n");
    ASSERT_TRUE(parsed.problems.empty()) << text << "\n" << parsed.messages();
    EXPECT_EQ(parsed.root.members.at(0).node.members.at(0).node.text, text);
    EXPECT_EQ(parsed.root.members.at(0).node.members.at(1).node.text, text);
  }
}

}  // namespace
}  // namespace bitline::base
