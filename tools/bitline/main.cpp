// SPDX-License-Identifier: Apache-2.0
#include <malloc.h>
#include <unistd.h>

#include <csignal>
#include <iostream>

#include "tools/bitline/cli.h"

namespace {

/// Weights exist in several forms one after another. What one has freed the next can use; the C library would
/// give large blocks back to the system, and take pages of zeros for each anew.
void keep_freed_memory() {
  mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the largest that it takes
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
}

}  // namespace

int main(int argc, char** argv) {
  keep_freed_memory();
  std::signal(SIGPIPE, SIG_IGN);  // `bitline ... | head` ends by a failed write, not by a signal
  return bitline::cli::run({argv + 1, argv + argc}, {std::cout, std::cerr, ::isatty(STDERR_FILENO) == 1});
}
