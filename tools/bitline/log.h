// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "tools/bitline/cli.h"

namespace spdlog {
class logger;
}

namespace bitline::cli {

/// Notes for a person, on `err`, without colours; `quiet` leaves warnings only.
class Log {
 public:
  Log(const Streams& streams, bool quiet);
  void info(const std::string& text) const;
  void warn(const std::string& text) const;

 private:
  std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace bitline::cli
