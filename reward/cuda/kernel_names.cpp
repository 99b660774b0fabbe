#include "reward/cuda/kernel_names.hpp"

#include "reward/cpp_lexer.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string_view>

namespace atl {

namespace {

constexpr std::size_t k_max_name = 4096;

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// Substitutions ("S1_") and template parameters ("T_") name what stood before them; words in
/// identifiers that look like them are counted too.
std::size_t references_in(std::string_view name) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < name.size(); ++i) {
        std::size_t begin = i;
        while (name[i] == '_' && begin > 0 &&
               ((name[begin - 1] >= '0' && name[begin - 1] <= '9') ||
                (name[begin - 1] >= 'A' && name[begin - 1] <= 'Z'))) {
            --begin;
            if (name[begin] == 'S' || name[begin] == 'T') {
                ++count;
                break;
            }
        }
    }
    return count;
}

/// A name that refers back to its parts can be exponentially longer than it looks: n references
/// make at most e^(n / e) of a part, when each stands for a part with e others.
bool may_be_too_long(std::string_view name) {
    constexpr double k_most_bits = 26;  // 64 MiB
    constexpr double k_bits_of_reference = 0.531;
    return std::log2(static_cast<double>(name.size())) +
               k_bits_of_reference * static_cast<double>(references_in(name)) >
           k_most_bits;
}

std::optional<std::string> demangle(const std::string& name) {
    if (may_be_too_long(name)) {
        return std::nullopt;
    }
    int status = 0;
    const std::unique_ptr<char, void (*)(void*)> demangled(
        abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), std::free);
    return status != 0 || demangled == nullptr ? std::nullopt
                                               : std::optional<std::string>(demangled.get());
}

/// Without the parameters at its end; empty when there are none.
std::string_view without_parameters(std::string_view text) {
    int depth = 0;
    for (std::size_t i = text.size(); i-- > 0;) {
        depth += text[i] == ')' ? 1 : text[i] == '(' ? -1 : 0;
        if (depth == 0) {
            return text[i] == '(' ? text.substr(0, i) : std::string_view();
        }
    }
    return {};
}

/// Of a kernel whose __global__ was just read: the word in front of its parameters.
std::string kernel_after_global(CppLexer& lexer) {
    std::string last;
    for (auto token = lexer.next(); token; token = lexer.next()) {
        if (token->kind == CppToken::Kind::word) {
            last = token->text;
        } else if (token->text == "(" && last != "__launch_bounds__" && last != "__attribute__" &&
                   last != "__cluster_dims__" && last != "__maxnreg__" &&
                   last != "__block_size__") {
            return last;
        } else if (token->text == "(") {
            for (int open = 1; open > 0 && token;) {
                token = lexer.next();
                open += !token ? 0 : token->text == "(" ? 1 : token->text == ")" ? -1 : 0;
            }
        } else if (token->text == ";" || token->text == "{" || token->text == "::") {
            return "";
        }
        if (!token) {
            return "";
        }
    }
    return "";
}

}  // namespace

std::optional<std::vector<std::string>> plain_kernels(std::string_view device) {
    std::vector<std::string> kernels;
    CppLexer lexer(device);
    int depth = 0;
    bool template_ahead = false;
    bool in_directive = false;
    for (auto token = lexer.next(); token; token = lexer.next()) {
        in_directive = (in_directive || token->starts_directive) &&
                       token->kind != CppToken::Kind::directive_end;
        if (in_directive || token->kind == CppToken::Kind::comment) {
            continue;
        }
        depth += token->text == "{" ? 1 : token->text == "}" ? -1 : 0;
        if (token->text == ";" || token->text == "}") {
            template_ahead = false;
        }
        template_ahead = template_ahead || token->text == "template";
        if (token->kind == CppToken::Kind::word && token->text == "__global__") {
            const std::string name =
                depth == 0 && !template_ahead ? kernel_after_global(lexer) : std::string();
            if (name.empty()) {
                return std::nullopt;
            }
            kernels.push_back(name);
        }
    }
    std::sort(kernels.begin(), kernels.end());
    kernels.erase(std::unique(kernels.begin(), kernels.end()), kernels.end());
    return kernels.empty() ? std::nullopt : std::optional(std::move(kernels));
}

std::optional<std::string> name_expression_of(const std::string& linked_name) {
    if (linked_name.empty() || linked_name.size() > k_max_name) {
        return std::nullopt;
    }
    if (!linked_name.starts_with("_Z")) {
        const bool plain = std::all_of(linked_name.begin(), linked_name.end(), is_word);
        return plain ? std::optional(linked_name) : std::nullopt;
    }
    const std::optional<std::string> demangled = demangle(linked_name);
    if (!demangled) {
        return std::nullopt;
    }
    std::string_view name = without_parameters(*demangled);
    // Only what is a template has its return type in front.
    constexpr std::string_view k_void = "void ";
    name.remove_prefix(name.starts_with(k_void) ? k_void.size() : 0);
    const bool harmless = std::all_of(name.begin(), name.end(), [](char c) {
        return is_word(c) || std::string_view(":<>(), *&-[]").find(c) != std::string_view::npos;
    });
    return name.empty() || !harmless ? std::nullopt : std::optional(std::string(name));
}

}  // namespace atl
