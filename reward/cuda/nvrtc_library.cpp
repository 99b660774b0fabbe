#include "reward/cuda/nvrtc_library.hpp"

#include "reward/cuda/ptx_facts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace atl {

namespace {

// enum nvrtcResult of nvrtc.h, the same since CUDA 8.
constexpr int k_success = 0;
constexpr int k_out_of_memory = 1;
constexpr int k_compilation = 6;
constexpr int k_name_expression_not_valid = 10;

constexpr int k_oldest_major = 12;
constexpr int k_oldest_minor = 4;
constexpr int k_newest_major = 13;

bool is_supported(int major, int minor) {
    return major == k_newest_major || (major == k_oldest_major && minor >= k_oldest_minor);
}

std::vector<const char*> pointers_to(const std::vector<std::string>& texts) {
    std::vector<const char*> pointers;
    pointers.reserve(texts.size());
    for (const std::string& text : texts) {
        pointers.push_back(text.c_str());
    }
    return pointers;
}

}  // namespace

Expected<NvrtcLibrary> NvrtcLibrary::open(const std::string& name) {
    ATOLL_TRY_ASSIGN(SharedLibrary opened, SharedLibrary::open(name));
    NvrtcLibrary library(std::move(opened));
    ATOLL_TRY(library.m_library.load("nvrtcGetErrorString", library.m_error_string));
    ATOLL_TRY(library.m_library.load("nvrtcVersion", library.m_version));
    ATOLL_TRY(library.check(library.m_version(&library.m_major, &library.m_minor), "nvrtcVersion"));
    if (!is_supported(library.m_major, library.m_minor)) {
        return failure(
            ErrorCode::unavailable,
            fmt::format("NVRTC {}.{} is not supported", library.m_major, library.m_minor),
            library.path(),
            fmt::format("install CUDA {}.{} to {}.x", k_oldest_major, k_oldest_minor,
                        k_newest_major));
    }
    ATOLL_TRY(library.load_functions());
    return library;
}

Status NvrtcLibrary::load_functions() {
    ATOLL_TRY(m_library.load("nvrtcGetNumSupportedArchs", m_architecture_count));
    ATOLL_TRY(m_library.load("nvrtcGetSupportedArchs", m_architectures));
    ATOLL_TRY(m_library.load("nvrtcCreateProgram", m_create));
    ATOLL_TRY(m_library.load("nvrtcDestroyProgram", m_destroy));
    ATOLL_TRY(m_library.load("nvrtcCompileProgram", m_compile));
    ATOLL_TRY(m_library.load("nvrtcGetCUBINSize", m_cubin_size));
    ATOLL_TRY(m_library.load("nvrtcGetCUBIN", m_cubin));
    ATOLL_TRY(m_library.load("nvrtcGetPTXSize", m_ptx_size));
    ATOLL_TRY(m_library.load("nvrtcGetPTX", m_ptx));
    ATOLL_TRY(m_library.load("nvrtcGetProgramLogSize", m_log_size));
    ATOLL_TRY(m_library.load("nvrtcGetProgramLog", m_log));
    ATOLL_TRY(m_library.load("nvrtcAddNameExpression", m_add_name));
    ATOLL_TRY(m_library.load("nvrtcGetLoweredName", m_lowered_name));
    if (!m_library.load("nvrtcSetPCHHeapSize", m_set_pch_heap_size)) {
        m_set_pch_heap_size = nullptr;
    }
    return {};
}

Status NvrtcLibrary::check(int result, const char* function) const {
    if (result == k_success) {
        return {};
    }
    const auto code = result == k_out_of_memory ? ErrorCode::no_space : ErrorCode::internal;
    return failure(code, fmt::format("{}: {}", function, m_error_string(result)), "NVRTC");
}

Expected<std::vector<int>> NvrtcLibrary::architectures() const {
    int count = 0;
    ATOLL_TRY(check(m_architecture_count(&count), "nvrtcGetNumSupportedArchs"));
    std::vector<int> architectures(static_cast<std::size_t>(std::max(count, 0)));
    ATOLL_TRY(check(m_architectures(architectures.data()), "nvrtcGetSupportedArchs"));
    return architectures;
}

Status NvrtcLibrary::reserve_precompiled_headers(std::size_t bytes) const {
    return has_precompiled_headers() ? check(m_set_pch_heap_size(bytes), "nvrtcSetPCHHeapSize")
                                     : Status{};
}

