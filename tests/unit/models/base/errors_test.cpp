// SPDX-License-Identifier: Apache-2.0
#include "models/base/errors.h"

#include <gmock/gmock.h>

namespace bitline::base {
namespace {

TEST(Problem, SaysWhereGivenAllowedAndRemedyOnOneLine) {
  EXPECT_EQ((Problem{"a.yaml:3: adc.rate", "'5' has no unit", "a frequency", "write 5 Hz"}.str()),
            "a.yaml:3: adc.rate: '5' has no unit; allowed: a frequency; write 5 Hz");
}

TEST(Problem, LeavesOutWhatIsEmpty) {
  EXPECT_EQ((Problem{"", "is broken", "", ""}.str()), "is broken");
  EXPECT_EQ((Problem{"x", "is broken", "", "mend it"}.str()), "x: is broken; mend it");
}

TEST(Problem, NamesOfStrangersStayOnOneReadableLine) {
  EXPECT_EQ((Problem{"node 'a\n\x1b[2J'", std::string("is\0broken\x7f", 10), "ü", ""}.str()),
            "node 'a\\x0a\\x1b[2J': is\\x00broken\\x7f; allowed: ü");
  const std::string text = Problem{std::string(1'000'000, 'n') + "'", "is broken", "", ""}.str();
  EXPECT_EQ(text.size(), 4000U);
  EXPECT_TRUE(text.starts_with("nnn") && text.ends_with("n': is broken")) << text;
}

TEST(Error, HasOneLinePerProblemAndItsExitCode) {
  const ConfigError error({Problem{"a", "b", "", ""}, Problem{"c", "d", "", ""}});
  EXPECT_STREQ(error.what(), "a: b\nc: d");
  EXPECT_EQ(error.code(), ExitCode::config);
  EXPECT_EQ(error.problems().size(), 2u);
}

TEST(Error, EachKindHasTheDocumentedExitCode) {
  const Problem p{"", "x", "", ""};
  EXPECT_EQ(static_cast<int>(UsageError(p).code()), 2);
  EXPECT_EQ(static_cast<int>(ConfigError(p).code()), 3);
  EXPECT_EQ(static_cast<int>(NetworkError(p).code()), 4);
  EXPECT_EQ(static_cast<int>(MappingError(p).code()), 5);
  EXPECT_EQ(static_cast<int>(SimulationError(p).code()), 6);
  EXPECT_EQ(static_cast<int>(TimeoutError(p).code()), 7);
}

TEST(Check, ThrowsForABugNamingTheCondition) {
  try {
    BITLINE_CHECK(1 + 1 == 3);
    FAIL() << "no exception";
  } catch (const std::logic_error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("1 + 1 == 3"));
    EXPECT_THAT(error.what(), testing::HasSubstr("errors_test.cpp"));
  }
  EXPECT_NO_THROW(BITLINE_CHECK(1 + 1 == 2));
}

}  // namespace
}  // namespace bitline::base
