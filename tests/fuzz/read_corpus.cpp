// SPDX-License-Identifier: Apache-2.0
// Gives every file of the named folders to a fuzz target, in the order of their names: the committed corpus
// as a test, without libFuzzer.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "models/base/files.h"
#include "tests/fuzz/target.h"

int main(int argc, char** argv) {
  constexpr std::int64_t kLargest = 1 << 20;
  std::vector<std::string> files;
  try {
    for (int i = 1; i < argc; ++i)
      for (const auto& entry : std::filesystem::directory_iterator(argv[i])) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    for (const std::string& file : files) {
      const std::string bytes = bitline::base::read_file(file, kLargest);
      std::printf("%s\n", file.c_str());
      std::fflush(stdout);  // the last line names the file that ends the program
      LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "read_corpus: %s\n", error.what());
    return 1;
  }
  if (files.empty()) std::fprintf(stderr, "read_corpus: no files\n");
  return files.empty() ? 1 : 0;
}
