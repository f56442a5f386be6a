// SPDX-License-Identifier: Apache-2.0
// Every kernel on every instruction set against its plain C++, at sizes that leave parts of vectors over.
#include <gmock/gmock.h>

#include <array>
#include <limits>
#include <random>

#include "sim/engine/layer_function.h"
#include "sim/engine/layer_plan.h"
#include "sim/engine/scalar_kernels.h"

namespace bitline::engine {
namespace {

constexpr int kPositions = 5;
constexpr int kRowsRead = 128;  // room for the largest number of rows

class KernelTest : public testing::Test {
 protected:
  void TearDown() override { force_target(""); }

  template <class T>
  std::vector<T> numbers(std::size_t count, std::int64_t low, std::int64_t high) {
    std::uniform_int_distribution<std::int64_t> pick(low, high);
    std::vector<T> out(count);
    for (T& v : out) v = static_cast<T>(pick(random));
    return out;
  }
  /// kPositions x `rows` codes, `stride` apart.
  CodesJob job(int rows) {
    codes = numbers<std::uint16_t>(static_cast<std::size_t>(kPositions) * kRowsRead + kSlack, 0, 0xffff);
    return {.codes = codes.data(), .stride = kRowsRead, .positions = kPositions, .rows = rows};
  }

  std::mt19937 random{7};
  std::vector<std::uint16_t> codes;
};

TEST_F(KernelTest, Quantises) {
  for (const std::string& target : supported_targets()) {
    SCOPED_TRACE(target);
    force_target(target);
    for (const std::size_t count : {1u, 3u, 16u, 45u}) {
      std::vector<float> x;
      for (const auto v : numbers<int>(count, -4000, 4000)) x.push_back(static_cast<float>(v) * 0.0625F);
      QuantiseJob how{
          .x = x.data(), .count = count, .scale = 0.125, .zero_point = 3, .low = -128, .high = 127};
      std::vector<std::int32_t> got(count), expected(count);
      ASSERT_TRUE(quantise(how, got.data()));
      ASSERT_TRUE(scalar::quantise(how, expected.data()));
      EXPECT_EQ(got, expected);  // halves are among them: rounded to even
      for (const float bad :
           {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
        for (const std::size_t at : {std::size_t{0}, count / 2, count - 1}) {
          std::vector<float> y = x;
          y[at] = bad;
          how.x = y.data();
          EXPECT_FALSE(quantise(how, got.data()));
        }
      }
    }
  }
}

TEST_F(KernelTest, PreparesCodes) {
  for (const std::string& target : supported_targets()) {
    SCOPED_TRACE(target);
    force_target(target);
    for (const int rows : {1, 15, 32, 33, 64, 100, 128}) {
      SCOPED_TRACE(rows);
      const auto count = static_cast<std::size_t>(rows);
      const std::vector<std::int32_t> wide = numbers<std::int32_t>(count, -32768, 32767);
      std::vector<std::uint16_t> narrow(count), narrow_expected(count);
      narrow_codes(wide.data(), count, 0x7ff, narrow.data());
      scalar::narrow_codes(wide.data(), count, 0x7ff, narrow_expected.data());
      EXPECT_EQ(narrow, narrow_expected);

      const CodesJob from = job(rows);
      std::vector<std::uint16_t> any(kPositions), any_expected(kPositions);
      any_bits(from, any.data());
      scalar::any_bits(from, any_expected.data());
      EXPECT_EQ(any, any_expected);

      for (const int dac_bits : {1, 3, 8}) {
        const auto chunks = slice::input_chunks(16, true, dac_bits);
        std::vector<std::uint16_t> driven(count + kSlack), sums(count + kSlack), driven_too(count),
            sums_too(count);
        count_rows(from, chunks, driven.data(), sums.data());
        scalar::count_rows(from, chunks, driven_too.data(), sums_too.data());
        driven.resize(count);
        sums.resize(count);
        EXPECT_EQ(driven, driven_too);
        EXPECT_EQ(sums, sums_too);
      }
    }
  }
}

TEST_F(KernelTest, CutsBytesAndPlanes) {
  for (const std::string& target : supported_targets()) {
    SCOPED_TRACE(target);
    force_target(target);
    for (const int rows : {1, 15, 32, 33, 64, 100, 128}) {
      SCOPED_TRACE(rows);
      const CodesJob from = job(rows);
      const std::vector<Read> reads = {{0, 3, 2, 0, 0}, {1, 0, 8, 0, 0}, {4, 15, 1, 3, 0}};
      std::vector<std::uint8_t> got(kPositions * kRowsRead), expected(got.size());
      const auto same = [&](std::size_t lines) {
        for (std::size_t i = 0; i < lines; ++i) {
          for (std::size_t row = 0; row < static_cast<std::size_t>(rows); ++row)
            ASSERT_EQ(got[i * kRowsRead + row], expected[i * kRowsRead + row]);
        }
      };
      cut_reads(from, reads, got.data(), kRowsRead);
      scalar::cut_reads(from, reads, expected.data(), kRowsRead);
      same(reads.size());
      cut_limb(from, 1 << 12, 8, 0x1f, got.data(), kRowsRead);
      scalar::cut_limb(from, 1 << 12, 8, 0x1f, expected.data(), kRowsRead);
      same(kPositions);

      std::vector<std::uint32_t> planes(static_cast<std::size_t>(kPositions * 11 * words_of(rows)));
      std::vector<std::uint32_t> planes_expected(planes.size());
      split_planes(from, 11, planes.data());
      scalar::split_planes(from, 11, planes_expected.data());
      EXPECT_EQ(planes, planes_expected);
    }
  }
}

TEST_F(KernelTest, CutsCells) {
  for (const std::string& target : supported_targets()) {
    SCOPED_TRACE(target);
    force_target(target);
    for (const int rows : {1, 15, 16, 31, 64, 100}) {
      SCOPED_TRACE(rows);
      const auto count = static_cast<std::size_t>(rows);
      const std::vector<std::uint32_t> from = numbers<std::uint32_t>(count, 0, 0x1ffff);
      for (const CellsJob& cells :
           {CellsJob{from.data(), rows, 9, 0xff, 0}, CellsJob{from.data(), rows, 2, 7, 7}}) {
        std::vector<std::uint8_t> got(count), expected(count);
        cut_cells(cells, got.data());
        scalar::cut_cells(cells, expected.data());
        EXPECT_EQ(got, expected);
        EXPECT_EQ(sum_cells(cells), scalar::sum_cells(cells));
        std::vector<std::int32_t> levels(count, 5), levels_expected(count, 5);
        const std::vector<CellCut> cuts{{cells.shift, cells.mask, cells.flip}, {4, 3, 3}, {0, 1, 0}};
        const LevelsJob job{from.data(), rows, cuts};
        add_cells(job, levels.data());
        scalar::add_cells(job, levels_expected.data());
        EXPECT_EQ(levels, levels_expected);
      }
    }
  }
}

TEST_F(KernelTest, MultipliesBytes) {
  for (const std::string& target : supported_targets()) {
    SCOPED_TRACE(target);
    force_target(target);
    for (const int reads : {1, 8, 16, 17, 33, 129}) {
      for (const int rows : {64, 192}) {
        SCOPED_TRACE(testing::Message() << reads << " reads " << rows << " rows");
        const auto a_rows = static_cast<std::size_t>((reads + kReadTile - 1) / kReadTile * kReadTile);
        const auto a = numbers<std::uint8_t>(a_rows * static_cast<std::size_t>(rows), 0, 255);
        const auto b = numbers<std::int8_t>(static_cast<std::size_t>(2 * kStrip * rows), -128, 127);
        const ProductJob how{.a = a.data(),
                             .a_stride = static_cast<std::size_t>(rows),
                             .reads = reads,
                             .b = b.data(),
                             .quads = rows / kQuad,
                             .strips = 2};
        std::vector<std::int64_t> got(static_cast<std::size_t>(reads) * 2 * kStrip, 11), expected = got;
        multiply_add(how, 8, got.data(), 2 * kStrip);
        scalar::multiply_add(how, 8, expected.data(), 2 * kStrip);
        ASSERT_EQ(got, expected);
      }
    }
  }
}

/// Reads of 3 positions (two groups each, the second negative), some left out; columns in use, flipped,
/// scattered.
struct Conversions {
  std::vector<Read> reads;
  std::vector<ReadGroup> groups;
  std::vector<std::int32_t> flips, columns;
  Accumulation into;
};
Conversions conversions(int width, int used, bool scattered, std::vector<std::int64_t>& y) {
  Conversions made;
  for (int position = 0; position < 3; ++position) {
    for (int half = 0; half < 2; ++half) {
      const int first = static_cast<int>(made.reads.size());
      for (int k = 0; k < 3 + half; ++k) {
        if ((position + k) % 3 == 2) continue;
        made.reads.push_back({position, (half + k) * width, width, k, 0x10001 << k});
      }
      made.groups.push_back({position, 3 * half, half == 1, first, static_cast<int>(made.reads.size())});
    }
  }
  for (int i = 0; i < 2 * kStrip; ++i) made.flips.push_back(i % 3 == 0 ? -1 : 0);
  for (int i = 0; i < used; ++i) made.columns.push_back(i + i / 7);
  y.assign(3 * 4 * kStrip, 1000);
  made.into = {.y = y.data(),
               .stride = 4 * kStrip,
               .shift = 2,
               .negate = scattered,
               .flip = scattered ? made.flips.data() : nullptr,
               .columns = scattered ? made.columns.data() : nullptr,
               .count = used};
  return made;
}

constexpr std::array<Conversion, 3> kWays = {{{.limit = 40, .drop = 0, .analog = false},
                                              {.limit = 12, .drop = 2, .analog = false},
                                              {.limit = 20, .drop = 1, .analog = true}}};

TEST_F(KernelTest, ConvertsPlanes) {
  for (const std::string& target : supported_targets()) {
    SCOPED_TRACE(target);
    force_target(target);
    for (const Conversion& how : kWays) {
      for (const int words : {1, 4, 8, 9, 33}) {
        for (const int cell_bits : {1, 2, 3}) {
          for (const int width : {1, 2}) {
            SCOPED_TRACE(testing::Message() << words << " words, cells " << cell_bits << ", reads " << width);
            const auto inputs = numbers<std::uint16_t>(static_cast<std::size_t>(3 * 10 * words), 0, 0xffff);
            std::vector<std::uint32_t> planes;
            for (const std::uint32_t code : inputs) planes.push_back(code * 0x10001u);
            const auto size = static_cast<std::size_t>(2 * cell_bits * words * kStrip);
            const auto cells = numbers<std::uint16_t>(size, 0, 0xffff);
            const auto partner = numbers<std::uint16_t>(size, 0, 0xffff);
            std::vector<std::int64_t> got, expected;
            const auto run = [&](auto convert, std::vector<std::int64_t>& y) {
              // no padding here: every column of the strips is in use
              const Conversions made = conversions(width, 2 * kStrip, how.drop > 0, y);
              return convert(PlaneJob{.planes = planes.data(),
                                      .planes_stride = static_cast<std::size_t>(10 * words),
                                      .words = words,
                                      .cells = cells.data(),
                                      .partner = how.analog ? partner.data() : nullptr,
                                      .cell_bits = cell_bits,
                                      .strips = 2,
                                      .reads = made.reads,
                                      .groups = made.groups,
                                      .conversion = how,
                                      .into = made.into});
            };
            ASSERT_EQ(run(convert_planes, got), run(scalar::convert_planes, expected));
            ASSERT_EQ(got, expected);
          }
        }
      }
    }
  }
}

TEST_F(KernelTest, ConvertsSums) {
  for (const std::string& target : supported_targets()) {
    SCOPED_TRACE(target);
    force_target(target);
    for (const Conversion& how : kWays) {
      for (const bool narrow : {false, true}) {
        for (const int limbs : {1, 2}) {
          SCOPED_TRACE(testing::Message() << "narrow " << narrow << ", " << limbs << " limbs");
          constexpr std::size_t kRows = 64;
          const auto a = numbers<std::uint8_t>(64 * kRows, 0, 1);
          const auto b =
              numbers<std::int8_t>(2 * 2 * kStrip * kRows, how.analog ? -1 : 0, limbs == 1 ? 3 : 1);
          std::vector<std::int64_t> got, expected;
          const auto run = [&](auto convert, std::vector<std::int64_t>& y) {
            const Conversions made = conversions(1, 2 * kStrip, how.drop > 0, y);
            const ProductJob product{.a = a.data(),
                                     .a_stride = kRows,
                                     .reads = static_cast<int>(made.reads.size()),
                                     .b = b.data(),
                                     .quads = kRows / kQuad,
                                     .strips = 2};
            return convert(SumsJob{.product = product,
                                   .limbs = limbs,
                                   .limb_bytes = 2 * kStrip * kRows,
                                   .narrow = narrow,
                                   .reads = made.reads,
                                   .groups = made.groups,
                                   .conversion = how,
                                   .into = made.into});
          };
          ASSERT_EQ(run(convert_sums, got), run(scalar::convert_sums, expected));
          ASSERT_EQ(got, expected);
        }
      }
    }
  }
}

}  // namespace
}  // namespace bitline::engine
