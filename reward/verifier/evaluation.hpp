#pragma once

#include "reward/base/error.hpp"
#include "reward/base/files.hpp"
#include "reward/oracle.hpp"
#include "reward/verifier/anchor.hpp"
#include "reward/verifier/cases.hpp"
#include "reward/verifier/messages.hpp"
#include "reward/verifier/runner_link.hpp"
#include "reward/verifier/shared_buffers.hpp"
#include "reward/verifier/task_layout.hpp"

#include <memory>
#include <vector>

namespace atl {

/// A task ready to judge candidates: its oracle, its cases, and buffers that candidates use one
/// after the other. Not thread-safe.
class LoadedTask {
  public:
    /// Loads the oracle and makes the first cases (calls the oracle many times).
    [[nodiscard]] static Expected<std::unique_ptr<LoadedTask>> create(TaskPtr task,
                                                                      const FileHandle& oracle);

    LoadedTask(const LoadedTask&) = delete;
    LoadedTask& operator=(const LoadedTask&) = delete;

    [[nodiscard]] const TaskPtr& task() const { return m_layout.task_ptr(); }
    [[nodiscard]] const Oracle& oracle() const { return *m_oracle; }
    [[nodiscard]] const TaskLayout& layout() const { return m_layout; }  ///< public workloads
    [[nodiscard]] CasePool& pool() { return m_pool; }
    [[nodiscard]] SharedBuffers& buffers() { return m_buffers; }

  private:
    LoadedTask(std::unique_ptr<Oracle> oracle, TaskLayout layout, SharedBuffers buffers);

    std::unique_ptr<Oracle> m_oracle;
    TaskLayout m_layout;
    CasePool m_pool;
    SharedBuffers m_buffers;
};

/// The device stages of the cascade (smoke, verify, screen, measure; for Level::confirm with
/// fresh seeds, hidden workloads and rivals) for one order. `binaries[0]` is the candidate's
/// shared object, the others are the rivals'. An error is a fault of ours.
[[nodiscard]] Expected<EvaluateReply> evaluate_order(LoadedTask& task, const EvaluateOrder& order,
                                                     const std::vector<FileHandle>& binaries,
                                                     RunnerLink& runner, Anchor& anchor);

}  // namespace atl
