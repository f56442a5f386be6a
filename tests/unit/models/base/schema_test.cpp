// SPDX-License-Identifier: Apache-2.0
#include "models/base/schema.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace bitline::base {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

enum class Colour { red, green };

struct Part {
  int count = 4;
  std::int64_t size = 1024;
  double share = 0.5;
  double node = 32.0;
  bool on = false;
  std::string name;
  Time latency = Time::from_ns(5);
  Frequency clock{1e9};
  Frequency link{1e9};
  Voltage volts{0.2};
  Resistance ohms{1e3};
  Colour colour = Colour::red;
  std::vector<int> widths = {2};
  Cost cost;
};

Schema schema(Part& p) {
  Schema inner;
  inner.integer("count", p.count, 1, 8, "how many");
  inner.bytes("size", p.size, 1, 4096, "how large");
  inner.real("share", p.share, 0.0, 1.0, "how much");
  inner.length("node", p.node, 1.0, 100.0, "process");
  inner.flag("on", p.on, "whether");
  inner.time("latency", p.latency, {}, Time::from_ns(100), "how long");
  inner.frequency("clock", p.clock, Frequency(1.0), Frequency(1e12), "how fast");
  inner.byte_rate("link", p.link, Frequency(1.0), Frequency(1e12), "how wide");
  inner.voltage("volts", p.volts, Voltage(0.0), Voltage(1.0), "how high");
  inner.resistance("ohms", p.ohms, Resistance(1.0), Resistance(1e6), "how hard");
  inner.choice<Colour>("colour", p.colour, {{"red", Colour::red}, {"green", Colour::green}}, "which");
  inner.integers("widths", p.widths, 1, 8, false, "each");
  inner.cost(p.cost, "parts");
  Schema s;
  s.text("name", p.name, "called");
  s.add("part", std::move(inner));
  return s;
}

struct Applied {
  Part part;
  std::vector<Assignment> assignments;
  std::string messages;
};

std::string join(const std::vector<Problem>& problems) {
  std::string text;
  for (const Problem& problem : problems) text += problem.str() + "\n";
  return text;
}

Applied apply(const std::string& yaml) {
  Applied applied;
  std::vector<Problem> problems;
  const ConfigNode root = parse_yaml(yaml, "f", problems);
  applied.assignments = apply_tree(schema(applied.part), root, problems);
  applied.messages = join(problems);
  return applied;
}

Applied set(const std::vector<std::string>& overrides) {
  Applied applied;
  std::vector<Problem> problems;
  applied.assignments = apply_overrides(schema(applied.part), overrides, problems);
  applied.messages = join(problems);
  return applied;
}

TEST(ApplyTree, SetsEveryKindOfMember) {
  const Applied a = apply(
      "name: thing\npart:\n  count: 8\n  size: 2 KiB\n  share: 0.25\n  node: 22 nm\n  on: true\n  latency: 7 "
      "ns\n"
      "  clock: 2 GHz\n  link: 6.4 GB/s\n  volts: 0.3 V\n  ohms: 2 kOhm\n  colour: green\n  widths: [1, 3]\n"
      "  power: 3 mW\n  static_power: 1 uW\n  area: 2 um2\n  cost_of: 4\n");
  EXPECT_EQ(a.messages, "");
  EXPECT_EQ(a.part.name, "thing");
  EXPECT_EQ(a.part.count, 8);
  EXPECT_EQ(a.part.size, 2048);
  EXPECT_EQ(a.part.share, 0.25);
  EXPECT_EQ(a.part.node, 22.0);
  EXPECT_TRUE(a.part.on);
  EXPECT_EQ(a.part.latency, Time::from_ns(7));
  EXPECT_EQ(a.part.clock, Frequency(2e9));
  EXPECT_EQ(a.part.link, Frequency(6.4e9));
  EXPECT_EQ(a.part.volts, Voltage(0.3));
  EXPECT_EQ(a.part.ohms, Resistance(2e3));
  EXPECT_EQ(a.part.colour, Colour::green);
  EXPECT_THAT(a.part.widths, ElementsAre(1, 3));
  EXPECT_EQ(a.part.cost.power, Power(3e-3));
  EXPECT_EQ(a.part.cost.static_power, Power(1e-6));
  EXPECT_EQ(a.part.cost.area, Area(2e-6));
  EXPECT_EQ(a.part.cost.parts, 4);
}

TEST(ApplyTree, OwnSourceGoesBeforeTheSectionsSource) {
  const Applied a =
      apply("part:\n  count: {value: 2, source: own}\n  on: true\n  source: section\nname: x\n");
  EXPECT_EQ(a.messages, "");
  ASSERT_EQ(a.assignments.size(), 3u);
  EXPECT_EQ(a.assignments[0].key, "part.count");
  EXPECT_EQ(a.assignments[0].source, "own");
  EXPECT_EQ(a.assignments[0].where, "f:2");
  EXPECT_EQ(a.assignments[1].source, "section");
  EXPECT_EQ(a.assignments[2].source, "");
}

TEST(ApplyTree, ReportsEveryProblemAtOnce) {
  EXPECT_EQ(
      apply("part:\n  cuont: 1\n  count: 9\n  latency: 5\n  colour: blue\n  on: yes\nprat:\n  x: 1\n  y: 2\n")
          .messages,
      "f:2: part.cuont: unknown key; did you mean 'part.count'?\n"
      "f:3: part.count: '9' is out of range; allowed: 1 ... 8\n"
      "f:4: part.latency: '5' has no unit; allowed: a time with a unit (fs, ps, ns, us, ms, s)\n"
      "f:5: part.colour: 'blue' is not a choice; allowed: red, green\n"
      "f:6: part.on: 'yes' is not a choice; allowed: false, true\n"
      "f:7: prat: unknown key; did you mean 'part'?\n");
}

