// SPDX-License-Identifier: Apache-2.0
#include "models/base/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "models/base/errors.h"

namespace bitline::base {

namespace {

[[noreturn]] void fail(const std::string& path, const std::string& what, int error) {
  throw UsageError(Problem{path, what + ": " + std::strerror(error), "", ""});
}

/// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }
  /// Closes now; returns errno of a failed close, else 0 (some file systems report a full disk only here).
  [[nodiscard]] int close() {
    const int result = ::close(fd_);
    fd_ = -1;
    return result == 0 ? 0 : errno;
  }

 private:
  int fd_;
};

/// Writes everything; returns errno, 0 if all is well.
int write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

std::string temporary_name(const std::string& path) {
  static std::atomic<unsigned> counter{0};  // distinct names for threads that write the same path
  return path + ".tmp." + std::to_string(::getpid()) + "." + std::to_string(counter++);
}

/// Opens, writes, closes; returns errno, 0 if all is well.
int write_through(const std::string& path, int flags, std::string_view bytes) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC | flags, 0666));
  if (file.get() < 0) return errno;
  const int error = write_all(file.get(), bytes);
  const int close_error = file.close();
  return error != 0 ? error : close_error;
}

}  // namespace

void write_file_atomically(const std::string& path, std::string_view bytes) {
  struct stat status {};
  const bool exists = ::stat(path.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode)) fail(path, "cannot be written", EISDIR);
  if (exists && !S_ISREG(status.st_mode)) {  // a rename would replace the device or pipe itself
    if (const int error = write_through(path, 0, bytes); error != 0) fail(path, "cannot be written", error);
    return;
  }
  const std::string temporary = temporary_name(path);
  int error = write_through(temporary, O_CREAT | O_EXCL, bytes);
  if (error == 0 && std::rename(temporary.c_str(), path.c_str()) != 0) error = errno;
  if (error != 0) {
    ::unlink(temporary.c_str());
    fail(path, "cannot be written", error);
  }
}

std::string read_file(const std::string& path, std::int64_t limit) {
  // Non-blocking, so that a named pipe without a writer is refused below instead of hanging here.
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) fail(path, "cannot be read", errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) fail(path, "cannot be read", errno);
  if (!S_ISREG(status.st_mode)) throw UsageError(Problem{path, "is not a regular file", "", ""});
  std::string bytes;
  char buffer[1 << 16];
  for (;;) {
    const ssize_t count = ::read(file.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(path, "cannot be read", errno);
    if (count == 0) return bytes;
    bytes.append(buffer, static_cast<std::size_t>(count));
    if (static_cast<std::int64_t>(bytes.size()) > limit) {
      throw UsageError(Problem{path, "is too large", "at most " + std::to_string(limit) + " bytes", ""});
    }
  }
}

}  // namespace bitline::base
