#include "reward/workers/warm_command.hpp"

#include <algorithm>

namespace atl {

namespace {

constexpr std::size_t k_most_words = 512;

/// ` "a" "b\"c"`, as clang quotes a command that can be pasted into a shell.
std::vector<std::string> quoted_words(std::string_view line) {
    std::vector<std::string> words;
    bool inside = false;
    for (std::size_t i = 0; i < line.size() && words.size() <= k_most_words; ++i) {
        if (line[i] == '"') {
            inside = !inside;
            if (inside) {
                words.emplace_back();
            }
        } else if (inside) {
            i += line[i] == '\\' && i + 1 < line.size() ? 1 : 0;
            words.back() += line[i];
        }
    }
    return words;
}

}  // namespace

Expected<std::vector<std::string>> frontend_command(std::string_view driver_says) {
    while (!driver_says.empty()) {
        const std::string_view line = driver_says.substr(0, driver_says.find('\n'));
        driver_says.remove_prefix(std::min(driver_says.size(), line.size() + 1));
        std::vector<std::string> words = quoted_words(line);
        const auto object = std::find(words.begin(), words.end(), "-o");
        const bool fits = words.size() > 4 && words[0].starts_with("/") && words[1] == "-cc1" &&
                          std::find(words.begin(), words.end(), "-emit-obj") != words.end() &&
                          words[words.size() - 3] == "-x" && object < words.end() - 3;
        if (fits) {
            words.pop_back();  // the source
            words.erase(object, object + 2);
            return words;
        }
    }
    return failure(ErrorCode::unavailable, "the driver names no command of clang's compiler",
                   "clang");
}

std::vector<std::string> with_action(std::vector<std::string> command, const std::string& action,
                                     const std::vector<std::string>& more) {
    std::replace(command.begin(), command.end(), std::string("-emit-obj"), action);
    command.back() += action == "-emit-pch" ? "-header" : "";
    command.insert(command.end() - 2, more.begin(), more.end());
    return command;
}

}  // namespace atl
