// SPDX-License-Identifier: Apache-2.0
// A file of images or labels. The first byte chooses the format (by the name that the file gets), the second
// the network's input; the rest is the file.
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "mapper/tensor/tensor.h"
#include "models/base/errors.h"
#include "sim/images.h"
#include "tests/fuzz/target.h"

namespace {

using namespace bitline;
namespace fs = std::filesystem;

constexpr std::int64_t kMostImages = 4;
constexpr std::array<const char*, 6> kNames = {"a.npy",        "a.pb",        "a.bin",
                                               "a-idx3-ubyte", "class/a.png", "class/a.jpg"};
const std::array<tensor::Shape, 4> kShapes = {{{1, 1, 8, 8}, {1, 3, 32, 32}, {1, 64}, {1}}};

/// One folder for the whole process, in memory where there is such a place.
class Folder {
 public:
  Folder()
      : path_(fs::path(fs::exists("/dev/shm") ? "/dev/shm" : "/tmp") /
              ("fuzz-arrays-" + std::to_string(::getpid()))) {
    fs::create_directories(path_ / "class");
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

graph::Graph network(const tensor::Shape& shape) {
  graph::Graph graph;
  graph.values.push_back({"x", shape, -1, nullptr, nullptr});
  graph.inputs = graph.outputs = {0};
  return graph;
}

void read_images(const graph::Graph& graph, const std::string& path) {
  try {
    const sim::Images images = sim::load_images(graph, path, "--input");
    for (const quantize::Inputs& inputs : images.first(kMostImages))
      BITLINE_CHECK(inputs.size() == 1 && inputs[0].shape == graph.shape(0) &&
                    inputs[0].as<float>().size() == static_cast<std::size_t>(inputs[0].size()));
  } catch (const base::UsageError& error) {
    BITLINE_CHECK(!error.problems().empty());
  }
}

void read_labels(const std::string& path) {
  try {
    BITLINE_CHECK(sim::load_labels(path, kMostImages, 10).size() == kMostImages);
  } catch (const base::UsageError& error) {
    BITLINE_CHECK(!error.problems().empty());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Folder folder;
  if (size < 2) return 0;
  const fs::path file = folder.path() / kNames[data[0] % kNames.size()];
  std::ofstream(file, std::ios::binary)
      .write(reinterpret_cast<const char*>(data) + 2, static_cast<std::streamsize>(size - 2));
  const bool picture = file.parent_path() != folder.path();
  read_images(network(kShapes[data[1] % kShapes.size()]), picture ? folder.path() : file);
  if (!picture) read_labels(file);
  fs::remove(file);
  return 0;
}
