// SPDX-License-Identifier: Apache-2.0
// Input and output register of an IMA as modules: a queue of vectors that are usable `latency` after they
// were written. Who writes keeps to the number of buffers; more is a bug and is checked.
#pragma once

#include <cstddef>
#include <deque>
#include <utility>
#include <vector>

#include "models/base/errors.h"
#include "models/base/systemc.h"

namespace bitline::memory {

template <class Value>
class RegisterModule final : public sc_core::sc_module {
 public:
  RegisterModule(const sc_core::sc_module_name& name, int buffers, base::Time latency)
      : sc_core::sc_module(name), buffers_(static_cast<std::size_t>(buffers)), latency_(latency) {
    SC_HAS_PROCESS(RegisterModule);
    SC_METHOD(settle);
    sensitive << written_;
    dont_initialize();
  }

  void write(std::vector<Value> vector) {
    BITLINE_CHECK(has_place());
    vectors_.push_back(std::move(vector));
    ++writes_;
    written_.notify(base::to_sc(latency_));
  }
  [[nodiscard]] bool available() const { return readable_ > 0; }
  [[nodiscard]] bool has_place() const { return vectors_.size() < buffers_; }
  [[nodiscard]] const std::vector<Value>& front() const { return vectors_.front(); }
  [[nodiscard]] const std::vector<Value>& newest() const { return vectors_[readable_ - 1]; }
  /// Frees the oldest vector's buffer.
  void release() {
    BITLINE_CHECK(readable_ > 0);
    vectors_.pop_front();
    --readable_;
    ++releases_;
    released_.notify(sc_core::SC_ZERO_TIME);
  }
  [[nodiscard]] std::int64_t writes() const { return writes_; }
  [[nodiscard]] std::int64_t releases() const { return releases_; }
  /// One more vector can be read.
  [[nodiscard]] const sc_core::sc_event& readable_event() const { return readable_event_; }
  [[nodiscard]] const sc_core::sc_event& released_event() const { return released_; }

 private:
  void settle() {
    ++readable_;
    readable_event_.notify(sc_core::SC_ZERO_TIME);
  }

  std::size_t buffers_;
  base::Time latency_;
  std::deque<std::vector<Value>> vectors_;
  std::size_t readable_ = 0;
  std::int64_t writes_ = 0;
  std::int64_t releases_ = 0;
  sc_core::sc_event_queue written_{"written"};
  sc_core::sc_event readable_event_;
  sc_core::sc_event released_;
};

}  // namespace bitline::memory