Expected<NvrtcOutput> NvrtcLibrary::compile(const NvrtcInput& input) const {
    std::vector<const char*> texts;
    std::vector<const char*> names;
    for (const NvrtcHeader& header : input.headers) {
        texts.push_back(header.text.c_str());
        names.push_back(header.name.c_str());
    }
    Program* program = nullptr;
    ATOLL_TRY(check(m_create(&program, input.source.c_str(), input.name.c_str(),
                             static_cast<int>(texts.size()), texts.data(), names.data()),
                    "nvrtcCreateProgram"));
    NvrtcOutput output;
    const Status filled = fill(program, input, output);
    m_destroy(&program);
    ATOLL_TRY(filled);
    return output;
}

Status NvrtcLibrary::fill(Program* program, const NvrtcInput& input, NvrtcOutput& output) const {
    for (const std::string& expression : input.name_expressions) {
        if (!is_name_expression(expression)) {
            return failure(ErrorCode::invalid_argument,
                           "'" + expression.substr(0, 100) + "' is no function's name", "NVRTC");
        }
        ATOLL_TRY(check(m_add_name(program, expression.c_str()), "nvrtcAddNameExpression"));
    }
    const std::vector<const char*> options = pointers_to(input.options);
    const int result = m_compile(program, static_cast<int>(options.size()), options.data());
    ATOLL_TRY(take_log(program, output));
    output.ok = result == k_success;
    output.out_of_memory = result == k_out_of_memory;
    if (output.ok) {
        return take_results(program, input, output);
    }
    const bool of_the_source =
        output.out_of_memory || result == k_compilation || result == k_name_expression_not_valid;
    if (of_the_source) {
        return {};
    }
    Status failed = check(result, "nvrtcCompileProgram");
    failed.error().what += ": " + output.log.substr(0, 500);
    return failed;
}

Status NvrtcLibrary::take_log(Program* program, NvrtcOutput& output) const {
    std::size_t bytes = 0;
    ATOLL_TRY(check(m_log_size(program, &bytes), "nvrtcGetProgramLogSize"));
    output.log.resize(bytes);
    if (bytes > 0) {
        ATOLL_TRY(check(m_log(program, output.log.data()), "nvrtcGetProgramLog"));
        output.log.resize(bytes - 1);  // the NUL at its end
    }
    return {};
}

Status NvrtcLibrary::take_results(Program* program, const NvrtcInput& input,
                                  NvrtcOutput& output) const {
    std::size_t bytes = 0;
    ATOLL_TRY(check(m_cubin_size(program, &bytes), "nvrtcGetCUBINSize"));
    output.cubin.resize(bytes);
    if (bytes > 0) {
        ATOLL_TRY(check(m_cubin(program, output.cubin.data()), "nvrtcGetCUBIN"));
    }
    for (const std::string& expression : input.name_expressions) {
        const char* name = nullptr;
        ATOLL_TRY(check(m_lowered_name(program, expression.c_str(), &name), "nvrtcGetLoweredName"));
        output.names.emplace_back(name == nullptr ? "" : name);
    }
    ATOLL_TRY_ASSIGN(const std::string ptx, take_ptx(program));
    output.touches_variables = may_touch_variables(ptx);
    return {};
}

/// What the cubin was assembled from.
Expected<std::string> NvrtcLibrary::take_ptx(Program* program) const {
    std::size_t bytes = 0;
    ATOLL_TRY(check(m_ptx_size(program, &bytes), "nvrtcGetPTXSize"));
    std::string ptx(bytes, '\0');
    if (bytes > 0) {
        ATOLL_TRY(check(m_ptx(program, ptx.data()), "nvrtcGetPTX"));
        ptx.pop_back();  // the NUL at its end
    }
    return ptx;
}

bool is_name_expression(std::string_view text) {
    if (text.empty() || text.size() > k_max_name_expression_bytes) {
        return false;
    }
    const auto is_word = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
    };
    const bool starts_well =
        text[0] == ':' || (is_word(text[0]) && (text[0] < '0' || text[0] > '9'));
    int depth = 0;
    int open = 0;  // round and square brackets
    for (const char c : text) {
        depth += c == '<' ? 1 : c == '>' ? -1 : 0;
        open += c == '(' || c == '[' ? 1 : c == ')' || c == ']' ? -1 : 0;
        const bool fits = is_word(c) || std::string_view(":<> ").find(c) != std::string_view::npos;
        const bool fits_inside =
            depth > 0 && std::string_view(",*&-+()[]").find(c) != std::string_view::npos;
        if (depth < 0 || open < 0 || !(fits || fits_inside)) {
            return false;
        }
    }
    return starts_well && depth == 0 && open == 0;
}

}  // namespace atl
