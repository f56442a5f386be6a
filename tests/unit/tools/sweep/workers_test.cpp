// SPDX-License-Identifier: Apache-2.0
#include "tools/sweep/workers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <map>
#include <set>
#include <thread>

#include "models/base/errors.h"

namespace bitline::sweep {
namespace {

struct Collected {
  std::map<std::size_t, Ended> by_task;
  Work work;
  explicit Collected(std::size_t tasks) {
    work.tasks = tasks;
    work.run = [](std::size_t task) { return std::to_string(task * task); };
    work.ended = [this](std::size_t task, const Ended& ended) {
      EXPECT_TRUE(by_task.emplace(task, ended).second) << "twice: " << task;
    };
  }
};

TEST(Workers, DoEveryTaskOnce) {
  for (const int jobs : {1, 3}) {
    Collected c(50);
    work(c.work, jobs);
    ASSERT_EQ(c.by_task.size(), 50);
    for (const auto& [task, ended] : c.by_task) EXPECT_EQ(ended.answer, std::to_string(task * task));
  }
}

TEST(Workers, LiveOnUnlessTheirTasksNeedAProcessEach) {
  for (const bool alone : {false, true}) {
    Collected c(20);
    c.work.run = [](std::size_t) { return std::to_string(getpid()); };
    c.work.alone = [alone](std::size_t) { return alone; };
    work(c.work, 2);
    std::set<std::string> processes;
    for (const auto& [task, ended] : c.by_task) processes.insert(ended.answer);
    EXPECT_EQ(processes.size() <= 2, !alone);
    EXPECT_EQ(processes.size() == 20, alone);
    EXPECT_FALSE(processes.contains(std::to_string(getpid())));
  }
}

TEST(Workers, KeepWhatWasPreparedForACopy) {
  static int prepared = 0;
  Collected c(4);
  c.work.alone = [](std::size_t) { return true; };
  c.work.prepare = [](std::size_t) { ++prepared; };
  c.work.run = [](std::size_t) { return std::to_string(prepared); };
  work(c.work, 1);
  EXPECT_EQ(c.by_task[3].answer, "4");
  EXPECT_EQ(prepared, 0);  // not here
}

TEST(Workers, ACrashCostsItsTaskOnly) {
  for (const bool alone : {false, true}) {
    Collected c(12);
    c.work.alone = [alone](std::size_t) { return alone; };
    c.work.run = [](std::size_t task) -> std::string {
      if (task == 5) {
        std::signal(SIGABRT, SIG_DFL);
        kill(getpid(), SIGABRT);
      }
      if (task == 7) _exit(3);
      return "done";
    };
    work(c.work, 2);
    ASSERT_EQ(c.by_task.size(), 12);
    for (const auto& [task, ended] : c.by_task) {
      EXPECT_EQ(ended.answer, task == 5 || task == 7 ? "" : "done") << task;
      EXPECT_EQ(ended.signal, task == 5 ? SIGABRT : 0) << task;
      EXPECT_FALSE(ended.timed_out);
    }
  }
}

TEST(Workers, AHangEndsAtItsTimeoutAndNothingElseDoes) {
  for (const bool alone : {false, true}) {
    Collected c(6);
    c.work.timeout_s = 2;
    c.work.alone = [alone](std::size_t) { return alone; };
    c.work.run = [](std::size_t task) -> std::string {
      std::this_thread::sleep_for(std::chrono::milliseconds(task == 1 ? 60'000 : 20));
      return "done";
    };
    const auto start = std::chrono::steady_clock::now();
    work(c.work, 2);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
    ASSERT_EQ(c.by_task.size(), 6);
    for (const auto& [task, ended] : c.by_task) EXPECT_EQ(ended.timed_out, task == 1) << task;
  }
}

TEST(Workers, AnswersMayBeLong) {
  Collected c(3);
  c.work.run = [](std::size_t task) { return std::string(3'000'000, static_cast<char>('a' + task)); };
  c.work.alone = [](std::size_t task) { return task == 1; };
  work(c.work, 2);
  for (const auto& [task, ended] : c.by_task)
    EXPECT_EQ(ended.answer, std::string(3'000'000, static_cast<char>('a' + task)));
}

TEST(Workers, StopLeavesNoWorkerBehind) {
  Collected c(100);
  c.work.run = [](std::size_t) -> std::string {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return std::to_string(getpid());
  };
  c.work.stop = [&c] { return c.by_task.size() >= 5; };
  work(c.work, 2);
  EXPECT_GE(c.by_task.size(), 5);
  EXPECT_LT(c.by_task.size(), 100);
  for (const auto& [task, ended] : c.by_task) EXPECT_NE(kill(std::stoi(ended.answer), 0), 0) << "lives";
}

TEST(Workers, WhatTheCallerThrowsEndsThem) {
  Collected c(100);
  c.work.ended = [](std::size_t, const Ended&) {
    throw base::UsageError(base::Problem{"disk", "is full", "", ""});
  };
  EXPECT_THROW(work(c.work, 2), base::UsageError);
}

TEST(Workers, NoTasksAreDoneAtOnce) {
  Collected c(0);
  work(c.work, 2);
  EXPECT_TRUE(c.by_task.empty());
}

}  // namespace
}  // namespace bitline::sweep
