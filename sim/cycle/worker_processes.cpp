// SPDX-License-Identifier: Apache-2.0
#include "sim/cycle/worker_processes.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <deque>
#include <string>
#include <type_traits>
#include <utility>

#include "models/base/errors.h"

namespace bitline::cycle {
namespace {

/// Values as bytes, for a reader of the same program.
class Writer {
 public:
  template <class T>
  void put(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void put(const std::string& text) {
    put(text.size());
    bytes_ += text;
  }
  template <class T>
  void put(const std::vector<T>& values) {
    put(values.size());
    for (const T& value : values) put(value);
  }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

class Reader {
 public:
  explicit Reader(const std::string& bytes) : bytes_(bytes) {}
  template <class T>
  void get(T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    BITLINE_CHECK(at_ + sizeof value <= bytes_.size());
    std::memcpy(&value, bytes_.data() + at_, sizeof value);
    at_ += sizeof value;
  }
  void get(std::string& text) {
    std::size_t size = 0;
    get(size);
    BITLINE_CHECK(size <= bytes_.size() - at_);
    text = bytes_.substr(at_, size);
    at_ += size;
  }
  template <class T>
  void get(std::vector<T>& values) {
    std::size_t size = 0;
    get(size);
    BITLINE_CHECK(size <= bytes_.size());
    values.resize(size);
    for (T& value : values) get(value);
  }

 private:
  const std::string& bytes_;
  std::size_t at_ = 0;
};

/// Calls f(member) for every member of a result that is not structural.
template <class Result, class F>
void for_each_member(Result& r, F f) {
  f(r.total);
  f(r.end);
  f(r.image_start);
  f(r.image_end);
  f(r.stages);
  f(r.stall_bins);
  f(r.actions);
  f(r.imas_used);
  f(r.flits_sent);
  f(r.flits_delivered);
  f(r.events);
}
template <class Use, class F>
void for_each_use(Use& use, F f) {
  f(use.name);
  f(use.instances);
  f(use.busy);
  f(use.busiest);
  f(use.uses);
  f(use.waits);
  f(use.waited);
}

/// What a child sends: an exit code, then a result (ok) or problems.
std::string outcome(const Simulation& simulation) {
  Writer out;
  const auto refuse = [&out](base::ExitCode code, const std::vector<base::Problem>& problems) {
    out.put(code);
    out.put(problems.size());
    for (const base::Problem& p : problems)
      for (const std::string& part : {p.where, p.given, p.allowed, p.remedy}) out.put(part);
  };
  try {
    const CycleResult result = simulation();
    out.put(base::ExitCode::ok);
    for_each_member(result, [&out](const auto& member) { out.put(member); });
    out.put(result.resources.size());
    for (const ResourceUse& use : result.resources)
      for_each_use(use, [&out](const auto& member) { out.put(member); });
  } catch (const base::Error& error) {
    refuse(error.code(), error.problems());
  } catch (const std::exception& error) {
    refuse(base::ExitCode::simulation, {{"cycle simulation", error.what(), "", ""}});
  }
  return out.bytes();
}

CycleResult result_of(const std::string& bytes) {
  Reader in(bytes);
  base::ExitCode code{};
  in.get(code);
  std::size_t count = 0;
  if (code != base::ExitCode::ok) {
    in.get(count);
    std::vector<base::Problem> problems(count);
    for (base::Problem& p : problems)
      for (std::string* part : {&p.where, &p.given, &p.allowed, &p.remedy}) in.get(*part);
    if (code == base::ExitCode::timeout) throw base::TimeoutError(std::move(problems));
    if (code == base::ExitCode::mapping) throw base::MappingError(std::move(problems));
    throw base::SimulationError(std::move(problems));
  }
  CycleResult result;
  for_each_member(result, [&in](auto& member) { in.get(member); });
  in.get(count);
  result.resources.resize(count);
  for (ResourceUse& use : result.resources) for_each_use(use, [&in](auto& member) { in.get(member); });
  return result;
}

[[noreturn]] void fail(const char* what) {
  throw base::SimulationError(
      base::Problem{"worker process", std::string(what) + ": " + std::strerror(errno), "", ""});
}

/// A child that runs one simulation.
class Worker {
 public:
  explicit Worker(const Simulation& simulation) {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) fail("no pipe");
    child_ = fork();
    if (child_ == 0) {
      close(ends[0]);
      run(simulation, ends[1]);
    }
    const int error = errno;
    close(ends[1]);
    in_ = ends[0];
    if (child_ > 0) return;
    close(in_);
    errno = error;
    fail("cannot be started");
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker() {
    close(in_);
    if (child_ <= 0) return;
    kill(child_, SIGKILL);
    static_cast<void>(wait());
  }

  [[nodiscard]] CycleResult result() {
    std::string bytes;
    std::array<char, 1 << 16> piece{};
    for (;;) {
      const ssize_t n = read(in_, piece.data(), piece.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break;
      bytes.append(piece.data(), static_cast<std::size_t>(n));
    }
    const int status = wait();
    child_ = 0;
    if (status != 0 || bytes.empty()) {
      const std::string how =
          WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status)) : "no result";
      throw base::SimulationError(base::Problem{"worker process", "ended with " + how, "", ""});
    }
    return result_of(bytes);
  }

 private:
  [[noreturn]] static void run(const Simulation& simulation, int out) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const std::string bytes = outcome(simulation);
    for (std::size_t sent = 0; sent < bytes.size();) {
      const ssize_t n = write(out, bytes.data() + sent, bytes.size() - sent);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) _exit(1);
      sent += static_cast<std::size_t>(n);
    }
    _exit(0);  // nothing of the parent is flushed or destroyed twice
  }

  [[nodiscard]] int wait() const {
    int status = 0;
    while (waitpid(child_, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
  }

  pid_t child_ = 0;
  int in_ = -1;
};

}  // namespace

std::vector<CycleResult> simulate_in_processes(const std::vector<Simulation>& simulations, int workers,
                                               const std::function<void(std::size_t done)>& done) {
  BITLINE_CHECK(workers > 0);
  std::vector<CycleResult> results;
  std::deque<Worker> running;
  std::size_t next = 0;
  while (results.size() < simulations.size()) {
    for (; next < simulations.size() && running.size() < static_cast<std::size_t>(workers); ++next)
      running.emplace_back(simulations[next]);
    results.push_back(running.front().result());
    running.pop_front();
    if (done) done(results.size());
  }
  return results;
}

}  // namespace bitline::cycle
