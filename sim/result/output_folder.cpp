// SPDX-License-Identifier: Apache-2.0
#include "sim/result/output_folder.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

#include "models/base/errors.h"

namespace bitline::result {
namespace {

[[noreturn]] void unwritable(const std::filesystem::path& path, const std::string& option, const std::string& why) {
  throw base::UsageError(base::Problem{option + " " + path.string(), "cannot be written: " + why,
                                       "a folder in which files can be created", "choose another path"});
}

std::filesystem::path temporary_name(const std::filesystem::path& path) {
  return path.string() + "." + std::to_string(::getpid()) + ".tmp";
}

}  // namespace

void write_file(const std::string& path, std::string_view content, const std::string& option) {
  const std::filesystem::path temporary = temporary_name(path);
  errno = 0;
  std::ofstream file(temporary, std::ios::binary);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  file.close();
  std::error_code error;
  if (!file) {
    const std::string why = errno != 0 ? std::strerror(errno) : "write failed";
    std::filesystem::remove(temporary, error);
    unwritable(path, option, why);
  }
  std::filesystem::rename(temporary, path, error);
  if (error) {
    const std::string why = error.message();
    std::filesystem::remove(temporary, error);
    unwritable(path, option, why);
  }
}

OutputFolder::OutputFolder(const std::string& path, const std::string& option) : folder_(path), option_(option) {
  if (path.empty()) unwritable(folder_, option, "the path is empty");
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) unwritable(folder_, option, error.message());
  const std::filesystem::path probe = temporary_name(folder_ / "probe");
  errno = 0;
  if (!std::ofstream(probe).put('\n').flush()) unwritable(folder_, option, std::strerror(errno));
  std::filesystem::remove(probe, error);
}

void OutputFolder::write(const std::string& name, std::string_view content) const {
  write_file(path(name), content, option_);
}

}  // namespace bitline::result
