// SPDX-License-Identifier: Apache-2.0
#include "tools/paper/figures.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <system_error>

#include "models/base/errors.h"
#include "tools/oracle/child.h"

namespace bitline::paper {
namespace {

namespace fs = std::filesystem;

/// Exit codes of figures.py.
constexpr int kNoMatplotlib = 3;
constexpr int kNotWritten = 2;

bool executable(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error) && access(path.c_str(), X_OK) == 0;
}

/// A name without a slash in $PATH; empty where it is not.
std::string in_path(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');)
    if (!folder.empty() && executable(fs::path(folder) / name)) return (fs::path(folder) / name).string();
  return "";
}

/// Interpreters to try, in order.
std::vector<std::string> interpreters() {
  if (const char* chosen = std::getenv("BITLINE_PYTHON"); chosen != nullptr && *chosen != '\0') {
    const std::string name(chosen);
    const std::string found = name.find('/') == std::string::npos ? in_path(name)
                              : executable(name)                  ? name
                                                                  : "";
    if (found.empty())
      throw base::UsageError(base::Problem{"$BITLINE_PYTHON", "'" + name + "' is not a program",
                                           "a Python 3 with matplotlib", "correct it, or unset it"});
    return {found};
  }
  std::vector<std::string> found;
  for (const std::string& path : {in_path("python3"), std::string("/usr/bin/python3")})
    if (!path.empty() && executable(path) && std::find(found.begin(), found.end(), path) == found.end())
      found.push_back(path);
  if (found.empty())
    throw base::UsageError(
        base::Problem{"--figures", "no python3 in $PATH", "a Python 3 with matplotlib",
                      "install python3-matplotlib, or name an interpreter in $BITLINE_PYTHON"});
  return found;
}

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

std::string last_line(const std::string& text) {
  const std::vector<std::string> all = lines(text);
  return all.empty() ? "" : all.back();
}

}  // namespace

std::vector<std::string> draw_figures(const FigureRequest& request) {
  std::vector<std::string> arguments = {"-c",        figures_script(), "--run",
                                        request.run, "--out",          request.folder};
  if (!request.baseline.empty()) arguments.insert(arguments.end(), {"--baseline", request.baseline});
  if (request.wide) arguments.emplace_back("--wide");
  std::string tried;
  for (const std::string& python : interpreters()) {
    const oracle::ChildResult done = oracle::run_child(python, arguments, 0);
    if (done.signal == 0 && done.code == 0) return lines(done.out);
    if (done.signal == 0 && done.code == kNotWritten)
      throw base::UsageError(
          base::Problem{"--figures", last_line(done.err), "a folder that can be written", ""});
    if (done.signal != 0 || done.code != kNoMatplotlib)
      throw base::SimulationError(base::Problem{"--figures", python + ": " + last_line(done.err), "",
                                                "please report this with the result.json"});
    tried += (tried.empty() ? "" : ", ") + python;
  }
  throw base::UsageError(base::Problem{
      "--figures", tried + (tried.find(',') == std::string::npos ? " has" : " have") + " no matplotlib",
      "a Python 3 with matplotlib",
      "install it (python3-matplotlib, or pip install matplotlib), or name an interpreter that has it in "
      "$BITLINE_PYTHON"});
}

}  // namespace bitline::paper
