// SPDX-License-Identifier: Apache-2.0
#include "tools/sweep/store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>

#include "models/base/errors.h"
#include "models/base/files.h"

namespace bitline::sweep {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSchema = "bitline.sweep/1";
constexpr const char* kJournal = "journal.jsonl";

/// Waits until a file (or a folder's list of names) is on the disk.
void flush(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  (void)fsync(file);
  close(file);
}

/// Deletes what a killed process was writing into `folder`.
void remove_unfinished(const fs::path& folder) {
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, none))
    if (entry.path().filename().string().find(".tmp.") != std::string::npos) fs::remove(entry.path(), none);
}

}  // namespace

Store::Store(const Plan& plan, const StoreOptions& options)
    : plan_(plan),
      options_(options),
      folder_(options.folder, "--out"),
      header_{{"schema", kSchema}, {"parts", fingerprint(plan)}},
      journal_(folder_.path(kJournal), header_),
      records_(plan.points.size()) {
  check_header();
  if (options.keep_results) fs::create_directories(folder_.path("points"));
  restore();
}

void Store::check_header() const {
  if (journal_.header() == header_) return;
  std::vector<std::string> changed;
  const Json& mine = header_["parts"];
  const Json its = journal_.header().value("parts", Json::object());
  for (const auto& [what, hash] : mine.items())
    if (!its.contains(what) || its[what] != hash) changed.push_back(what);
  for (const auto& [what, hash] : its.items())
    if (!mine.contains(what)) changed.push_back(what);
  throw base::UsageError(base::Problem{
      "--out " + options_.folder,
      fmt::format("holds another sweep; different: {}",
                  changed.empty() ? "schema" : fmt::format("{}", fmt::join(changed, ", "))),
      "the folder of this sweep, or a new one",
      "to go on with the sweep there, take its files as they were; for this one, choose another folder"});
}

std::size_t Store::index_of(const Json& record) const {
  const std::string id = record.value("point", "");
  std::size_t number = 0;
  std::from_chars(id.data(), id.data() + id.size(), number);
  return number - 1;
}

void Store::restore() {
  for (const Json& record : journal_.records()) {
    const std::size_t point = index_of(record);
    if (point >= records_.size()) continue;
    records_[point] = record;
  }
  for (std::size_t point = 0; point < records_.size(); ++point) {
    if (!records_[point]) continue;
    const bool failed = records_[point]->contains("error");
    if (failed ? options_.retry_failed : options_.keep_results && !has_file(point, "result.json"))
      records_[point].reset();
  }
  remove_unfinished(folder_.path("."));
  for (std::size_t point = 0; options_.keep_results && point < records_.size(); ++point)
    if (!records_[point]) remove_unfinished(folder_.path(point_folder(point)));
}

std::vector<std::size_t> Store::pending() const {
  std::vector<std::size_t> points;
  for (std::size_t i = 0; i < records_.size(); ++i)
    if (!records_[i]) points.push_back(i);
  return points;
}

std::string Store::point_folder(std::size_t point) const {
  return "points/" + plan_.points[point].id;
}

bool Store::has_file(std::size_t point, const std::string& name) const {
  std::error_code none;
  const auto size = fs::file_size(folder_.path(point_folder(point) + "/" + name), none);
  return !none && size > 0;
}

void Store::add(std::size_t point, const Outcome& outcome) {
  if (options_.keep_results && !outcome.result.empty()) {
    const std::string folder = folder_.path(point_folder(point));
    std::error_code error;
    fs::create_directory(folder, error);
    base::write_file_atomically(folder + "/result.json", outcome.result);
    unflushed_.push_back(folder + "/result.json");
    unflushed_.push_back(folder);
  }
  journal_.add(outcome.record);
  records_[point] = outcome.record;
  dirty_ = true;
}

void Store::commit_if_due() {
  if (std::chrono::steady_clock::now() - committed_ >= kCommit) commit();
}

void Store::commit() {
  if (!dirty_) return;
  for (const std::string& path : unflushed_) flush(path);
  if (!unflushed_.empty()) flush(folder_.path("points"));
  unflushed_.clear();
  journal_.sync();
  dirty_ = false;
  committed_ = std::chrono::steady_clock::now();
}

}  // namespace bitline::sweep
