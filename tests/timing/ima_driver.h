// SPDX-License-Identifier: Apache-2.0
// Stands for the tile around an IMA under test: sends vectors and drains results after given delays, and
// records when the IMA gave a buffer back and offered results.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "models/ima/ima_module.h"

namespace bitline::timing_test {

struct Mvm {
  std::vector<std::int32_t> x;
  base::Time load_delay;   ///< from when the vector may be sent to its arrival
  base::Time drain_delay;  ///< from when the results may be drained to when they have been
};

struct Log {
  std::vector<base::Time> loaded, input_free, ready, drained;
  std::vector<std::vector<std::int64_t>> values;
  friend bool operator==(const Log&, const Log&) = default;
};

class ImaDriver final : public sc_core::sc_module, public ima::ImaClient {
 public:
  ImaDriver(const sc_core::sc_module_name& name, ima::ImaModule& ima, int input_buffers,
            std::vector<Mvm> mvms)
      : sc_core::sc_module(name), ima_(ima), credits_(input_buffers), mvms_(std::move(mvms)) {
    SC_HAS_PROCESS(ImaDriver);
    ima.client(*this);
    SC_METHOD(start);
    SC_METHOD(arrive);
    sensitive << load_event_;
    dont_initialize();
    SC_METHOD(drain);
    sensitive << drain_event_;
    dont_initialize();
  }

  void input_free() override {
    log.input_free.push_back(base::now());
    ++credits_;
    send_next();
  }
  void results_ready(std::span<const std::int64_t> results) override {
    log.ready.push_back(base::now());
    log.values.emplace_back(results.begin(), results.end());
    drain_next();
  }

  Log log;

 private:
  void start() { send_next(); }
  void send_next() {
    if (sending_ || credits_ == 0 || log.loaded.size() == mvms_.size()) return;
    sending_ = true;
    --credits_;
    load_event_.notify(base::to_sc(mvms_[log.loaded.size()].load_delay));
  }
  void arrive() {
    const Mvm& mvm = mvms_[log.loaded.size()];
    log.loaded.push_back(base::now());
    sending_ = false;
    ima_.load(mvm.x);
    send_next();
  }
  void drain_next() {
    if (draining_ || log.drained.size() == log.ready.size()) return;
    draining_ = true;
    drain_event_.notify(base::to_sc(mvms_[log.drained.size()].drain_delay));
  }
  void drain() {
    log.drained.push_back(base::now());
    draining_ = false;
    ima_.drained();
    drain_next();
  }

  ima::ImaModule& ima_;
  int credits_;
  bool sending_ = false;
  bool draining_ = false;
  std::vector<Mvm> mvms_;
  sc_core::sc_event load_event_;
  sc_core::sc_event drain_event_;
};

}  // namespace bitline::timing_test
