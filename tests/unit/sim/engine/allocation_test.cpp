// SPDX-License-Identifier: Apache-2.0
// The engine allocates its buffers once per thread and run: a run over more tiles makes no more allocations.
// An executable of its own, as it replaces operator new.
#include <gtest/gtest.h>
#include <tbb/global_control.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "engine_cases.h"
#include "sim/engine/layer_function.h"
#include "sim/engine/window_source.h"

namespace {

std::atomic<std::int64_t> allocations{0};

void* counted(std::size_t size, std::size_t alignment) {
  ++allocations;
  const std::size_t whole = (size + alignment - 1) / alignment * alignment;
  void* made = std::aligned_alloc(alignment, whole == 0 ? alignment : whole);
  if (made == nullptr) throw std::bad_alloc();
  return made;
}

}  // namespace

void* operator new(std::size_t size) {
  return counted(size, alignof(std::max_align_t));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return counted(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* made) noexcept {
  std::free(made);
}
void operator delete(void* made, std::size_t) noexcept {
  std::free(made);
}
void operator delete(void* made, std::align_val_t) noexcept {
  std::free(made);
}
void operator delete(void* made, std::size_t, std::align_val_t) noexcept {
  std::free(made);
}

namespace bitline::engine {
namespace {

/// Inputs that differ from position to position.
class Inputs final : public InputSource {
 public:
  Inputs(std::int64_t positions, const test::EngineCase& of) : positions_(positions), of_(of) {}
  [[nodiscard]] std::int64_t positions() const override { return positions_; }
  void gather(std::int64_t first, int count, std::int32_t* out) const override {
    const auto rows = static_cast<std::int64_t>(of_.slow.groups) * of_.slow.rows;
    for (std::int64_t i = 0; i < count * rows; ++i)
      out[i] = of_.x[static_cast<std::size_t>((first * rows + i) * 7 % std::ssize(of_.x))];
  }

 private:
  std::int64_t positions_;
  const test::EngineCase& of_;
};

class Nowhere final : public OutputSink {
 public:
  void store(std::int64_t, int, const std::int64_t* y) override { sum += *y; }
  std::int64_t sum = 0;
};

std::int64_t allocations_of(const LayerFunction& layer, const test::EngineCase& of, std::int64_t positions) {
  Nowhere nowhere;
  const std::int64_t before = allocations;
  (void)layer.run(Inputs(positions, of), nowhere);
  return allocations - before;
}

TEST(Allocations, DoNotGrowWithTheTiles) {
  const tbb::global_control one(tbb::global_control::max_allowed_parallelism, 1);
  std::int64_t converting = 0;
  for (std::uint32_t seed = 1; seed <= 80; ++seed) {
    const test::EngineCase random = test::random_case(seed);
    SCOPED_TRACE(random.describe());
    const LayerFunction layer(random.sliced, random.drives, random.slow.arch.ima.gate_zero_chunks);
    // At most 128 positions a tile: these are 10 tiles and more, and 30 and more.
    const std::int64_t few = allocations_of(layer, random, 1280);
    EXPECT_GT(few, 0);
    EXPECT_EQ(allocations_of(layer, random, 3840), few);
    converting += layer.converting_sets() > 0 ? 1 : 0;
  }
  EXPECT_GT(converting, 30);
}

/// Windows are cut out of the image where they are needed.
TEST(Allocations, NoneToGatherWindows) {
  graph::Graph graph;
  graph::ConvAttributes conv;
  conv.kernel = {3, 3};
  conv.strides = {1, 1};
  conv.pads = {1, 1, 1, 1};
  conv.dilations = {1, 1};
  graph.values = {{.name = "x", .shape = {1, 4, 9, 9}, .producer = -1, .constant = nullptr},
                  {.name = "y", .shape = {1, 2, 9, 9}, .producer = 0, .constant = nullptr}};
  graph.nodes.push_back({.name = "c",
                         .onnx_type = "Conv",
                         .op = graph::Op::conv,
                         .attributes = std::move(conv),
                         .inputs = {0},
                         .outputs = {1}});
  const std::vector<std::int32_t> codes(4 * 9 * 9, 3);
  const WindowSource source(graph, graph.nodes.front(), codes, 0);
  std::vector<std::int32_t> window(81 * 36);
  const std::int64_t before = allocations;
  source.gather(0, 81, window.data());
  EXPECT_EQ(allocations, before);
  EXPECT_EQ(window[40 * 36], 3);
}

}  // namespace
}  // namespace bitline::engine
