// SPDX-License-Identifier: Apache-2.0
// Buffers against a run that makes one window of one stage after another and looks at every stage and edge
// each time, on random networks.
#include "mapper/place/buffers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "mapper/place/pipeline.h"
#include "mapper/place/window_table.h"
#include "networks.h"
#include "random_program.h"

namespace bitline::place {
namespace {

using testing::GraphBuilder;

std::size_t at(int id) {
  return static_cast<std::size_t>(id);
}

/// An image through the stages, by nothing but Window's functions.
class OneByOne {
 public:
  explicit OneByOne(Program& program) : program_(program), made_(program.stages.size(), 0) {}

  /// Whether all windows can be made.
  bool passes() {
    while (go_on()) {
    }
    for (std::size_t s = 0; s < made_.size(); ++s) {
      if (made_[s] < program_.stages[s].pixels) return false;
    }
    return true;
  }

  /// From what windows span, where the run blocks the smallest full buffer in front of a stage that waits for
  /// other inputs grows (Parks, "Bounded scheduling of process networks", 1995).
  void grow_until_it_passes() {
    for (Edge& e : program_.edges) {
      e.capacity = 1;
      for (std::int64_t j = 0; j < consumer(e).pixels && !reduces(e); ++j)
        e.capacity = std::max(e.capacity, e.window.needed(j) - (j == 0 ? 0 : e.window.released(j - 1)));
    }
    while (go_on() || grow()) {
    }
    ASSERT_TRUE(passes());
  }

 private:
  [[nodiscard]] const Stage& consumer(const Edge& e) const { return program_.stages[at(e.consumer)]; }
  static bool reduces(const Edge& e) { return e.window.kind == Window::Kind::reduce; }

  [[nodiscard]] bool has_inputs(std::size_t s) const {
    const std::int64_t next = made_[s];
    if (next == program_.stages[s].pixels) return false;
    const auto& inputs = program_.stages[s].inputs;
    return std::all_of(inputs.begin(), inputs.end(), [&](EdgeId id) {
      const Edge& e = program_.edges[at(id)];
      return e.window.needed(next) <= made_[at(e.producer)];
    });
  }
  [[nodiscard]] bool full(const Edge& e) const {
    const std::int64_t done = made_[at(e.consumer)];
    const std::int64_t gone = done == 0 ? 0 : e.window.released(done - 1);
    return !reduces(e) && made_[at(e.producer)] - gone >= e.capacity;
  }
  [[nodiscard]] bool has_turn(std::size_t s) const {
    const LayerId layer = program_.stages[s].layer;
    const LayerId before = layer < 0 ? -1 : program_.layers[at(layer)].after;
    if (before < 0 || before > layer) return true;
    const StageId user = program_.layers[at(before)].stage;
    return made_[at(user)] == program_.stages[at(user)].pixels;
  }
  [[nodiscard]] bool can_make(std::size_t s) const {
    const auto& outputs = program_.stages[s].outputs;
    return has_turn(s) && has_inputs(s) && std::none_of(outputs.begin(), outputs.end(), [&](EdgeId id) {
             return full(program_.edges[at(id)]);
           });
  }
  /// One window of each stage that can make one.
  bool go_on() {
    bool any = false;
    for (std::size_t s = 0; s < made_.size(); ++s) {
      if (!can_make(s)) continue;
      ++made_[s];
      any = true;
    }
    return any;
  }
  bool grow() {
    Edge* smallest = nullptr;
    for (Edge& e : program_.edges) {
      if (full(e) && has_inputs(at(e.producer)) && !has_inputs(at(e.consumer)) &&
          (smallest == nullptr || e.capacity < smallest->capacity))
        smallest = &e;
    }
    if (smallest == nullptr) return false;
    smallest->capacity += std::max<std::int64_t>(1, smallest->capacity / 16);
    return true;
  }

  Program& program_;
  std::vector<std::int64_t> made_;
};

/// Convolutions, poolings and sums of values made before, two sizes of image, all read in the end.
Program random_stream(std::uint32_t seed) {
  std::mt19937 random(seed);
  GraphBuilder b;
  const std::int64_t side = 6 + 2 * (random() % 3);
  std::vector<graph::ValueId> values = {b.conv(b.input({1, 3, side, side}), 4, 3, 1, 1)};
  const auto any = [&] { return values[random() % values.size()]; };
  const auto branches = [&] {
    for (int n = 0; n < 6; ++n) {
      graph::ValueId x = any();
      const std::int64_t kernel = 1 + 2 * (random() % 3);
      for (std::uint32_t layers = random() % 3; layers > 0; --layers)
        x = b.conv(x, 4, kernel, 1, kernel / 2, random() % 2 == 0 ? 1 : 4);
      values.push_back(b.add(x, any()));
    }
  };
  branches();
  graph::ValueId all = values.back();
  for (const graph::ValueId v : values) all = b.concat(all, v);
  values = {b.conv(all, 4, 3, 2, 1), b.conv(all, 4, 1, 2, 0)};
  branches();
  graph::ValueId sum = values.back();
  for (const graph::ValueId v : values) sum = b.add(sum, v);
  Program program;
  program.graph = b.output(random() % 2 == 0 ? sum : b.global_pool(sum));
  build_pipeline(program, 8);
  return program;
}

TEST(Buffers, LetAnImagePass) {
  std::size_t blocked = 0;
  for (std::uint32_t seed = 0; seed < 1000; ++seed) {
    Program program = testing::RandomProgram(seed).make();
    size_buffers(program, {});
    EXPECT_TRUE(OneByOne(program).passes()) << "network " << seed;
    for (Edge& e : program.edges) e.capacity -= e.capacity > 1 ? 1 : 0;
    blocked += OneByOne(program).passes() ? 0 : 1;
  }
  EXPECT_GT(blocked, 500U);  // with a pixel less
}

TEST(Buffers, AreHardlyLargerThanThoseThatGrowWhereAnImageBlocks) {
  std::int64_t sum = 0, grown = 0, spans = 0;
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    Program program = random_stream(seed);
    Program other = program;
    size_buffers(program, {});
    EXPECT_TRUE(OneByOne(program).passes()) << "network " << seed;
    OneByOne(other).grow_until_it_passes();
    for (std::size_t e = 0; e < program.edges.size(); ++e) {
      sum += program.edges[e].capacity;
      grown += other.edges[e].capacity;
      spans += window_table(other.edges[e].window, program.stages[at(other.edges[e].consumer)].pixels)->span;
    }
  }
  EXPECT_LT(sum, 1.05 * static_cast<double>(grown));
  EXPECT_GT(grown, spans + spans / 2);
}

}  // namespace
}  // namespace bitline::place
