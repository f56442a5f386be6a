// SPDX-License-Identifier: Apache-2.0
// One worker process of workers.h, and its end of the conversation.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <deque>
#include <optional>
#include <string>

#include "tools/sweep/workers.h"

namespace bitline::sweep {

/// Seen from the process that started it. Killed and waited for with the object.
class Worker {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Worker(const Work& work);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();

  [[nodiscard]] int socket() const { return socket_; }
  /// Those it was given and has not answered, the one it works on first.
  [[nodiscard]] const std::deque<std::size_t>& tasks() const { return tasks_; }
  void give(std::size_t task);
  /// Takes in what has arrived; false at its end.
  [[nodiscard]] bool receive();
  /// The next whole answer; its task is no longer in tasks().
  [[nodiscard]] std::optional<std::pair<std::size_t, std::string>> answer();
  /// When the task it works on has had its time.
  [[nodiscard]] bool is_late() const;
  /// Kills it; the signal that had ended it before, or 0.
  int finish();

 private:
  const Work& work_;
  pid_t process_ = -1;
  int socket_ = -1;
  std::string received_;
  std::deque<std::size_t> tasks_;
  Clock::time_point started_;  ///< the task it works on
};

}  // namespace bitline::sweep
