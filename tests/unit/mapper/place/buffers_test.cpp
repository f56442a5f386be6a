// SPDX-License-Identifier: Apache-2.0
// Buffers against a run that makes one window of one stage after another and looks at every stage and edge
// each time, on random networks of branches that join again.
#include "mapper/place/buffers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "mapper/place/pipeline.h"
#include "networks.h"

namespace bitline::place {
namespace {

using testing::GraphBuilder;

std::size_t at(int id) {
  return static_cast<std::size_t>(id);
}

/// What it says in buffers.h, without the slack, by nothing but Window's functions.
class OneByOne {
 public:
  explicit OneByOne(Program& program) : program_(program), made_(program.stages.size(), 0) {
    for (Edge& e : program_.edges) {
      e.capacity = 1;
      for (std::int64_t j = 0; j < consumer(e).pixels && !reduces(e); ++j)
        e.capacity = std::max(e.capacity, e.window.needed(j) - (j == 0 ? 0 : e.window.released(j - 1)));
    }
  }

  void run() {
    for (;;) {
      bool any = false;
      for (std::size_t s = 0; s < made_.size(); ++s) {
        if (!can_make(s)) continue;
        ++made_[s];
        any = true;
      }
      if (!any && !grow()) break;
    }
    for (std::size_t s = 0; s < made_.size(); ++s) ASSERT_EQ(made_[s], program_.stages[s].pixels);
    for (Edge& e : program_.edges)
      e.capacity = std::min(e.capacity, 2 * program_.stages[at(e.producer)].pixels);
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
  [[nodiscard]] bool can_make(std::size_t s) const {
    const auto& outputs = program_.stages[s].outputs;
    return has_inputs(s) && std::none_of(outputs.begin(), outputs.end(),
                                         [&](EdgeId id) { return full(program_.edges[at(id)]); });
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

TEST(Buffers, AreThoseOfARunWindowByWindow) {
  std::size_t grown = 0;
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    Program program = random_stream(seed);
    Program expected = program;
    Program again = program;
    size_buffers(program, {});
    size_buffers(again, {});  // from what is known of its structure
    for (std::size_t e = 0; e < program.edges.size(); ++e)
      EXPECT_EQ(again.edges[e].capacity, program.edges[e].capacity) << "network " << seed << " edge " << e;
    OneByOne(expected).run();
    for (std::size_t e = 0; e < program.edges.size(); ++e) {
      EXPECT_EQ(program.edges[e].capacity, expected.edges[e].capacity) << "network " << seed << " edge " << e;
      grown += program.edges[e].capacity > 40 ? 1 : 0;
    }
  }
  EXPECT_GT(grown, 300U);  // the networks need more than their windows do
}

}  // namespace
}  // namespace bitline::place
