#pragma once

#include "reward/base/error.hpp"
#include "reward/cuda/cupti_types.hpp"
#include "reward/cuda/driver_types.hpp"
#include "reward/cuda/shared_library.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace atl {

/// CUPTI (CUDA's profiling interface), loaded at run time: a table of the functions of its activity
/// API. Copies are cheap; thread-safe as far as CUPTI is. Loading starts nothing.
class CuptiLibrary {
  public:
    /// `name`: a path, or what the dynamic linker finds. unavailable for another major version
    /// than 13: records have other layouts there.
    [[nodiscard]] static Expected<CuptiLibrary> open(const std::string& name);

    using RequestBuffer = void (*)(std::uint8_t** buffer, std::size_t* bytes,
                                   std::size_t* max_records);
    using TakeBuffer = void (*)(cuda::Context context, std::uint32_t stream, std::uint8_t* buffer,
                                std::size_t bytes, std::size_t valid_bytes);

    /// By their names without "cupti" and "Activity".
    struct Functions {
        cupti::Result (*get_version)(std::uint32_t* version) = nullptr;
        cupti::Result (*get_result_string)(cupti::Result result, const char** text) = nullptr;
        cupti::Result (*register_callbacks)(RequestBuffer request, TakeBuffer take) = nullptr;
        cupti::Result (*enable)(cupti::Kind kind) = nullptr;
        cupti::Result (*disable)(cupti::Kind kind) = nullptr;
        cupti::Result (*flush_all)(std::uint32_t flag) = nullptr;
        cupti::Result (*get_next_record)(std::uint8_t* buffer, std::size_t valid_bytes,
                                         cupti::Record** record) = nullptr;
        cupti::Result (*get_dropped_records)(cuda::Context context, std::uint32_t stream,
                                             std::size_t* dropped) = nullptr;
        cupti::Result (*push_external)(int kind, std::uint64_t id) = nullptr;
        cupti::Result (*pop_external)(int kind, std::uint64_t* id) = nullptr;
    };

    [[nodiscard]] const Functions& call() const { return m_functions; }
    [[nodiscard]] const std::string& path() const { return m_library.path(); }

    /// Nothing for success; else an error of code unavailable with the call and CUPTI's text.
    [[nodiscard]] Status check(cupti::Result result, const char* call) const;

  private:
    explicit CuptiLibrary(SharedLibrary library) : m_library(std::move(library)) {}
    [[nodiscard]] Status load();

    SharedLibrary m_library;
    Functions m_functions;
};

}  // namespace atl
