// SPDX-License-Identifier: Apache-2.0
#include "tools/oracle/child.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>

#include "models/base/errors.h"

extern char** environ;  // NOLINT: POSIX's name

namespace bitline::oracle {
namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void fail(const std::string& what, int error) {
  throw base::SimulationError(
      {"simulation process", what + ": " + std::strerror(error), "", "free some memory"});
}

/// Both ends are closed with the object, and when another child is started.
class Pipe {
 public:
  Pipe() {
    if (pipe2(ends_.data(), O_CLOEXEC) != 0) fail("no pipe", errno);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  [[nodiscard]] int read_end() const { return ends_[0]; }
  [[nodiscard]] int write_end() const { return ends_[1]; }
  void close_end(std::size_t end) {
    if (ends_[end] >= 0) close(ends_[end]);
    ends_[end] = -1;
  }
  /// Appends what is there. False at the end.
  bool read_some(std::string& to) {
    std::array<char, 65536> buffer;
    const ssize_t n = read(ends_[0], buffer.data(), buffer.size());
    if (n > 0) to.append(buffer.data(), static_cast<std::size_t>(n));
    return n > 0 || (n < 0 && errno == EINTR);
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

pid_t start(const std::string& program, const std::vector<std::string>& arguments, const Pipe& out,
            const Pipe& err) {
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out.write_end(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.write_end(), STDERR_FILENO);
  pid_t child = -1;
  const int error = posix_spawn(&child, program.c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) fail(program, error);
  return child;
}

/// Milliseconds for poll(): -1 without a limit.
int left_ms(Clock::time_point end, bool limited) {
  if (!limited) return -1;
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left + 1, 0, 1'000'000));
}

}  // namespace

ChildResult run_child(const std::string& program, const std::vector<std::string>& arguments,
                      double timeout_s) {
  const bool limited = timeout_s > 0;
  const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                      std::chrono::duration<double>(std::min(timeout_s, 1e9)));
  ChildResult result;
  Pipe out, err;
  const pid_t child = start(program, arguments, out, err);
  out.close_end(1);
  err.close_end(1);
  std::array<pollfd, 2> ends{pollfd{out.read_end(), POLLIN, 0}, pollfd{err.read_end(), POLLIN, 0}};
  while (ends[0].fd >= 0 || ends[1].fd >= 0) {
    const int ready = poll(ends.data(), ends.size(), left_ms(end, limited));
    if (limited && Clock::now() >= end) {
      result.timed_out = true;
      kill(child, SIGKILL);
      break;
    }
    if (ready <= 0) continue;
    if (ends[0].revents != 0 && !out.read_some(result.out)) ends[0].fd = -1;
    if (ends[1].revents != 0 && !err.read_some(result.err)) ends[1].fd = -1;
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status)) result.code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  return result;
}

}  // namespace bitline::oracle
