#pragma once

#include "reward/base/error.hpp"
#include "reward/base/files.hpp"
#include "reward/launch_contract.hpp"
#include "reward/task.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace atl {

/// A trusted shared object with our entry point, loaded into this process; unloaded with the
/// object. Candidates are never loaded this way. Not thread-safe.
class NativeLibrary {
  public:
    /// `name` is for messages. invalid_argument: no shared object, or one without the entry point.
    [[nodiscard]] static Expected<NativeLibrary> open(const FileHandle& binary,
                                                      const std::string& name);

    void call(const std::vector<void*>& tensors, const std::vector<double>& scalars,
              const std::vector<long long>& axes) const {
        m_function(tensors.data(), scalars.data(), axes.data());
    }

  private:
    struct Closer {
        void operator()(void* library) const;
    };

    FileHandle m_binary;  ///< stays open: the loader tells libraries apart by this path
    std::unique_ptr<void, Closer> m_library;
    NativeFunction m_function = nullptr;
};

/// The variable axes of a task as its entry point takes them. invalid_argument: one is not bound.
[[nodiscard]] Expected<std::vector<long long>> axis_arguments(
    const Task& task, const std::map<std::string, std::int64_t>& bound_axes);

}  // namespace atl
