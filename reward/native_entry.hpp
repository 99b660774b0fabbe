#pragma once

#include "reward/base/error.hpp"
#include "reward/base/files.hpp"
#include "reward/oracle.hpp"
#include "reward/task.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace atl {

/// A compiled reference, starter or baseline of a task, loaded into this process: for the task
/// linter's child processes only. Not thread-safe.
class NativeEntry {
  public:
    /// `name` is for messages.
    [[nodiscard]] static Expected<NativeEntry> load(const FileHandle& binary,
                                                    const std::string& name);
    NativeEntry(NativeEntry&& other) noexcept;
    NativeEntry& operator=(NativeEntry&&) = delete;
    ~NativeEntry();

    /// Calls it once on copies that are aligned as the launch contract says, and copies them back,
    /// inputs too: a write to an input shows. `outputs` hold what the buffers hold before.
    void call(const Task& task, const std::map<std::string, std::int64_t>& bound_axes,
              InputSet& inputs, const std::vector<std::span<std::byte>>& outputs) const;

  private:
    using Function = void (*)(void* const*, const double*, const long long*);
    NativeEntry(void* library, Function function) : m_library(library), m_function(function) {}

    void* m_library;
    Function m_function;
};

/// All inputs of one launch, made from one seed; inputs are told apart by their position.
[[nodiscard]] Expected<InputSet> make_input_set(
    const Task& task, const Workload& workload, const Distribution& distribution,
    const std::map<std::string, std::int64_t>& bound_axes, std::uint64_t seed);

/// The values of input `index` made from another seed, or by the default generator where the
/// distribution's ignores its seed; scalars become another number.
[[nodiscard]] Status change_input(const Task& task, const Distribution& distribution,
                                  std::size_t index, std::uint64_t seed, InputSet& inputs);

}  // namespace atl
