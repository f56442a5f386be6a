// SPDX-License-Identifier: Apache-2.0
// The IMA as one module: two events per MVM, at times from ImaTiming.
#pragma once

#include <deque>
#include <utility>
#include <vector>

#include "models/ima/ima_module.h"
#include "models/ima/ima_plan.h"
#include "models/ima/ima_timing.h"

namespace bitline::ima {

class TransactionIma final : public ImaModule {
 public:
  /// `plan` null: only time is simulated. Else it has cells, outlives the module, and gives values and
  /// actions through functional_mvm.
  TransactionIma(const sc_core::sc_module_name& name, const ImaTimingParams& timing,
                 const ImaPlan* plan = nullptr);

  void load(std::span<const std::int32_t> x) override;
  void drained() override;
  [[nodiscard]] base::ActionCounts actions() const override { return actions_; }
  [[nodiscard]] base::Time read_time() const override { return read_time_; }

 private:
  void advance();        ///< turns what is newly known into events
  void free_inputs();    ///< process: input buffers that become free now
  void offer_results();  ///< process: results that can be read now

  ImaTiming timing_;
  const ImaPlan* plan_;
  base::ActionCounts actions_;
  base::Time read_time_;
  std::deque<base::Time> frees_;
  std::deque<base::Time> ready_;
  std::deque<std::vector<std::int64_t>> values_;  ///< of MVMs loaded and not yet offered; empty without plan
  sc_core::sc_event free_event_;
  sc_core::sc_event ready_event_;
};

}  // namespace bitline::ima