TEST(ApplyTree, AFileOfUnknownKeysHasThemAllButLooksForTheFirstFew) {
  std::ostringstream keys;
  for (int i = 0; i < 2000; ++i) keys << "nam" << i << ": 1\n";
  const std::string messages = apply(keys.str()).messages;
  EXPECT_EQ(std::count(messages.begin(), messages.end(), '\n'), 2000);
  EXPECT_THAT(messages, HasSubstr("f:1: nam0: unknown key; did you mean 'name'?\n"));
  EXPECT_THAT(messages, HasSubstr("f:2000: nam1999: unknown key; see configs/REFERENCE.md for all keys\n"));
}

TEST(ApplyTree, ReportsWrongShapes) {
  EXPECT_EQ(apply("part:\n  count: [1, 2]\n").messages, "f:2: part.count: a list; allowed: one value\n");
  EXPECT_EQ(apply("part:\n  count:\n").messages, "f:2: part.count: no value; allowed: a value\n");
  EXPECT_EQ(apply("part:\n  count: {valve: 1}\n").messages,
            "f:2: part.count: unknown key 'valve' in a value; allowed: value, source\n"
            "f:2: part.count: no `value` in it; allowed: a value, or {value: ..., source: ...}\n");
  EXPECT_EQ(apply("part: 3\n").messages,
            "f:1: part: a value where a section belongs; allowed: keys of this section, indented below it\n");
  EXPECT_EQ(apply("part:\n").messages,
            "f:1: part: an empty section; allowed: keys of this section, indented below it\n");
  EXPECT_EQ(apply("- 1\n").messages, "f:1: not a list of keys and values; allowed: key: value lines\n");
  EXPECT_THAT(apply("part:\n  source: [1]\n  count: 2\n").messages,
              HasSubstr("f:2: part.source: a source that is not text"));
  EXPECT_THAT(apply("part:\n  widths: []\n").messages, HasSubstr("an empty list"));
  EXPECT_THAT(apply("part:\n  widths: [1, 9]\n").messages,
              HasSubstr("'9' is out of range; allowed: 1 ... 8 each"));
  EXPECT_THAT(apply("part:\n  power: -1 mW\n").messages, HasSubstr("part.power: '-1 mW' is out of range"));
}

TEST(ApplyTree, IntegersBeyondTheTypeAreOutOfRange) {
  EXPECT_THAT(apply("part:\n  count: 4294967297\n").messages, HasSubstr("is out of range"));
  EXPECT_THAT(apply("part:\n  count: -9223372036854775808\n").messages, HasSubstr("is out of range"));
}

TEST(ApplyOverrides, SetsValuesAndLists) {
  const Applied a = set({"part.count=3", "part.widths=1, 3,3", "name=a=b", "part.latency=9 ns"});
  EXPECT_EQ(a.messages, "");
  EXPECT_EQ(a.part.count, 3);
  EXPECT_THAT(a.part.widths, ElementsAre(1, 3, 3));
  EXPECT_EQ(a.part.name, "a=b");
  EXPECT_EQ(a.assignments.front().source, "--set");
  EXPECT_THAT(set({"part.widths=[2, 2]"}).part.widths, ElementsAre(2, 2));
  EXPECT_THAT(set({"part.widths=5"}).part.widths, ElementsAre(5));
}

TEST(ApplyOverrides, ReportsEveryProblemAtOnce) {
  EXPECT_EQ(set({"part.cuont=1", "count", "=3", "part=1", "part.count=0", "part.on=true", "part.on=false"})
                .messages,
            "--set: part.cuont: unknown key; did you mean 'part.count'?\n"
            "--set count: no key and value; allowed: key.path=value\n"
            "--set =3: no key and value; allowed: key.path=value\n"
            "--set part=1: 'part' is a section; allowed: one of its keys\n"
            "--set: part.count: '0' is out of range; allowed: 1 ... 8\n"
            "--set part.on=false: 'part.on' is set twice; allowed: once\n");
}

TEST(Nearest, FindsTypingErrorsAndWrongSections) {
  Part part;
  const Schema s = schema(part);
  EXPECT_EQ(s.nearest("part.colur"), "part.colour");
  EXPECT_EQ(s.nearest("prat.colour"), "part.colour");
  EXPECT_EQ(s.nearest("colour"), "part.colour");
  EXPECT_EQ(s.nearest("pary"), "part");
  EXPECT_EQ(s.nearest("part.something_else"), "");
  EXPECT_EQ(s.nearest("x"), "");
  EXPECT_EQ(s.nearest(""), "");
  EXPECT_EQ(s.nearest(std::string(100000, 'x')), "");
}

TEST(Schema, GetIsWhatSetReads) {
  Part part;
  const Schema s = schema(part);
  for (const Field& field : s.fields()) {
    if (field.key == "name") continue;
    const std::string before = field.get();
    std::vector<Problem> problems;
    const ConfigNode node = parse_yaml("v: " + before + "\n", "f", problems);
    field.set(node.members.at(0).node);
    EXPECT_EQ(field.get(), before) << field.key;
    EXPECT_FALSE(field.doc.empty()) << field.key;
    EXPECT_FALSE(field.allowed.empty()) << field.key;
  }
}

}  // namespace
}  // namespace bitline::base
