#include "reward/cuda/jit_link_library.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace atl {

namespace {

// enum nvJitLinkResult and nvJitLinkInputType of nvJitLink.h, the same since CUDA 12.0.
constexpr int k_success = 0;
constexpr int k_input_ptx = 2;

constexpr unsigned k_oldest_minor_of_12 = 4;

template <class Size, class Get, class Link>
std::string text_of(Size size, Get get, Link* link) {
    std::size_t bytes = 0;
    if (size(link, &bytes) != k_success || bytes == 0) {
        return {};
    }
    std::string text(bytes, '\0');
    if (get(link, text.data()) != k_success) {
        return {};
    }
    text.resize(std::min(text.find('\0'), text.size()));
    return text;
}

/// "ptxas application ptx input, line 41; error   : what" without its first two parts.
std::string clean_line(std::string_view line) {
    constexpr std::string_view k_place = "ptxas application ptx input, line ";
    if (!line.starts_with(k_place)) {
        return std::string(line);
    }
    line.remove_prefix(k_place.size());
    const std::size_t semicolon = line.find("; ");
    const std::size_t colon = line.find(": ", semicolon);
    if (semicolon == std::string_view::npos || colon == std::string_view::npos) {
        return std::string(line);
    }
    std::string_view what = line.substr(semicolon + 2, colon - semicolon - 2);
    what = what.substr(0, what.find_last_not_of(' ') + 1);
    return fmt::format("{}({}): {}: {}", k_ptx_source_name, line.substr(0, semicolon), what,
                       line.substr(colon + 2));
}

}  // namespace

std::string clean_assembler_log(std::string_view log) {
    std::string out;
    std::string last_words;  // which say only that there were errors
    while (!log.empty()) {
        const std::string_view line = log.substr(0, log.find('\n'));
        log.remove_prefix(std::min(line.size() + 1, log.size()));
        if (line.empty() || line.starts_with("ERROR ")) {
            continue;
        }
        if (line.starts_with("ptxas fatal") && line.find("aborted") != std::string_view::npos) {
            last_words = std::string(line) + "\n";
            continue;
        }
        out.append(clean_line(line)).append("\n");
    }
    return out.empty() ? last_words : out;
}

Expected<JitLinkLibrary> JitLinkLibrary::open(const std::string& name) {
    ATOLL_TRY_ASSIGN(SharedLibrary opened, SharedLibrary::open(name));
    JitLinkLibrary library(std::move(opened));
    ATOLL_TRY(library.m_library.load("nvJitLinkVersion", library.m_version));
    if (library.m_version(&library.m_major, &library.m_minor) != k_success) {
        return failure(ErrorCode::unavailable, "nvJitLinkVersion failed", library.path());
    }
    const bool old =
        library.m_major < 12 || (library.m_major == 12 && library.m_minor < k_oldest_minor_of_12);
    if (old || library.m_major > 13) {
        return failure(
            ErrorCode::unavailable,
            fmt::format("nvJitLink {}.{} is not supported", library.m_major, library.m_minor),
            library.path(), "install CUDA 12.4 to 13.x");
    }
    ATOLL_TRY(library.load_functions());
    return library;
}

Status JitLinkLibrary::load_functions() {
    ATOLL_TRY(m_library.load("nvJitLinkCreate", m_create));
    ATOLL_TRY(m_library.load("nvJitLinkDestroy", m_destroy));
    ATOLL_TRY(m_library.load("nvJitLinkAddData", m_add));
    ATOLL_TRY(m_library.load("nvJitLinkComplete", m_complete));
    ATOLL_TRY(m_library.load("nvJitLinkGetLinkedCubinSize", m_cubin_size));
    ATOLL_TRY(m_library.load("nvJitLinkGetLinkedCubin", m_cubin));
    ATOLL_TRY(m_library.load("nvJitLinkGetErrorLogSize", m_error_log_size));
    ATOLL_TRY(m_library.load("nvJitLinkGetErrorLog", m_error_log));
    ATOLL_TRY(m_library.load("nvJitLinkGetInfoLogSize", m_info_log_size));
    return m_library.load("nvJitLinkGetInfoLog", m_info_log);
}

Expected<NvrtcOutput> JitLinkLibrary::assemble(const std::string& ptx,
                                               const std::string& architecture) const {
    const std::string target = "-arch=" + architecture;
    const std::array<const char*, 3> options{target.c_str(), "-Xptxas=-v", "-lineinfo"};
    Link* link = nullptr;
    const int created = m_create(&link, static_cast<std::uint32_t>(options.size()), options.data());
    if (created != k_success) {
        return failure(ErrorCode::internal, fmt::format("nvJitLinkCreate: result {}", created),
                       "nvJitLink");
    }
    Expected<NvrtcOutput> output = run(link, ptx);
    m_destroy(&link);
    return output;
}

std::string JitLinkLibrary::log_of(Link* link) const {
    return text_of(m_error_log_size, m_error_log, link) +
           text_of(m_info_log_size, m_info_log, link);
}

Expected<NvrtcOutput> JitLinkLibrary::run(Link* link, std::string_view ptx) const {
    NvrtcOutput output;
    int result = m_add(link, k_input_ptx, ptx.data(), ptx.size(), k_ptx_source_name);
    result = result == k_success ? m_complete(link) : result;
    output.log = clean_assembler_log(log_of(link));
    if (result != k_success) {
        if (output.log.empty()) {
            output.log = fmt::format("{}: error: is no PTX that can be assembled (result {})\n",
                                     k_ptx_source_name, result);
        }
        return output;
    }
    std::size_t bytes = 0;
    if (m_cubin_size(link, &bytes) != k_success) {
        return failure(ErrorCode::internal, "nvJitLinkGetLinkedCubinSize failed", "nvJitLink");
    }
    output.cubin.resize(bytes);
    if (m_cubin(link, output.cubin.data()) != k_success) {
        return failure(ErrorCode::internal, "nvJitLinkGetLinkedCubin failed", "nvJitLink");
    }
    output.ok = true;
    return output;
}

}  // namespace atl
