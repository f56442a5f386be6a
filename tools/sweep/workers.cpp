// SPDX-License-Identifier: Apache-2.0
#include "tools/sweep/workers.h"

#include <poll.h>

#include <algorithm>
#include <list>

#include "models/base/errors.h"
#include "tools/sweep/worker.h"

namespace bitline::sweep {
namespace {

/// Given to a worker at once: while it works on one, the next is there already.
constexpr std::size_t kAhead = 2;
constexpr int kTickMs = 200;

class Crew {
 public:
  Crew(const Work& work, int jobs) : work_(work), jobs_(static_cast<std::size_t>(jobs)) {
    for (std::size_t task = 0; task < work.tasks; ++task) waiting_.push_back(task);
  }

  void run() {
    while (left_ > 0 && !work_.stop()) {
      deal();
      wait();
      for (auto worker = workers_.begin(); worker != workers_.end();) {
        const auto next = std::next(worker);
        if (!look_at(*worker)) workers_.erase(worker);
        worker = next;
      }
      work_.tick();
    }
  }

 private:
  /// Every worker gets its first task before any gets its second.
  void deal() {
    for (std::size_t depth = 1; depth <= kAhead; ++depth) {
      for (Worker& worker : workers_)
        if (!waiting_.empty() && worker.tasks().size() < depth) give_next(worker);
      for (; depth == 1 && !waiting_.empty() && workers_.size() < jobs_;)
        give_next(workers_.emplace_back(work_));
    }
  }
  void give_next(Worker& worker) {
    worker.give(waiting_.front());
    waiting_.pop_front();
  }

  void wait() {
    std::vector<pollfd> sockets;
    for (const Worker& worker : workers_) sockets.push_back({worker.socket(), POLLIN, 0});
    (void)poll(sockets.data(), sockets.size(), kTickMs);
  }

  void end(std::size_t task, const Ended& ended) {
    --left_;
    work_.ended(task, ended);
  }

  /// Takes answers in; false if the worker is of no more use.
  bool look_at(Worker& worker) {
    const bool lives = worker.receive();
    while (const auto answer = worker.answer()) {
      if (!waiting_.empty()) give_next(worker);  // it works on while its answer is dealt with
      end(answer->first, {answer->second, false, 0});
    }
    const bool late = worker.is_late();
    if (lives && !late) return true;
    const std::deque<std::size_t> tasks = worker.tasks();
    const int signal = worker.finish();
    // The first task ended the worker, the others have not begun.
    for (std::size_t i = tasks.size(); i > 1; --i) waiting_.push_front(tasks[i - 1]);
    if (!tasks.empty()) end(tasks.front(), {"", late, late ? 0 : signal});
    return false;
  }

  const Work& work_;
  std::size_t jobs_;
  std::size_t left_ = work_.tasks;
  std::deque<std::size_t> waiting_;
  std::list<Worker> workers_;
};

}  // namespace

void work(const Work& work, int jobs) {
  BITLINE_CHECK(jobs > 0);
  Crew(work, jobs).run();
}

}  // namespace bitline::sweep
