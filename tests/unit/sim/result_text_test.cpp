// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "models/base/errors.h"
#include "sim/result/sha256.h"
#include "sim/result/text.h"

namespace bitline::result {
namespace {

TEST(Si, ChoosesThePrefixAfterRounding) {
  EXPECT_EQ(si(0.0, "J"), "0 J");
  EXPECT_EQ(si(1.2346e-9, "J"), "1.235 nJ");
  EXPECT_EQ(si(12.345, "W"), "12.35 W");
  EXPECT_EQ(si(0.99996, "s"), "1.000 s");
  EXPECT_EQ(si(999.96, "s"), "1.000 ks");
  EXPECT_EQ(si(1e-3, "s"), "1.000 ms");
  EXPECT_EQ(si(-2.5e6, "W"), "-2.500 MW");
  EXPECT_EQ(si(3e-22, "J"), "0.000 aJ");
}

TEST(Count, SeparatesThousands) {
  EXPECT_EQ(count(0), "0");
  EXPECT_EQ(count(999), "999");
  EXPECT_EQ(count(1000), "1 000");
  EXPECT_EQ(count(-1234567), "-1 234 567");
}

TEST(Shortened, CutsTheMiddleAtWholeCharacters) {
  EXPECT_EQ(shortened("short", 8), "short");
  EXPECT_EQ(shortened("abcdefghijkl", 8), "abc..jkl");
  const std::string cut = shortened("\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4", 8);
  EXPECT_EQ(cut, "\xC3\xA4..\xC3\xA4");
  EXPECT_EQ(shortened("a\nb\x1b[31m", 20), "a?b?[31m");
}

TEST(Table, AlignsAndShortensTheFirstColumn) {
  Table table({"name", "n"});
  table.add({"a", "12"});
  table.add({std::string(100, 'x'), "3"});
  const std::string text = table.str();
  EXPECT_THAT(text, ::testing::StartsWith("  name" + std::string(73, ' ') + "n\n"));
  EXPECT_THAT(text, ::testing::HasSubstr("..x"));
  EXPECT_THAT(text, ::testing::EndsWith("   3\n"));
}

// FIPS 180-4 examples (NIST).
TEST(Sha256, MatchesPublishedVectors) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, OfAFileIsThatOfItsBytes) {
  const std::string path = ::testing::TempDir() + "/sha256-" + std::to_string(::getpid());
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1} << 20, std::size_t{1'500'000}}) {  // pieces of 1 MiB
    const std::string bytes(size, 'x');
    std::ofstream(path, std::ios::binary) << bytes;
    EXPECT_EQ(sha256_of_file(path), sha256(bytes));
  }
  std::filesystem::remove(path);
  EXPECT_THROW(static_cast<void>(sha256_of_file(path)), base::UsageError);
  EXPECT_THROW(static_cast<void>(sha256_of_file(::testing::TempDir())), base::UsageError);
}

}  // namespace
}  // namespace bitline::result
