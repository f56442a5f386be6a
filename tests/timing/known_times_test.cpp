// SPDX-License-Identifier: Apache-2.0
// What is kept of the times of stages never changes a time.
#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <array>
#include <memory>
#include <random>
#include <vector>

#include "sim/analytic/coupled.h"
#include "sim/analytic/feed_forward.h"
#include "sim/analytic/known_times.h"
#include "tests/timing/pipeline_times.h"
#include "tests/timing/random_chip.h"
#include "tests/unit/mapper/place/networks.h"

namespace bitline::timing_test {
namespace {

using analytic::Instant;
using analytic::KnownTimes;
using analytic::Times;

std::vector<Instant> rising(std::mt19937& random, std::size_t count) {
  std::vector<Instant> times(count, 1000.0 * static_cast<double>(random() % 1000));
  for (std::size_t i = 1; i < count; ++i) times[i] = times[i - 1] + static_cast<double>(random() % 3);
  return times;
}

std::vector<Instant> written(const Times& times) {
  std::vector<Instant> all;
  for (std::int64_t i = 0; i < times.stream->count; ++i) all.push_back(times[i]);
  return all;
}

TEST(KnownTimes, EqualStreamsAreOneWheneverTheyStart) {
  std::mt19937 random(1);
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    KnownTimes known;
    for (std::size_t count = 1; count < 40; ++count) {
      std::vector<Instant> times = rising(random, count);
      const auto size = static_cast<std::int64_t>(count);
      const Times first = known.keep(times.data(), size);
      EXPECT_EQ(written(first), times);
      for (Instant& time : times) time += 12'345;
      const Times later = known.keep(times.data(), size);
      EXPECT_EQ(later.stream, first.stream);
      EXPECT_EQ(written(later), times);
      for (std::size_t i = 1; i < count; ++i) {
        std::vector<Instant> other = times;
        other[i] += 1;
        EXPECT_NE(known.keep(other.data(), size).stream, first.stream) << hwy::TargetName(target);
        EXPECT_EQ(written(known.keep(other.data(), size)), other);
      }
    }
  }
  hwy::SetSupportedTargetsForTest(0);
}

/// There is no room for all values: whatever is driven away, what is found is right.
TEST(KnownTimes, MayForgetButNotMistake) {
  analytic::Memo<std::uint64_t> memo;
  const auto words = [](std::uint64_t i) {
    analytic::Words all;
    all.add(i);
    all.add(Instant{1.5} * static_cast<double>(i));
    return all;
  };
  constexpr std::uint64_t kCount = 100'000;
  for (std::uint64_t i = 0; i < kCount; ++i) {
    memo.add(words(i), i);
    ASSERT_NE(memo.find(words(i)), nullptr);
  }
  std::uint64_t found = 0;
  for (std::uint64_t i = 0; i < kCount; ++i) {
    const std::uint64_t* value = memo.find(words(i));
    if (value == nullptr) continue;
    ASSERT_EQ(*value, i);
    ++found;
  }
  EXPECT_GT(found, kCount / 10);
  EXPECT_EQ(memo.find(words(kCount)), nullptr);
}

TEST(KnownTimes, ForgetsAllWhereItIsFull) {
  KnownTimes known;
  std::vector<Instant> times(std::size_t{1} << 16, 0);
  analytic::Words words;
  words.add(std::uint64_t{1});
  known.held_up.add(words, true);
  known.forget_if_full();
  EXPECT_NE(known.held_up.find(words), nullptr);
  for (int i = 0; i < 40; ++i) {
    times.back() += 1;
    EXPECT_EQ(known.keep(times.data(), std::ssize(times)).last(), times.back());
  }
  known.forget_if_full();
  EXPECT_EQ(known.held_up.find(words), nullptr);
  EXPECT_EQ(written(known.keep(times.data(), std::ssize(times))), times);
}

/// Residual blocks between windows on padding alone.
std::shared_ptr<const graph::Graph> residual(std::int64_t kernel) {
  place::testing::GraphBuilder g;
  const auto a = g.conv(g.input({1, 4, 6, 6}), 4, 1, 1, 1);
  const auto b = g.add(g.conv(a, 4, kernel, 1, kernel / 2), a);
  const auto c = g.add(b, g.conv(b, 4, 1, 1, 0));
  return g.output(g.conv(c, 4, 1, 1, 1));
}

/// One of a few much alike.
Network network_of(std::mt19937& random, std::uint32_t seed) {
  if (seed % 3 == 0) return random_network(seed / 60);
  if (seed % 3 == 1) return random_chain(seed / 60, true);
  arch::Arch machine = round_machine();
  for (int* buffers : {&machine.ima.input_register.buffers, &machine.ima.output_register.buffers})
    *buffers = 1 + static_cast<int>(random() % 2);
  return place_network(residual(random() % 2 == 0 ? 3 : 5), machine);
}

/// Windows of a digital stage do not all take as long.
void make_uneven(std::mt19937& random, analytic::StageModel& stage) {
  std::vector<Instant>& read = stage.read.own();
  read.resize(static_cast<std::size_t>(stage.stage->pixels), read.front());
  read[random() % read.size()] += 1'000'000;
}

/// One thing is slower, a buffer larger, or windows are uneven. By few amounts, so that much is alike.
void change(std::mt19937& random, Network& network, analytic::PipelineModel& model) {
  const auto any = [&](auto& list) -> auto& {
    return list[random() % list.size()];
  };
  analytic::StageModel& stage = any(model.stages);
  analytic::Replica& copy = any(stage.replicas);
  constexpr std::array<Instant, 4> kSlower = {1, 100'000, 50'000'000, 100'000'000};
  const std::size_t edge = random() % model.edges.size();
  std::vector<Instant*> times = {&copy.fill,         &copy.drain,     &copy.deliver,
                                 &stage.fill_pace,   &stage.pace,     &stage.ima.first_read,
                                 &stage.ima.convert, &stage.ima.tail, &model.edges[edge].delay};
  if (!stage.read.empty()) times.push_back(&any(stage.read.own()));
  const std::size_t choice = random() % (times.size() + 2);
  if (choice < times.size())
    *times[choice] += kSlower[random() % kSlower.size()];
  else if (choice == times.size())
    network.program.edges[edge].capacity += static_cast<std::int64_t>(1 + random() % 3);
  else if (stage.layer == nullptr)
    make_uneven(random, stage);
}

/// Compares the times of networks with what those before have left, and with nothing.
class Askings {
 public:
  void compare(const Network& network, const analytic::PipelineModel& model, const analytic::Parts& parts,
               std::int64_t images, std::uint32_t seed) {
    const auto after_others = analytic::run_feed_forward(network.program, model, parts, images);
    const auto once_more = analytic::run_feed_forward(network.program, model, parts, images);
    const analytic::BorrowedTimes all_before;
    const auto alone = analytic::run_feed_forward(network.program, model, parts, images);
    used_once_.push_back(std::make_unique<analytic::BorrowedTimes>());
    ASSERT_EQ(alone.has_value(), after_others.has_value()) << seed;
    if (!alone) return;
    expect_equal(*after_others, *alone, seed);
    expect_equal(*once_more, *alone, seed);
    ++compared;
  }
  int compared = 0;

 private:
  std::vector<std::unique_ptr<analytic::BorrowedTimes>> used_once_;
};

TEST(KnownTimes, TimesDoNotDependOnWhatWasAskedBefore) {
  Askings askings;
  std::mt19937 random(1);
  for (std::uint32_t seed = 1; seed <= 600; ++seed) {
    Network network = network_of(random, seed);
    analytic::Parts parts(network.arch);
    analytic::PipelineModel model = analytic::probe(network.program, network.arch, network.layers, parts);
    for (int changes = 0; changes < 3; ++changes) change(random, network, model);
    askings.compare(network, model, parts, 1 + seed % 3, seed);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(askings.compared, 400);
}

/// Networks that differ in one thing each, with a layer that holds up those before it: windows, clock, when
/// inputs come, how large buffers are.
TEST(KnownTimes, AlikeIsNotEqual) {
  Askings askings;
  for (std::uint32_t seed = 0; seed < 2 * 2 * 4 * 12 * 3; ++seed) {
    Network network = place_network(residual(seed % 2 == 0 ? 3 : 5), round_machine());
    analytic::Parts parts(network.arch);
    analytic::PipelineModel model = analytic::probe(network.program, network.arch, network.layers, parts);
    if (seed / 2 % 2 == 1) network.arch.ima.clock = base::Frequency(7e6);
    std::vector<analytic::StageModel*> layers;
    for (analytic::StageModel& stage : model.stages)
      if (stage.layer != nullptr) layers.push_back(&stage);
    layers[seed / 4 % 4]->ima.first_read += 100'000'000;
    const std::size_t edge = seed / 16 % 12;
    if (edge < model.edges.size()) model.edges[edge].delay += 3'000'000;
    for (place::Edge& e : network.program.edges)
      e.capacity = std::max<std::int64_t>(e.capacity, 40 + seed / 192);
    askings.compare(network, model, parts, 1, seed);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(askings.compared, 500);
}

/// Seconds of femtoseconds are left to the coupled pipeline, and nothing of them is kept.
TEST(KnownTimes, TimesThatDoublesDoNotHoldAreNotKept) {
  const Network network = random_chain(1, true);
  analytic::Parts parts(network.arch);
  const analytic::PipelineModel model = analytic::probe(network.program, network.arch, network.layers, parts);
  analytic::PipelineModel slow = model;
  for (analytic::StageModel& stage : slow.stages) {
    for (Instant* time : {&stage.ima.first_read, &stage.ima.convert, &stage.ima.tail}) *time *= 1e7;
  }
  const auto before = analytic::run_feed_forward(network.program, model, parts, 1);
  ASSERT_TRUE(before.has_value());
  EXPECT_FALSE(analytic::run_feed_forward(network.program, slow, parts, 1).has_value());
  expect_equal(analytic::run_pipeline(network.program, slow, parts, 1),
               analytic::run_coupled(network.program, slow, parts, 1), 1);
  expect_equal(*analytic::run_feed_forward(network.program, model, parts, 1), *before, 1);
}

}  // namespace
}  // namespace bitline::timing_test
