#include "reward/cuda/kernel_names.hpp"

#include "reward/cpp_lexer.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string_view>

namespace atl {

namespace {

constexpr std::size_t k_max_name = 4096;

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
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
    int status = 0;
    const std::unique_ptr<char, void (*)(void*)> demangled(
        abi::__cxa_demangle(linked_name.c_str(), nullptr, nullptr, &status), std::free);
    if (status != 0 || demangled == nullptr) {
        return std::nullopt;
    }
    std::string_view name = without_parameters(demangled.get());
    // Only what is a template has its return type in front.
    constexpr std::string_view k_void = "void ";
    name.remove_prefix(name.starts_with(k_void) ? k_void.size() : 0);
    const bool harmless = std::all_of(name.begin(), name.end(), [](char c) {
        return is_word(c) || std::string_view(":<>(), *&-[]").find(c) != std::string_view::npos;
    });
    return name.empty() || !harmless ? std::nullopt : std::optional(std::string(name));
}

}  // namespace atl
