#pragma once

#include "reward/base/error.hpp"

#include <memory>
#include <string>

namespace atl {

/// A library that is loaded at run time, so that the same program runs where it is missing. It
/// stays loaded to the end of the process: CUPTI and the driver leave threads and exit handlers
/// behind. Copies are cheap. Thread-safe.
class SharedLibrary {
  public:
    /// `name`: a path, or a file name that the dynamic linker looks for. not_found when it is not
    /// there, unavailable (with the linker's reason) when it cannot be loaded.
    [[nodiscard]] static Expected<SharedLibrary> open(const std::string& name);

    /// The absolute path of the file that was loaded.
    [[nodiscard]] const std::string& path() const { return m_path; }

    /// Fills `function`, a pointer to a function of that C interface; unavailable when the library
    /// has none of that name.
    template <class Function>
    [[nodiscard]] Status load(const char* symbol, Function*& function) const {
        ATOLL_TRY_ASSIGN(void* const address, find(symbol));
        function = reinterpret_cast<Function*>(address);
        return {};
    }

  private:
    SharedLibrary(void* handle, std::string path) : m_handle(handle), m_path(std::move(path)) {}
    [[nodiscard]] Expected<void*> find(const char* symbol) const;

    void* m_handle;
    std::string m_path;
};

}  // namespace atl
