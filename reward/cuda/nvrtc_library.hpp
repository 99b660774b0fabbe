#pragma once

#include "reward/base/error.hpp"
#include "reward/cuda/shared_library.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// A header that exists in no folder: what an #include of that name reads.
struct NvrtcHeader {
    std::string name;
    std::string text;
};

/// One translation unit as NVRTC takes it.
struct NvrtcInput {
    std::string source;  ///< to its first NUL: NVRTC takes C strings
    std::string name;    ///< in messages
    std::vector<NvrtcHeader> headers;
    std::vector<std::string> options;
    /// Kernels to instantiate and name ("scale<float, 4>"). NVRTC pastes them into the source, so
    /// only what is_name_expression() accepts.
    std::vector<std::string> name_expressions;
};

/// What NVRTC made of it.
struct NvrtcOutput {
    bool ok = false;
    bool out_of_memory = false;  ///< NVRTC said so itself
    std::string log;
    std::string cubin;               ///< when ok; empty for architectures that are no device's
    std::vector<std::string> names;  ///< when ok: as linked, one for each name expression
    /// May be false when ok: no kernel touches a variable of the device (ptx_facts.hpp).
    bool touches_variables = true;
};

/// NVRTC, loaded at run time: a table of the functions used, with their types as the API reference
/// of NVRTC gives them (https://docs.nvidia.com/cuda/nvrtc/). Copies are cheap. NVRTC is
/// thread-safe, but its front end works for one thread at a time, and bad input can crash it or
/// keep it busy for ever: sources that nobody vouches for belong into a child process.
class NvrtcLibrary {
  public:
    /// `name`: a path, or what the dynamic linker finds. unavailable when the version is not 12.4
    /// to 13.x (what was tried, and what has all functions used) or a function is missing.
    [[nodiscard]] static Expected<NvrtcLibrary> open(const std::string& name);

    /// Compiles. An Expected error is a fault of ours (an option that NVRTC does not know).
    [[nodiscard]] Expected<NvrtcOutput> compile(const NvrtcInput& input) const;

    [[nodiscard]] int major() const { return m_major; }
    [[nodiscard]] int minor() const { return m_minor; }
    [[nodiscard]] const std::string& path() const { return m_library.path(); }
    /// Compute capabilities that it compiles for, ascending: 75, 80, ... An 'a' is not in them.
    [[nodiscard]] Expected<std::vector<int>> architectures() const;
    /// Since 12.8.
    [[nodiscard]] bool has_precompiled_headers() const { return m_set_pch_heap_size != nullptr; }
    /// Bytes of address space for precompiled headers; before the first one. Does nothing where
    /// there are none.
    [[nodiscard]] Status reserve_precompiled_headers(std::size_t bytes) const;

  private:
    struct Program;  // opaque to all but NVRTC
    using Text = const char*;

    explicit NvrtcLibrary(SharedLibrary library) : m_library(std::move(library)) {}
    [[nodiscard]] Status load_functions();
    [[nodiscard]] Status check(int result, const char* function) const;
    [[nodiscard]] Status fill(Program* program, const NvrtcInput& input, NvrtcOutput& output) const;
    [[nodiscard]] Status take_log(Program* program, NvrtcOutput& output) const;
    [[nodiscard]] Status take_results(Program* program, const NvrtcInput& input,
                                      NvrtcOutput& output) const;
    [[nodiscard]] Expected<std::string> take_ptx(Program* program) const;

    SharedLibrary m_library;
    int m_major = 0;
    int m_minor = 0;
    Text (*m_error_string)(int result) = nullptr;
    int (*m_version)(int* major, int* minor) = nullptr;
    int (*m_architecture_count)(int* count) = nullptr;
    int (*m_architectures)(int* architectures) = nullptr;
    int (*m_create)(Program** program, Text source, Text name, int headers, const Text* texts,
                    const Text* names) = nullptr;
    int (*m_destroy)(Program** program) = nullptr;
    int (*m_compile)(Program* program, int options, const Text* texts) = nullptr;
    int (*m_cubin_size)(Program* program, std::size_t* bytes) = nullptr;
    int (*m_cubin)(Program* program, char* cubin) = nullptr;
    int (*m_ptx_size)(Program* program, std::size_t* bytes) = nullptr;
    int (*m_ptx)(Program* program, char* ptx) = nullptr;
    int (*m_log_size)(Program* program, std::size_t* bytes) = nullptr;
    int (*m_log)(Program* program, char* log) = nullptr;
    int (*m_add_name)(Program* program, Text expression) = nullptr;
    int (*m_lowered_name)(Program* program, Text expression, Text* name) = nullptr;
    int (*m_set_pch_heap_size)(std::size_t bytes) = nullptr;  ///< null before 12.8
};

inline constexpr std::size_t k_max_name_expression_bytes = 512;

/// Whether `text` is the name of a function, maybe a template's specialisation, and nothing more:
/// identifiers, "::", numbers, and template arguments of them with "*", "&", signs, casts and
/// brackets; at most 512 bytes, brackets in pairs.
[[nodiscard]] bool is_name_expression(std::string_view text);

}  // namespace atl
