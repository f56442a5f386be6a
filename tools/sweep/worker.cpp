// SPDX-License-Identifier: Apache-2.0
#include "tools/sweep/worker.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>

#include "models/base/errors.h"

namespace bitline::sweep {
namespace {

[[noreturn]] void fail(const char* what) {
  throw base::SimulationError(base::Problem{"worker process", std::string(what) + ": " + std::strerror(errno),
                                            "", "free some memory, or use fewer --jobs"});
}

bool send_all(int socket, const void* data, std::size_t size) {
  const char* bytes = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t n = send(socket, bytes, size, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

bool receive_all(int socket, void* data, std::size_t size) {
  char* bytes = static_cast<char*>(data);
  while (size > 0) {
    const ssize_t n = recv(socket, bytes, size, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

/// An answer: its size, then its bytes.
bool send_answer(int socket, const std::string& answer) {
  const std::uint64_t size = answer.size();
  return send_all(socket, &size, sizeof size) && send_all(socket, answer.data(), answer.size());
}

/// The status with which it ended.
int wait_for(pid_t process) {
  int status = 0;
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

/// The child ends with its parent, however that ends.
void die_with(pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
}

/// Has tasks done and answered by copies of this process. Ends this one as a copy ended, if that was before
/// its whole answer.
class Copies {
 public:
  void run(const Work& work, std::size_t task, int socket) {
    std::array<int, 2> done{};
    if (pipe2(done.data(), O_CLOEXEC) != 0) _exit(1);
    work.prepare(task);
    const pid_t self = getpid();
    const pid_t copy = fork();
    if (copy < 0) _exit(1);
    if (copy == 0) {
      die_with(self);
      const bool sent = send_answer(socket, work.run(task));
      _exit(sent && write(done[1], "", 1) == 1 ? 0 : 1);
    }
    close(done[1]);
    char byte = 0;
    ssize_t n = 0;
    while ((n = read(done[0], &byte, 1)) < 0 && errno == EINTR) {
    }
    close(done[0]);
    if (n != 1) end_as(wait_for(copy));
    // It has answered; while its memory is freed, the next one works.
    if (last_ > 0) (void)wait_for(last_);
    last_ = copy;
  }

 private:
  [[noreturn]] static void end_as(int status) {
    if (WIFSIGNALED(status)) {
      std::signal(WTERMSIG(status), SIG_DFL);
      kill(getpid(), WTERMSIG(status));
    }
    _exit(1);
  }

  pid_t last_ = 0;  ///< not yet waited for
};

/// The worker's life: tasks in, answers out.
[[noreturn]] void serve(const Work& work, int socket, pid_t parent) {
  die_with(parent);
  setpgid(0, 0);  // an interrupt from the terminal is for the parent, which ends its workers
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  // Nothing of the parent is held open (its lock, sockets to other workers), nothing written among its
  // results.
  if (socket > 3) close_range(3, static_cast<unsigned>(socket) - 1, 0);
  close_range(static_cast<unsigned>(socket) + 1, ~0U, 0);
  const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (null >= 0) dup2(null, STDOUT_FILENO);
  Copies copies;
  for (std::uint64_t task = 0; receive_all(socket, &task, sizeof task);) {
    if (work.alone(task))
      copies.run(work, task, socket);
    else if (!send_answer(socket, work.run(task)))
      break;
  }
  _exit(0);  // nothing of the parent is flushed or destroyed twice
}

}  // namespace

Worker::Worker(const Work& work) : work_(work) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) fail("no socket");
  const pid_t self = getpid();
  process_ = fork();
  if (process_ < 0) {
    close(ends[0]);
    close(ends[1]);
    fail("cannot be started");
  }
  if (process_ == 0) serve(work, ends[1], self);
  close(ends[1]);
  socket_ = ends[0];
  fcntl(socket_, F_SETFL, O_NONBLOCK);
}

Worker::~Worker() {
  if (process_ > 0) finish();
}

void Worker::give(std::size_t task) {
  if (tasks_.empty()) started_ = Clock::now();
  tasks_.push_back(task);
  const std::uint64_t number = task;
  (void)send_all(socket_, &number, sizeof number);  // if it has ended, receive() tells
}

bool Worker::receive() {
  std::array<char, 65536> piece;
  for (;;) {
    const ssize_t n = recv(socket_, piece.data(), piece.size(), 0);
    if (n > 0) {
      received_.append(piece.data(), static_cast<std::size_t>(n));
      continue;
    }
    if (n < 0 && errno == EINTR) continue;
    return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  }
}

std::optional<std::pair<std::size_t, std::string>> Worker::answer() {
  std::uint64_t size = 0;
  if (tasks_.empty() || received_.size() < sizeof size) return std::nullopt;
  std::memcpy(&size, received_.data(), sizeof size);
  if (received_.size() < sizeof size + size) return std::nullopt;
  std::pair<std::size_t, std::string> found{tasks_.front(), received_.substr(sizeof size, size)};
  received_.erase(0, sizeof size + size);
  tasks_.pop_front();
  started_ = Clock::now();
  return found;
}

bool Worker::is_late() const {
  return work_.timeout_s > 0 && !tasks_.empty() &&
         std::chrono::duration<double>(Clock::now() - started_).count() > work_.timeout_s;
}

int Worker::finish() {
  // It leads a group of its own, with the copies that run tasks alone.
  kill(-process_, SIGKILL);
  kill(process_, SIGKILL);
  const int status = wait_for(process_);
  close(socket_);
  process_ = -1;
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

}  // namespace bitline::sweep
