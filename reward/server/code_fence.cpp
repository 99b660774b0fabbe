#include "reward/server/code_fence.hpp"

#include "reward/task.hpp"

#include <algorithm>
#include <cctype>
#include <vector>

namespace atl {

namespace {

struct Fence {
    char mark = '`';
    std::size_t length = 0;
    std::string language;
};

std::string_view without_indent(std::string_view line) {
    const std::size_t first = line.find_first_not_of(' ');
    return first == std::string_view::npos || first > 3 ? std::string_view() : line.substr(first);
}

/// nullopt when the line opens (or could close) no fence.
std::optional<Fence> fence_in(std::string_view line) {
    line = without_indent(line);
    if (line.empty() || (line.front() != '`' && line.front() != '~')) {
        return std::nullopt;
    }
    Fence fence;
    fence.mark = line.front();
    fence.length = std::min(line.find_first_not_of(fence.mark), line.size());
    std::string_view info = line.substr(fence.length);
    if (fence.length < 3 || (fence.mark == '`' && info.find('`') != std::string_view::npos)) {
        return std::nullopt;
    }
    const std::size_t begin = std::min(info.find_first_not_of(" \t"), info.size());
    info = info.substr(begin);
    info = info.substr(0, info.find_first_of(" \t\r{"));
    for (const char c : info) {
        fence.language += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    return fence;
}

bool closes(const Fence& line, const Fence& open) {
    return line.mark == open.mark && line.length >= open.length && line.language.empty();
}

std::vector<std::string> languages_of(const std::string& kind) {
    if (kind == "cuda") {
        return {"cuda", "cu", "cuda-cpp", "cuda_cpp", "cpp", "c++"};
    }
    if (kind == "cpu_cpp") {
        return {"cpp", "c++", "cc", "cxx"};
    }
    if (kind == "cubin") {
        return {"json"};
    }
    return {kind};
}

}  // namespace

std::optional<std::string> code_in_reply(std::string_view reply, const std::string& kind) {
    const std::vector<std::string> languages = languages_of(kind);
    std::optional<std::string> last;
    std::optional<std::string> last_of_kind;
    std::optional<Fence> open;
    std::string code;
    while (!reply.empty()) {
        const std::size_t end = std::min(reply.find('\n'), reply.size());
        const std::string_view line = reply.substr(0, end);
        reply.remove_prefix(std::min(end + 1, reply.size()));
        const std::optional<Fence> fence = fence_in(line);
        if (!open) {
            open = fence;
            code.clear();
        } else if (fence && closes(*fence, *open)) {
            if (std::find(languages.begin(), languages.end(), open->language) != languages.end()) {
                last_of_kind = code;
            }
            last = std::move(code);
            code.clear();
            open.reset();
        } else {
            code.append(line).append("\n");
        }
    }
    return last_of_kind ? last_of_kind : last;
}

}  // namespace atl
