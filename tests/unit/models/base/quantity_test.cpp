// SPDX-License-Identifier: Apache-2.0
#include "models/base/quantity.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>

namespace bitline::base {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(ParseQuantity, ReadsEachDimensionInItsUnit) {
  EXPECT_EQ(parse_quantity("1.28 GHz", Dimension::frequency), 1.28e9);
  EXPECT_EQ(parse_quantity("1.28 GS/s", Dimension::frequency), 1.28e9);
  EXPECT_EQ(parse_quantity("16 mW", Dimension::power), 0.016);
  EXPECT_EQ(parse_quantity("0.0096 mm2", Dimension::area), 0.0096);
  EXPECT_EQ(parse_quantity("1828 um2", Dimension::area), 0.001828);
  EXPECT_EQ(parse_quantity("1.56 pJ", Dimension::energy), 1.56e-12);
  EXPECT_EQ(parse_quantity("20 kOhm", Dimension::resistance), 20e3);
  EXPECT_EQ(parse_quantity("0.2 V", Dimension::voltage), 0.2);
  EXPECT_EQ(parse_quantity("6.4 GB/s", Dimension::byte_rate), 6.4e9);
  EXPECT_EQ(parse_quantity("0.032 um", Dimension::length), 32.0);
  EXPECT_EQ(parse_quantity("99.99", Dimension::none), 99.99);
  EXPECT_EQ(parse_quantity("-1e3W", Dimension::power), -1000.0);
  EXPECT_EQ(parse_quantity("1.5e+2 W", Dimension::power), 150.0);
}

TEST(ParseTime, ReadsWholeFemtoseconds) {
  EXPECT_EQ(parse_time("100 ns"), Time::from_ns(100));
  EXPECT_EQ(parse_time("781.25 ps").fs(), 781250);
  EXPECT_EQ(parse_time("0.78125 ns").fs(), 781250);
  EXPECT_EQ(parse_time("1e-9 s").fs(), 1'000'000);
  EXPECT_EQ(parse_time("2.000 fs").fs(), 2);
  EXPECT_EQ(parse_time("0 s"), Time{});
}

TEST(ParseBytes, ReadsDecimalAndBinaryPrefixes) {
  EXPECT_EQ(parse_bytes("64 KiB"), 65536);
  EXPECT_EQ(parse_bytes("64 KB"), 64000);
  EXPECT_EQ(parse_bytes("256 B"), 256);
  EXPECT_EQ(parse_bytes("1.5 KB"), 1500);
}

struct Fault {
  std::string text;
  std::string says;
};

class BadTime : public testing::TestWithParam<Fault> {};
TEST_P(BadTime, IsRefused) {
  EXPECT_THAT([&] { (void)parse_time(GetParam().text); },
              ThrowsMessage<ValueError>(HasSubstr(GetParam().says)));
}
INSTANTIATE_TEST_SUITE_P(
    Texts, BadTime,
    testing::Values(Fault{"100", "'100' has no unit"}, Fault{"100 mW", "has the unit 'mW'"},
                    Fault{"100 NS", "has the unit 'NS'"},
                    Fault{"1.5 fs", "not a whole number of femtoseconds"},
                    Fault{"0.5 fs", "not a whole number of femtoseconds"},
                    Fault{"1e-20 s", "not a whole number of femtoseconds"}, Fault{"1e300 s", "is too large"},
                    Fault{"9224 s", "is too large"}, Fault{"1e99999999999 s", "is not a number"},
                    Fault{"", "is not a number"}, Fault{"ns", "is not a number"},
                    Fault{"12abc", "has the unit 'abc'"}, Fault{"1..5 ns", "has the unit '..5 ns'"},
                    Fault{".5 ns", "is not a number"}, Fault{"+5 ns", "is not a number"},
                    Fault{"0x10 ns", "has the unit 'x10 ns'"}, Fault{"inf s", "is not a number"},
                    Fault{"1 ns 2", "has the unit 'ns 2'"}));

TEST(ParseQuantity, RefusesWhatIsNotFiniteOrNotANumber) {
  for (const char* text : {"nan Hz", ".nan Hz", "inf Hz", "1e400 Hz", "-1e400 Hz", "Hz", "1e Hz"}) {
    EXPECT_THROW((void)parse_quantity(text, Dimension::frequency), ValueError) << text;
  }
  EXPECT_THROW((void)parse_quantity("5 W", Dimension::none), ValueError);
}

TEST(ParseQuantity, NamesTheUnitsThatAreAllowed) {
  try {
    (void)parse_quantity("5 mW", Dimension::frequency);
    FAIL() << "no exception";
  } catch (const ValueError& error) {
    EXPECT_EQ(error.allowed(), "a frequency with a unit (Hz, kHz, MHz, GHz, S/s, kS/s, MS/s, GS/s)");
  }
}

TEST(ParseInteger, IsStrict) {
  EXPECT_EQ(parse_integer("-128"), -128);
  for (const char* text : {"128.0", "1e3", "12abc", "", " 1", "1 ", "0x1", "99999999999999999999", "+1"}) {
    EXPECT_THROW((void)parse_integer(text), ValueError) << text;
  }
}

TEST(ParseBytes, RefusesPartsAndOverflow) {
  for (const char* text : {"0.5 B", "1.5 KiB", "64", "1e30 B", "1e16 KiB", "64 kb"}) {
    EXPECT_THROW((void)parse_bytes(text), ValueError) << text;
  }
}

TEST(Print, UsesThePrefixThatSuits) {
  EXPECT_EQ(print_quantity(1.28e9, Dimension::frequency), "1.28 GHz");
  EXPECT_EQ(print_quantity(0.016, Dimension::power), "16 mW");
  EXPECT_EQ(print_quantity(0.00004, Dimension::area), "40 um2");
  EXPECT_EQ(print_quantity(22.88, Dimension::area), "22.88 mm2");
  EXPECT_EQ(print_quantity(0.0, Dimension::power), "0 W");
  EXPECT_EQ(print_quantity(-0.2, Dimension::voltage), "-200 mV");
  EXPECT_EQ(print_time(Time::from_fs(781250)), "781.25 ps");
  EXPECT_EQ(print_time(Time::from_ns(100)), "100 ns");
  EXPECT_EQ(print_time({}), "0 fs");
  EXPECT_EQ(print_bytes(65536), "64 KiB");
  EXPECT_EQ(print_bytes(1000), "1000 B");
}

TEST(Print, ReadsBackExactly) {
  std::mt19937_64 random(1);
  std::uniform_int_distribution<std::int64_t> fs(std::numeric_limits<std::int64_t>::min() + 1,
                                                 std::numeric_limits<std::int64_t>::max());
  std::uniform_real_distribution<double> exponent(-30.0, 30.0);
  for (int i = 0; i < 2000; ++i) {
    const Time time = Time::from_fs(fs(random) >> (i % 60));
    EXPECT_EQ(parse_time(print_time(time)), time);
    const std::int64_t bytes = fs(random) >> (i % 60);
    EXPECT_EQ(parse_bytes(print_bytes(bytes)), bytes);
    const double value = std::pow(10.0, exponent(random)) * (i % 2 == 0 ? 1 : -1);
    for (const Dimension d :
         {Dimension::power, Dimension::area, Dimension::energy, Dimension::none, Dimension::byte_rate}) {
      EXPECT_EQ(parse_quantity(print_quantity(value, d), d), value) << print_quantity(value, d);
    }
  }
}

TEST(ParseSeconds, TakesYears) {
  EXPECT_EQ(parse_seconds("315576000 s"), 315576000.0);
  EXPECT_EQ(parse_seconds("1.5 ns"), 1.5e-9);
  EXPECT_EQ(parse_seconds("10 ms"), 0.01);
  EXPECT_THROW((void)parse_seconds("10"), ValueError);
  EXPECT_THROW((void)parse_seconds("10 V"), ValueError);
}

}  // namespace
}  // namespace bitline::base
