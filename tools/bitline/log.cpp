// SPDX-License-Identifier: Apache-2.0
#include "tools/bitline/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

namespace bitline::cli {

Log::Log(const Streams& streams, bool quiet)
    : logger_(std::make_shared<spdlog::logger>(
          "bitline", std::make_shared<spdlog::sinks::ostream_sink_st>(streams.err, true))) {
  logger_->set_pattern("%n: %v");
  logger_->set_level(quiet ? spdlog::level::warn : spdlog::level::info);
}

void Log::info(const std::string& text) const {
  logger_->info(text);
}
void Log::warn(const std::string& text) const {
  logger_->warn(text);
}

}  // namespace bitline::cli
