// SPDX-License-Identifier: Apache-2.0
// An IMA as its tile sees it. StructuralIma and TransactionIma are interchangeable behind these ports.
#pragma once

#include <cstdint>
#include <span>

#include "models/base/actions.h"
#include "models/base/systemc.h"
#include "models/ima/ima_timing.h"

namespace bitline::ima {

/// What the tile tells the IMA. Calls are events at the current simulation time.
class ImaAccess : public sc_core::sc_interface {
 public:
  /// The input vector of the next MVM has arrived at the input register. The tile may send `input_buffers`
  /// vectors and then one more for every input_free(). `x` may be empty where only time is simulated
  /// (TransactionIma).
  virtual void load(std::span<const std::int32_t> x) = 0;
  /// The oldest results have left the output register.
  virtual void drained() = 0;
};

/// What the IMA tells the tile.
class ImaClient : public sc_core::sc_interface {
 public:
  /// An input buffer has become free: the last read of the oldest MVM is latched.
  virtual void input_free() = 0;
  /// The results of the oldest MVM can be read out (empty where only time is simulated).
  virtual void results_ready(std::span<const std::int64_t> results) = 0;
  /// For traces: when the next MVM goes through its steps (TransactionIma only, which knows it ahead).
  virtual void timed(const MvmTimes& /*times*/) {}
};

class ImaModule : public sc_core::sc_module, public ImaAccess {
 public:
  sc_core::sc_port<ImaClient> client{"client"};

  /// Of all MVMs so far. Data-dependent ones are zero where only time is simulated.
  [[nodiscard]] virtual base::ActionCounts actions() const = 0;
  /// How long its crossbars have been at work: from each MVM's first read to its last latch.
  [[nodiscard]] virtual base::Time read_time() const = 0;

 protected:
  explicit ImaModule(const sc_core::sc_module_name& name);
};

}  // namespace bitline::ima
