// SPDX-License-Identifier: Apache-2.0
#include "tests/timing/child_process.h"

#include <sys/wait.h>
#include <unistd.h>

#include <sstream>
#include <stdexcept>

namespace bitline::timing_test {

namespace {

/// One "name <tab> value" line per figure.
std::string text_of(const std::function<Figures()>& work) {
  std::ostringstream text;
  try {
    for (const auto& [name, value] : work()) text << name << '\t' << value << '\n';
    return text.str();
  } catch (const std::exception& error) {
    std::string message = error.what();
    for (char& c : message) c = c == '\n' || c == '\t' ? ' ' : c;
    return "error: " + message + "\t1\n";
  }
}

[[noreturn]] void run_and_exit(const std::function<Figures()>& work, int out) {
  const std::string bytes = text_of(work);
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t n = write(out, bytes.data() + sent, bytes.size() - sent);
    if (n <= 0) _exit(1);
    sent += static_cast<std::size_t>(n);
  }
  _exit(0);
}

std::string read_all(int in) {
  std::string received;
  char buffer[4096];
  for (ssize_t n = 0; (n = read(in, buffer, sizeof buffer)) > 0;)
    received.append(buffer, static_cast<std::size_t>(n));
  return received;
}

}  // namespace

Figures in_child(const std::function<Figures()>& work) {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("no pipe");
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("no process");
  if (child == 0) run_and_exit(work, ends[1]);
  close(ends[1]);
  std::istringstream lines(read_all(ends[0]));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (status != 0) throw std::runtime_error("the simulation's process failed");
  Figures figures;
  for (std::string name; std::getline(lines, name, '\t');) {
    std::string value;
    std::getline(lines, value);
    figures[name] = std::stoll(value);
  }
  return figures;
}

}  // namespace bitline::timing_test
