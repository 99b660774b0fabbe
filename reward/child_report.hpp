#pragma once

#include "reward/base/error.hpp"
#include "reward/task_check.hpp"

#include <functional>
#include <string>
#include <vector>

namespace atl {

/// What runs inside a linter's child process says through this.
class ChildReport {
  public:
    explicit ChildReport(int fd) : m_fd(fd) {}
    void add(const TaskFinding& finding);
    /// Names what happens next, for the message should it be the last thing that happens.
    void at(const std::string& place);

  private:
    void send(const std::string& line);
    int m_fd;
};

/// Runs `body` in a forked child and returns its findings. When the child dies or is out of time,
/// one more finding (`rule`) says how and where: a crash of a task's code is an error of the task.
/// The child inherits this process's memory but none of its threads.
[[nodiscard]] Expected<std::vector<TaskFinding>> report_from_child(
    const std::string& rule, const std::string& subject, double timeout_s,
    const std::function<void(ChildReport&)>& body);

}  // namespace atl
