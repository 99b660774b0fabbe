#pragma once

#include "reward/base/sandbox.hpp"
#include "tests/support/shell.hpp"
#include "tests/unit/reward/task_fixture.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace atl::testing {

/// A right candidate for the small task, but for BODY.
inline constexpr const char* k_right_cpp = R"(
#ifndef STEP
#define STEP 1  // tune: 1, 2, 4
#endif
extern "C" void launch(const float* x, const float* bias, float alpha, float* y, int rows,
                       int cols) {
    for (long i = 0; i < rows; ++i) {
        double sum = 0;
        for (long j = 0; j < cols; ++j) sum += x[i * cols + j];
        for (long j = 0; j < cols; ++j)
            y[i * cols + j] = alpha * x[i * cols + j] + bias[j] + float(sum / cols);
        BODY
    }
}
)";

/// That with `body` in its loop over rows.
inline std::string right_candidate(const std::string& body = "") {
    std::string source = k_right_cpp;
    return source.replace(source.find("BODY"), 4, body);
}

/// The number of processes that are `supervisor` or were started by it: workers name it on their
/// command line, and so do the candidates that they fork.
inline int processes_of(pid_t supervisor) {
    const std::string mark = "--parent " + std::to_string(supervisor) + " ";
    int count = kill(supervisor, 0) == 0 ? 1 : 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        std::ifstream file(entry.path() / "cmdline");
        std::string line{std::istreambuf_iterator<char>(file), {}};
        std::replace(line.begin(), line.end(), '\0', ' ');
        count += line.find(mark) != std::string::npos ? 1 : 0;
    }
    return count;
}

/// `atoll eval` on the small task.
class EvalCommand : public ::testing::Test {
  protected:
    /// A right candidate with `body` in its loop over rows.
    std::string candidate(const std::string& name, const std::string& body = "",
                          const std::string& before = "") const {
        return file(name, before + right_candidate(body));
    }
    std::string file(const std::string& name, const std::string& source) const {
        const std::filesystem::path path = m_folder.path() / name;
        std::ofstream(path) << source;
        return path.string();
    }
    std::string command(const std::string& arguments) const {
        return std::string(ATOLL_BIN_DIR) + "/atoll eval --sandbox " + m_sandbox + " " +
               m_task.folder().string() + " " + arguments;
    }
    ShellResult eval(const std::string& arguments) const { return run_shell(command(arguments)); }

    SmallTask m_task;
    TemporaryFolder m_folder;
    std::string m_sandbox{to_string(probe_sandbox().level)};
};

}  // namespace atl::testing
