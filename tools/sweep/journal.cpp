// SPDX-License-Identifier: Apache-2.0
#include "tools/sweep/journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <boost/crc.hpp>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <thread>

#include "models/base/errors.h"
#include "models/base/files.h"

namespace bitline::sweep {
namespace {

constexpr std::size_t kCrcDigits = 8;

std::string crc_of(std::string_view text) {
  boost::crc_32_type crc;
  crc.process_bytes(text.data(), text.size());
  return fmt::format("{:08x}", crc.checksum());
}

std::string line_of(const Json& record) {
  const std::string text = record.dump(-1, ' ', false, Json::error_handler_t::replace);
  return crc_of(text) + " " + text + "\n";
}

/// None: the line is damaged.
std::optional<Json> read_line(std::string_view line) {
  if (line.size() <= kCrcDigits || line[kCrcDigits] != ' ') return std::nullopt;
  const std::string_view text = line.substr(kCrcDigits + 1);
  if (line.substr(0, kCrcDigits) != crc_of(text)) return std::nullopt;
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return std::nullopt;
  return json;
}

}  // namespace

Journal::Journal(const std::string& path, const Json& header) : path_(path) {
  file_ = open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  if (file_ < 0) fail(fmt::format("cannot be written: {}", std::strerror(errno)), "choose another folder");
  try {
    lock();
    read(base::read_file(path_, std::int64_t{1} << 40));
    if (header_.is_null()) {  // new, or killed before its first line was whole
      write(line_of(header));
      header_ = header;
      sync();
    }
  } catch (...) {
    close(file_);
    throw;
  }
}

Journal::~Journal() {
  close(file_);
}

void Journal::fail(const std::string& what, const std::string& remedy) const {
  throw base::UsageError(base::Problem{path_, what, "", remedy});
}

void Journal::lock() {
  // The workers of a process that was just killed may take a moment to go.
  for (int tries = 0; flock(file_, LOCK_EX | LOCK_NB) != 0; ++tries) {
    if (errno != EWOULDBLOCK && errno != EINTR) fail(std::strerror(errno), "");
    if (tries == 20) fail("another sweep is at work here", "wait for it, or choose another --out");
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

void Journal::read(const std::string& text) {
  std::size_t good = 0;  // bytes of whole lines
  for (std::size_t number = 1; good < text.size(); ++number) {
    const std::size_t end = text.find('\n', good);
    std::optional<Json> json;
    if (end != std::string::npos) json = read_line(std::string_view(text).substr(good, end - good));
    if (!json) {
      // Lines are written one after another: only the last can be cut off.
      if (end != std::string::npos && end + 1 < text.size())
        fail(fmt::format("line {} is damaged", number),
             "start again with another --out, or remove that line: its point is evaluated again");
      torn_ = true;
      if (ftruncate(file_, static_cast<off_t>(good)) != 0)
        fail(fmt::format("cannot be written: {}", std::strerror(errno)), "");
      return;
    }
    if (number == 1)
      header_ = std::move(*json);
    else
      records_.push_back(std::move(*json));
    good = end + 1;
  }
}

void Journal::write(const std::string& text) const {
  for (std::size_t sent = 0; sent < text.size();) {
    const ssize_t n = ::write(file_, text.data() + sent, text.size() - sent);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0)
      fail(fmt::format("cannot be written: {}", std::strerror(errno)), "free some space, start again");
    sent += static_cast<std::size_t>(n);
  }
}

void Journal::add(const Json& record) {
  write(line_of(record));
}

void Journal::sync() {
  if (fdatasync(file_) != 0) fail(fmt::format("cannot be written: {}", std::strerror(errno)), "");
}

}  // namespace bitline::sweep
