// SPDX-License-Identifier: Apache-2.0
// Tasks in worker processes, which are copies of this one (fork) and live as long as there is work. A crash,
// a hang or a kill of one costs the task it worked on, and no other.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace bitline::sweep {

/// How a task ended.
struct Ended {
  std::string answer;      ///< what the task returned; empty where its process ended before that
  bool timed_out = false;  ///< it was killed for that
  int signal = 0;          ///< or ended by this signal
};

struct Work {
  std::size_t tasks = 0;
  /// Runs in a worker; must not throw. Workers have one thread and may keep what they loaded.
  std::function<std::string(std::size_t task)> run;
  /// Whether a task needs a process of its own (SystemC has one kernel per process), a copy of the worker.
  std::function<bool(std::size_t task)> alone = [](std::size_t) { return false; };
  /// Called in the worker before that copy is made: loads what later tasks can use, too. Must not throw.
  std::function<void(std::size_t task)> prepare = [](std::size_t) {};
  /// Called in this process as tasks end, in any order.
  std::function<void(std::size_t task, const Ended& ended)> ended;
  /// Called at least every 0.2 s.
  std::function<void()> tick = [] {};
  /// Asked as often; true kills the workers and returns.
  std::function<bool()> stop = [] { return false; };
  double timeout_s = 0;  ///< of each task; 0: none
};

/// Does all of it with at most `jobs` workers. The calling process must have one thread. Throws
/// base::SimulationError where no process can be started, and what `ended` and `tick` throw; no worker is
/// left behind then.
void work(const Work& work, int jobs);

}  // namespace bitline::sweep
