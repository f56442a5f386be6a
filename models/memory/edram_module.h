// SPDX-License-Identifier: Apache-2.0
// The tile's eDRAM as a module; amounts are bytes read or written.
#pragma once

#include "models/base/service.h"
#include "models/memory/memory.h"

namespace bitline::memory {

class EdramModule final : public base::ServiceModule {
 public:
  EdramModule(const sc_core::sc_module_name& name, const EdramParams& params)
      : ServiceModule(name, base::period(params.clock), params.latency), params_(params) {}

 private:
  [[nodiscard]] base::Time occupied(std::int64_t bytes) const override { return occupancy(params_, bytes); }
  EdramParams params_;
};

}  // namespace bitline::memory
