#pragma once

#include "reward/base/error.hpp"
#include "reward/base/files.hpp"
#include "reward/gpu/runner_source.hpp"

#include <span>

namespace atl {

/// The programs of one order (the candidate's, then the rivals'), loaded into whichever runner is
/// there. Not thread-safe.
class GpuPrograms {
  public:
    GpuPrograms(RunnerSource& source, GpuTask& task, std::span<const FileHandle> packages)
        : m_source(source), m_task(task), m_packages(packages) {}

    /// A usable runner with all programs in it.
    [[nodiscard]] Expected<RunnerClient*> runner();
    /// RunnerSource's.
    [[nodiscard]] Status wait_until_quiet() { return m_source.wait_until_quiet(); }

  private:
    RunnerSource& m_source;
    GpuTask& m_task;
    std::span<const FileHandle> m_packages;
    bool m_loaded = false;
};

}  // namespace atl
