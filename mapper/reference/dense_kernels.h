// SPDX-License-Identifier: Apache-2.0
// Convolution and matrix product through oneDNN, one thread each. A kernel holds its primitive and the
// weights in the layout that suits it; it is immutable, so threads share it and each brings a Workspace.
#pragma once

#include <cstddef>
#include <memory>
#include <new>

#include "mapper/graph/graph.h"

namespace bitline::reference {

/// Cache-aligned memory that grows.
class AlignedBuffer {
 public:
  /// At least `bytes` bytes; earlier contents are lost where it grows.
  [[nodiscard]] void* reserve(std::size_t bytes);

 private:
  static constexpr std::align_val_t kAlignment{64};
  struct Free {
    void operator()(std::byte* p) const { ::operator delete(p, kAlignment); }
  };
  std::unique_ptr<std::byte, Free> memory_;
  std::size_t size_ = 0;
};

/// Scratch memory of one run.
struct Workspace {
  AlignedBuffer x, y, scratch;
};

/// Confines oneDNN to the calling thread while it lives.
class SingleThread {
 public:
  SingleThread();
  ~SingleThread();
  SingleThread(const SingleThread&) = delete;
  SingleThread& operator=(const SingleThread&) = delete;

 private:
  int before_;
};

class DenseKernel {
 public:
  virtual ~DenseKernel() = default;
  /// Row-major `x` and `y` of the shapes the kernel was made for.
  virtual void run(const float* x, float* y, Workspace& workspace) const = 0;
};

/// For a conv or linear node with its input and output shapes. Keeps a reference to the node's weights.
/// Throws base::NetworkError if oneDNN refuses the node.
[[nodiscard]] std::unique_ptr<DenseKernel> make_dense_kernel(const graph::Node& node, const graph::Shape& x,
                                                             const graph::Shape& y);

}  // namespace bitline::reference
