#pragma once

#include "reward/base/error.hpp"
#include "reward/cuda/nvrtc_library.hpp"
#include "reward/cuda/shared_library.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace atl {

/// nvJitLink, loaded at run time: the assembler of PTX that CUDA ships as a shared library since
/// 12.0 (libnvptxcompiler is an archive only, ptxas a program that is not always installed). The
/// functions used, as its API reference has them (https://docs.nvidia.com/cuda/nvjitlink/); tried
/// without a GPU: 10 to 25 ms a kernel. Copies are cheap; thread-safe. As for NVRTC, sources that
/// nobody vouches for belong into a child process.
class JitLinkLibrary {
  public:
    /// `name`: a path, or what the dynamic linker finds. unavailable when a function is missing or
    /// the version is not 12.4 to 13.x.
    [[nodiscard]] static Expected<JitLinkLibrary> open(const std::string& name);

    /// Assembles PTX for a device: `architecture` as "sm_90a". The output has no names, and a log
    /// in the style of NVRTC's: "candidate.ptx(41): error: ...". An error is a fault of ours. Its
    /// results are many, and what they are about is not written down: whoever blames `ptx` must
    /// have seen a kernel that is right be taken (DeviceCompiler does when it is made).
    [[nodiscard]] Expected<NvrtcOutput> assemble(const std::string& ptx,
                                                 const std::string& architecture) const;

    [[nodiscard]] int major() const { return static_cast<int>(m_major); }
    [[nodiscard]] int minor() const { return static_cast<int>(m_minor); }
    [[nodiscard]] const std::string& path() const { return m_library.path(); }

  private:
    struct Link;  // opaque to all but nvJitLink
    explicit JitLinkLibrary(SharedLibrary library) : m_library(std::move(library)) {}
    [[nodiscard]] Status load_functions();
    [[nodiscard]] Expected<NvrtcOutput> run(Link* link, std::string_view ptx) const;
    [[nodiscard]] std::string log_of(Link* link) const;

    SharedLibrary m_library;
    unsigned m_major = 0;
    unsigned m_minor = 0;
    int (*m_version)(unsigned* major, unsigned* minor) = nullptr;
    int (*m_create)(Link** link, std::uint32_t options, const char* const* texts) = nullptr;
    int (*m_destroy)(Link** link) = nullptr;
    int (*m_add)(Link* link, int type, const void* data, std::size_t bytes,
                 const char* name) = nullptr;
    int (*m_complete)(Link* link) = nullptr;
    int (*m_cubin_size)(Link* link, std::size_t* bytes) = nullptr;
    int (*m_cubin)(Link* link, void* cubin) = nullptr;
    int (*m_error_log_size)(Link* link, std::size_t* bytes) = nullptr;
    int (*m_error_log)(Link* link, char* log) = nullptr;
    int (*m_info_log_size)(Link* link, std::size_t* bytes) = nullptr;
    int (*m_info_log)(Link* link, char* log) = nullptr;
};

/// Its name of the source in messages.
inline constexpr const char* k_ptx_source_name = "candidate.ptx";

/// nvJitLink's words as lines "candidate.ptx(41): error: Unknown modifier"; what is said of no line
/// stays, what only says that there were errors goes.
[[nodiscard]] std::string clean_assembler_log(std::string_view log);

}  // namespace atl
