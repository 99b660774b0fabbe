#include "reward/cuda/header_bundles.hpp"

#include "reward/cpp_lexer.hpp"
#include "reward/cuda/device_prelude.hpp"

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

namespace atl {

namespace {

constexpr std::array<std::string_view, 4> k_halves{"cuda_fp16.h", "cuda_bf16.h", "cuda_fp8.h",
                                                   "mma.h"};
constexpr std::array<std::string_view, 4> k_groups{
    "cooperative_groups.h", "cooperative_groups/reduce.h", "cooperative_groups/scan.h",
    "cooperative_groups/memcpy_async.h"};
// cub.cuh is ours (host_headers()): all of its parts take 3 MB more than the usual ones.
constexpr std::array<std::string_view, 9> k_library{
    "cuda/std/array", "cuda/std/cstdint",     "cuda/std/limits",
    "cuda/std/tuple", "cuda/std/type_traits", "cuda/std/utility",
    "cuda/barrier",   "cuda/pipeline",        "cub/cub.cuh"};

constexpr std::size_t k_max_header_bytes = 200;

template <std::size_t N>
void append_includes(std::string& text, const std::array<std::string_view, N>& headers) {
    for (const std::string_view header : headers) {
        text.append("#if __has_include(<").append(header).append(">)\n");
        text.append("#include <").append(header).append(">\n#endif\n");
    }
}

bool begins_with_any(std::string_view name, std::initializer_list<std::string_view> beginnings) {
    return std::any_of(beginnings.begin(), beginnings.end(),
                       [&](std::string_view beginning) { return name.starts_with(beginning); });
}

bool is_host_header(std::string_view name) {
    const auto& headers = host_headers();
    return std::any_of(headers.begin(), headers.end(),
                       [&](const NvrtcHeader& header) { return header.name == name; });
}

/// Why `name` may not be included; empty when it may.
std::string objection_to(std::string_view name, bool with_cutlass) {
    const bool plain = std::all_of(name.begin(), name.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '_' || c == '.' || c == '/' || c == '-' || c == '+';
    });
    if (!plain || name.empty() || name.size() > k_max_header_bytes || name.starts_with("/") ||
        name.find("..") != std::string_view::npos) {
        return "headers are named relative to CUDA's include folders";
    }
    if (begins_with_any(name, {"cutlass/", "cute/"})) {
        return with_cutlass ? "" : "no folder of CUTLASS is configured";
    }
    if (begins_with_any(name, {"cub/device/", "cub/agent/", "thrust/system/"}) ||
        name == "thrust/sort.h" || name == "thrust/reduce.h" || name == "thrust/scan.h") {
        return "its functions launch kernels of their own, which no plan can hold; in kernels, "
               "cub/cub.cuh has what blocks and warps do together";
    }
    const bool of_cuda = begins_with_any(name, {"cuda_",
                                                "cuda/",
                                                "cub/",
                                                "thrust/",
                                                "nv/",
                                                "cooperative_groups",
                                                "cuComplex.h",
                                                "mma.h",
                                                "crt/",
                                                "sm_",
                                                "vector_",
                                                "math_",
                                                "device_",
                                                "curand",
                                                "texture_",
                                                "surface_",
                                                "fp16",
                                                "driver_types.h",
                                                "host_defines.h",
                                                "builtin_types.h",
                                                "library_types.h",
                                                "channel_descriptor.h"});
    return of_cuda || is_host_header(name)
               ? ""
               : "only CUDA's device headers, CCCL and the standard library are there";
}

HeaderBundle bundle_of(std::string_view name) {
    if (std::find(k_halves.begin(), k_halves.end(), name) != k_halves.end()) {
        return HeaderBundle::halves;
    }
    if (name.starts_with("cooperative_groups")) {
        return HeaderBundle::groups;
    }
    return begins_with_any(name, {"cuda/", "cub/", "thrust/"}) ? HeaderBundle::library
                                                               : HeaderBundle::none;
}

/// Names that CUDA's headers and CCCL test for.
bool may_steer_headers(std::string_view macro) {
    return begins_with_any(
        macro, {"_", "CUB_", "CCCL_", "THRUST_", "LIBCUDACXX_", "CUDA", "CG_", "NV_", "FP8_"});
}

/// The next token that is no comment.
std::optional<CppToken> next_of(CppLexer& lexer) {
    auto token = lexer.next();
    while (token && token->kind == CppToken::Kind::comment) {
        token = lexer.next();
    }
    return token;
}

/// "name" or <name>, without the quotes; nullopt for anything else.
std::optional<std::string> header_in(const std::optional<CppToken>& token) {
    using Kind = CppToken::Kind;
    if (!token || (token->kind != Kind::header_name && token->kind != Kind::text) ||
        token->text.size() < 2 || (token->text[0] != '<' && token->text[0] != '"')) {
        return std::nullopt;
    }
    return token->text.substr(1, token->text.size() - 2);
}

}  // namespace

const char* to_string(HeaderBundle bundle) {
    switch (bundle) {
        case HeaderBundle::none:
            return "none";
        case HeaderBundle::halves:
            return "halves";
        case HeaderBundle::groups:
            return "groups";
        case HeaderBundle::library:
            return "library";
    }
    return "none";
}

std::string bundle_text(HeaderBundle bundle) {
    std::string text;
    if (bundle == HeaderBundle::groups) {
        // Else cooperative_groups.h includes CCCL for its traits and atomics: 100 MB, and 1,200
        // variables in every cubin.
        text = "#define _CG_LIMIT_INCLUDED_DEPENDENCIES\n";
    }
    if (bundle >= HeaderBundle::halves) {
        append_includes(text, k_halves);
    }
    if (bundle >= HeaderBundle::groups) {
        append_includes(text, k_groups);
    }
    if (bundle >= HeaderBundle::library) {
        append_includes(text, k_library);
    }
    return text;
}

HeaderChoice choose_headers(std::string_view source, bool with_cutlass) {
    HeaderChoice choice;
    bool steered = false;  // by a macro set so far
    bool bundled = true;
    CppLexer lexer(source);
    while (auto token = next_of(lexer)) {
        if (!token->starts_directive) {
            continue;
        }
        const auto directive = next_of(lexer);
        if (!directive || directive->kind != CppToken::Kind::word) {
            continue;
        }
        if (directive->text == "define" || directive->text == "undef") {
            const auto macro = next_of(lexer);
            steered = steered || (macro && may_steer_headers(macro->text));
        }
        if (!directive->text.starts_with("include") && directive->text != "import") {
            continue;
        }
        const auto name = header_in(next_of(lexer));
        const std::string objection =
            name ? objection_to(*name, with_cutlass) : "an #include names its header itself";
        if (!objection.empty()) {
            choice.refusal = std::string(k_device_source_name) + "(" +
                             std::to_string(directive->line) + "): error: cannot include " +
                             (name ? "\"" + name->substr(0, k_max_header_bytes) + "\"" : "this") +
                             ": " + objection + "\n";
            return choice;
        }
        const HeaderBundle wanted = bundle_of(*name);
        bundled = bundled && !(steered && wanted != HeaderBundle::none);
        choice.bundle = std::max(choice.bundle, wanted);
    }
    if (!bundled) {
        choice.bundle = HeaderBundle::none;
    }
    return choice;
}

}  // namespace atl
