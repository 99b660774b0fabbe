#pragma once

#include "reward/base/error.hpp"
#include "reward/base/files.hpp"
#include "reward/native_library.hpp"
#include "reward/oracle.hpp"
#include "reward/task.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace atl {

/// A compiled reference, starter or baseline of a task, loaded into this process: for the task
/// linter's child processes only. Not thread-safe.
class NativeEntry {
  public:
    /// Errors as NativeLibrary::open().
    [[nodiscard]] static Expected<NativeEntry> load(const FileHandle& binary,
                                                    const std::string& name);
    /// Calls it once on copies that are aligned as the launch contract says, and copies them back,
    /// inputs too: a write to an input shows. `outputs` hold what the buffers hold before. REQUIRES
    /// all variable axes to be bound.
    void call(const Task& task, const std::map<std::string, std::int64_t>& bound_axes,
              InputSet& inputs, const std::vector<std::span<std::byte>>& outputs) const;

  private:
    explicit NativeEntry(NativeLibrary library) : m_library(std::move(library)) {}

    NativeLibrary m_library;
};

}  // namespace atl
