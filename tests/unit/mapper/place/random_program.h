// SPDX-License-Identifier: Apache-2.0
// Random streams between stages of every kind of window: kernels, sums, interpolations and other moves,
// whole images, reductions; and layers that take turns on crossbars.
#pragma once

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

#include "mapper/place/program.h"

namespace bitline::place::testing {

class RandomProgram {
 public:
  explicit RandomProgram(std::uint32_t seed) : random_(seed) {}

  Program make() {
    add_stage(4 + any(9), 4 + any(9));
    for (std::int64_t n = 8 + any(10); n > 0; --n) {
      switch (any(8)) {
        case 0:
          add_moves();
          break;
        case 1:
          add_reduction();
          break;
        case 2:
        case 3:
        case 4:
          add_join();
          break;
        default:
          add_kernel();
      }
    }
    add_end();
    if (any(3) == 0) take_turns();
    return std::move(program_);
  }

 private:
  struct Size {
    std::int64_t h, w;
    friend bool operator==(const Size&, const Size&) = default;
  };

  std::int64_t any(std::int64_t count) { return static_cast<std::int64_t>(random_()) % count; }
  static std::size_t at(int id) { return static_cast<std::size_t>(id); }
  StageId any_stage() { return static_cast<StageId>(any(std::ssize(program_.stages))); }

  StageId add_stage(std::int64_t h, std::int64_t w) {
    Stage stage;
    stage.name = "stage " + std::to_string(program_.stages.size());
    stage.pixels = h * w;
    program_.stages.push_back(stage);
    sizes_.push_back({h, w});
    return static_cast<StageId>(program_.stages.size()) - 1;
  }

  void connect(StageId from, StageId to, Window window) {
    window.in_h = sizes_[at(from)].h, window.in_w = sizes_[at(from)].w;
    window.out_h = sizes_[at(to)].h, window.out_w = sizes_[at(to)].w;
    const auto id = static_cast<EdgeId>(program_.edges.size());
    Edge edge;
    edge.producer = from;
    edge.consumer = to;
    edge.window = window;
    program_.edges.push_back(edge);
    program_.stages[at(from)].outputs.push_back(id);
    program_.stages[at(to)].inputs.push_back(id);
  }

  void add_kernel() {
    const StageId from = any_stage();
    Window window;
    window.kind = Window::Kind::sliding;
    const auto size = [&](std::int64_t in, std::int64_t& kernel, std::int64_t& stride, std::int64_t& pad,
                          std::int64_t& dilation) {
      dilation = 1 + any(2);
      kernel = any(3) * 2 * dilation + 1;
      stride = 1 + any(2);
      pad = std::min(kernel / 2 + any(2), kernel - 1);
      return (in + 2 * pad - kernel) / stride + 1;
    };
    const Size in = sizes_[at(from)];
    const std::int64_t h = size(in.h, window.kernel_h, window.stride_h, window.pad_top, window.dilation_h);
    const std::int64_t w = size(in.w, window.kernel_w, window.stride_w, window.pad_left, window.dilation_w);
    if (h < 1 || w < 1) return;
    const StageId id = add_stage(h, w);
    LayerPlacement layer;
    layer.stage = id;
    program_.stages[at(id)].layer = static_cast<LayerId>(program_.layers.size());
    program_.layers.push_back(layer);
    connect(from, id, window);
  }

  /// Of an image of another size: near the same place, or anywhere, or nothing.
  void add_moves() {
    const StageId from = any_stage();
    const Size in = sizes_[at(from)];
    const StageId id = add_stage(1 + any(2 * in.h), 1 + any(2 * in.w));
    const Size out = sizes_[at(id)];
    const bool far = any(3) == 0;
    auto gather = std::make_shared<Gather>();
    std::vector<std::int64_t> sources;
    for (std::int64_t j = 0; j < out.h * out.w; ++j) {
      const std::int64_t row = j / out.w * in.h / out.h, column = j % out.w * in.w / out.w;
      sources.push_back(far ? any(in.h * in.w) : any(8) == 0 ? -1 : row * in.w + column);
    }
    std::int64_t needed = 0;
    for (const std::int64_t source : sources) {
      needed = std::max(needed, source + 1);
      gather->needed.push_back(needed);
      gather->taken.push_back(source < 0 ? 0 : 1);
    }
    gather->released.assign(sources.size(), in.h * in.w);
    for (std::size_t j = sources.size(); j-- > 1;) {
      const std::int64_t first = sources[j] < 0 ? in.h * in.w : sources[j];
      gather->released[j - 1] = std::min(gather->released[j], first);
    }
    Window window;
    window.kind = Window::Kind::gathered;
    window.gather = gather;
    connect(from, id, window);
  }

  void add_reduction() {
    const StageId from = any_stage();
    Window window;
    window.kind = Window::Kind::reduce;
    connect(from, add_stage(1, 1), window);
  }

  /// Pixel by pixel of images of the same size, and all of others.
  void add_join() {
    const StageId first = any_stage(), second = any_stage();
    join(add_stage(sizes_[at(first)].h, sizes_[at(first)].w), {first, second});
  }
  void join(StageId id, const std::vector<StageId>& inputs) {
    for (const StageId from : inputs) {
      Window window;
      window.kind = sizes_[at(from)] == sizes_[at(id)] ? Window::Kind::pixelwise : Window::Kind::all;
      connect(from, id, window);
    }
  }
  void add_end() {
    std::vector<StageId> unread;
    for (std::size_t s = 0; s < program_.stages.size(); ++s)
      if (program_.stages[s].outputs.empty()) unread.push_back(static_cast<StageId>(s));
    const Size size = sizes_[at(unread.back())];
    join(add_stage(size.h, size.w), unread);
  }

  void take_turns() {
    if (program_.layers.size() < 2) return;
    for (std::size_t l = 0; l < program_.layers.size(); ++l)
      program_.layers[l].after = static_cast<LayerId>(l == 0 ? program_.layers.size() - 1 : l - 1);
  }

  std::mt19937 random_;
  Program program_;
  std::vector<Size> sizes_;
};

}  // namespace bitline::place::testing
