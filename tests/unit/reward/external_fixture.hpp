#pragma once

#include "reward/kinds/external.hpp"
#include "tests/unit/reward/task_fixture.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <string>
#include <thread>

namespace atl::testing {

/// An external task whose judge is a shell script.
class ExternalTask : public ::testing::Test {
  protected:
    TaskPtr task(const std::string& script, const std::string& limits = "",
                 const std::string& command = R"(["sh", "judge.sh"])") const {
        write_text(m_root.path() / "judge.sh", script);
        write_text(m_root.path() / "definition.json",
                   R"({"name": "outside", "atoll": {"kind": "external", "external": {)"
                   R"("candidate_file": "candidate.txt", "command": )" +
                       command + limits + "}}}");
        return value_or_throw(load_task(m_root.path()));
    }

    Verdict judge(const TaskPtr& task, const std::string& source = "x",
                  const std::map<std::string, std::string>& tune = {}) const {
        return value_or_throw(judge_external(*task, {"external", source, tune, {}}));
    }

    /// The verdict on a judge that prints this answer.
    Verdict answer(const std::string& json) const {
        write_text(m_root.path() / "answer.json", json);
        return judge(task("cat \"$ATOLL_TASK/answer.json\""));
    }

    /// Killed; who reaps it is up to init, so waits until it is a zombie or gone.
    static bool dies(pid_t pid) {
        for (int i = 0; i < 3000; ++i) {
            const std::string stat = read_text("/proc/" + std::to_string(pid) + "/stat");
            if (stat.empty() || stat.find(") Z") != std::string::npos) {
                return true;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        return false;
    }

    TemporaryFolder m_root;
};

}  // namespace atl::testing
