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
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
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
  /// Of another file among them.
  [[nodiscard]] fs::path path(const std::string& file) const { return folder_ / file; }

 private:
  fs::path folder_;
};

Networks& networks() {
  static Networks all;
  return all;
}

/// A float32 array of shape [images, 3, edge, edge] in NumPy's format, of values in [-2, 2].
void write_images(const fs::path& path, int images, int edge) {
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + std::to_string(images) +
                       ", 3, " + std::to_string(edge) + ", " + std::to_string(edge) + "), }";
  header.resize(118 - 1, ' ');  // with the ten bytes before it, a multiple of 64
  header += '\n';
  std::ofstream out(path, std::ios::binary);
  out.write("\x93NUMPY\x01\x00\x76\x00", 10);
  out << header;
  std::uint32_t state = 1;
  for (int i = 0; i < images * 3 * edge * edge; ++i) {
    state = state * 1664525u + 1013904223u;
    const float value = static_cast<float>(state >> 8) / static_cast<float>(1 << 22) - 2.0F;
    out.write(reinterpret_cast<const char*>(&value), sizeof value);
  }
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

/// Values of many images; `image_ms` is CPU time beyond that of the command with one image.
void add_images(const Network& network, int images, int edge, const std::string& name, Arguments adc) {
  const std::string title = "images/isaac-8bit/" + std::string(network.name) + "/" + name;
  benchmark::RegisterBenchmark(
      title.c_str(),
      [network, images, edge, adc](benchmark::State& state) {
        Arguments all = {"run",
                         "--threads",
                         "1",
                         "--arch",
                         machine("isaac-8bit"),
                         "--network",
                         networks().file(network.name, network.make)};
        all.insert(all.end(), adc.begin(), adc.end());
        const fs::path one = networks().path("one.npy");
        const fs::path many = networks().path("many.npy");
        write_images(one, 1, edge);
        write_images(many, images, edge);
        const auto with = [&all, &one](const fs::path& input) {
          Arguments arguments = all;
          arguments.insert(arguments.end(), {"--calibrate", one.string(), "--input", input.string()});
          return bitline(arguments);
        };
        try {
          double image_s = 0;
          for (auto _ : state) {
            const Usage usage = with(many);
            state.SetIterationTime(usage.wall_s);
            image_s = (usage.cpu_s - with(one).cpu_s) / (images - 1);
            state.counters["peak_MB"] = usage.peak_mb;
          }
          state.counters["image_ms"] = 1e3 * image_s;
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
  const Arguments six_bits = {"--set", "adc.resolution.policy=fixed", "--set", "adc.resolution.bits=6"};
  const Arguments lossless = {"--set", "adc.resolution.policy=lossless"};
  add_images(list[0], 201, 32, "6-bit ADC", six_bits);
  add_images(resnet18, 11, 224, "6-bit ADC", six_bits);
  add_images(resnet18, 11, 224, "lossless ADC", lossless);
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
