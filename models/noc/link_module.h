// SPDX-License-Identifier: Apache-2.0
// The chip's external link as a module: one transfer after another, over all links together.
#pragma once

#include "models/base/service.h"
#include "models/base/timed_queue.h"
#include "models/noc/noc.h"

namespace bitline::noc {

struct LinkRequest {
  base::Token token;
  std::int64_t bytes = 0;
  friend auto operator<=>(const LinkRequest&, const LinkRequest&) = default;
};

class LinkAccess : public sc_core::sc_interface {
 public:
  /// The client hears when it is granted. `at` is not before the current time; bytes > 0.
  virtual void request(base::Time at, const LinkRequest& request) = 0;
};

class LinkModule final : public base::ServiceModule, private LinkAccess {
 public:
  sc_core::sc_export<LinkAccess> access{"access"};
  sc_core::sc_port<base::GrantClient> client{"client"};

  LinkModule(const sc_core::sc_module_name& name, const LinkParams& params)
      : ServiceModule(name, {}, {}), params_(params) {
    access.bind(*this);
    SC_HAS_PROCESS(LinkModule);
    SC_METHOD(serve);
    sensitive << requests_.event();
    dont_initialize();
  }

 private:
  void request(base::Time at, const LinkRequest& request) override { requests_.push(at, request); }
  [[nodiscard]] base::Time occupied(std::int64_t bytes) const override { return occupancy(params_, bytes); }
  void serve() {
    try {
      base::Time at;
      LinkRequest request;
      while (requests_.pop(at, request)) {
        const base::Grant granted = service->take(at, request.bytes, at);
        client->served(*this, request.token, granted.start, service->free());
        client->granted(request.token, granted.end, granted.waited);
      }
      requests_.arm();
    } catch (...) {
      client->failed();
    }
  }

  LinkParams params_;
  base::TimedQueue<LinkRequest> requests_{base::kArbitration};
};

}  // namespace bitline::noc
