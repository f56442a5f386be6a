// SPDX-License-Identifier: Apache-2.0
// Speed and memory of whole commands, from their start to their exit, on one core with one thread: time is
// the wall clock, `peak_MB` the largest resident set, `cpu_s` user and system time. Networks are written once
// into a folder of their own by `bitline workload make`; inputs are the command's random images.
//   build/release/bin/command_bench [--benchmark_filter=run/isaac-8bit/resnet18]
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using Arguments = std::vector<std::string>;

struct Usage {
  double wall_s = 0;
  double cpu_s = 0;
  double peak_mb = 0;
};

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

/// In the child: one core, no output, then the command.
[[noreturn]] void become(const Arguments& arguments) {
  cpu_set_t core;
  CPU_ZERO(&core);
  CPU_SET(sched_getcpu(), &core);
  sched_setaffinity(0, sizeof core, &core);
  const int null = open("/dev/null", O_WRONLY);
  dup2(null, STDOUT_FILENO);
  dup2(null, STDERR_FILENO);
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  execv(argv.front(), argv.data());
  _exit(127);
}

/// Runs the command line. Throws if it does not exit with 0.
Usage bitline(Arguments arguments) {
  arguments.insert(arguments.begin(), BITLINE_COMMAND);
  const auto start = std::chrono::steady_clock::now();
  const pid_t child = fork();
  if (child == 0) become(arguments);
  int status = 0;
  rusage usage{};
  if (child < 0 || wait4(child, &status, 0, &usage) != child) throw std::runtime_error("no process");
  Usage result;
  result.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  result.cpu_s = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  result.peak_mb = static_cast<double>(usage.ru_maxrss) * 1024e-6;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) throw std::runtime_error("the command failed");
  return result;
}

/// Where the networks lie until the program ends.
class Networks {
 public:
  Networks() : folder_(fs::temp_directory_path() / ("bitline-bench-" + std::to_string(getpid()))) {
    fs::create_directories(folder_);
  }
  ~Networks() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  Networks(const Networks&) = delete;
  Networks& operator=(const Networks&) = delete;

  /// `options`: of `workload make`, the network's name first.
  std::string file(const std::string& name, const Arguments& options) {
    const fs::path path = folder_ / (name + ".onnx");
    if (!fs::exists(path)) {
      Arguments make = {"workload", "make"};
      make.insert(make.end(), options.begin(), options.end());
      make.insert(make.end(), {"-o", path.string()});
      bitline(make);
    }
    return path.string();
  }

 private:
  fs::path folder_;
};

Networks& networks() {
  static Networks all;
  return all;
}

void measure(benchmark::State& state, const Arguments& arguments) {
  Usage last;
  for (auto _ : state) {
    last = bitline(arguments);
    state.SetIterationTime(last.wall_s);
  }
  state.counters["cpu_s"] = last.cpu_s;
  state.counters["peak_MB"] = last.peak_mb;
}

struct Network {
  const char* name;
  Arguments make;
};

std::string machine(const char* name) {
  return std::string(BITLINE_SOURCE_DIR) + "/configs/" + name + ".yaml";
}

void add(const std::string& name, const Network& network, const Arguments& arguments) {
  benchmark::RegisterBenchmark(
      name.c_str(),
      [network, arguments](benchmark::State& state) {
        Arguments all = arguments;
        all.insert(all.end(), {"--network", networks().file(network.name, network.make)});
        try {
          measure(state, all);
        } catch (const std::exception& error) {
          state.SkipWithError(error.what());
        }
      })
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond);
}

void add_all() {
  const std::vector<Network> list = {
      {"resnet20", {"resnet20"}}, {"vgg8", {"vgg8"}},      {"resnet18", {"resnet18"}},
      {"resnet50", {"resnet50"}}, {"darts_v2", {"darts"}},
  };
  for (const char* chip : {"isaac-8bit", "isaac"}) {
    for (const Network& network : list) {
      add(std::string("run/") + chip + "/" + network.name, network,
          {"run", "--threads", "1", "--arch", machine(chip)});
    }
  }
  const Network& resnet18 = list[2];
  add("check/resnet18", resnet18, {"check"});
  add("map/isaac-8bit/resnet18", resnet18, {"map", "--arch", machine("isaac-8bit")});
  add("run/isaac-8bit/resnet18/6-bit ADC", resnet18,
      {"run", "--threads", "1", "--arch", machine("isaac-8bit"), "--set", "adc.resolution.policy=fixed",
       "--set", "adc.resolution.bits=6"});
  // Each about twice the area of the one before.
  for (const Network& network : {Network{"mobilenetv2-112", {"mobilenetv2", "--resolution", "112"}},
                                 Network{"mobilenetv2-160", {"mobilenetv2", "--resolution", "160"}},
                                 Network{"mobilenetv2-224", {"mobilenetv2", "--resolution", "224"}}}) {
    add(std::string("run/isaac-8bit/area/") + network.name, network,
        {"run", "--threads", "1", "--arch", machine("isaac-8bit")});
  }
  for (const char* batch : {"1", "2", "4", "8"}) {
    add(std::string("run/isaac-8bit/resnet20/batch ") + batch, list[0],
        {"run", "--threads", "1", "--arch", machine("isaac-8bit"), "--batch", batch});
  }
}

}  // namespace

int main(int argc, char** argv) {
  add_all();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
