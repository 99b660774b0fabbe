#include "mutators/model/api_key.hpp"

#include "reward/base/files.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace atl {

namespace {

constexpr std::size_t k_longest_key = 4096;
/// A shorter one would be replaced wherever its few letters stand.
constexpr std::size_t k_shortest_key = 4;
constexpr std::string_view k_blanks = " \t\r\n";

/// Blanks around it come from editors and shells; within it they would be another header.
Expected<std::string> checked(std::string text, const std::string& where) {
    text.erase(0, text.find_first_not_of(k_blanks));
    text.erase(text.find_last_not_of(k_blanks) + 1);
    const bool printable =
        std::all_of(text.begin(), text.end(), [](unsigned char c) { return c > ' ' && c < 0x7f; });
    if (text.size() < k_shortest_key || text.size() > k_longest_key || !printable) {
        return failure(ErrorCode::invalid_argument,
                       "a key is " + std::to_string(k_shortest_key) + " to " +
                           std::to_string(k_longest_key) + " printable ASCII characters",
                       where, "write the key there and nothing else");
    }
    return text;
}

Status check_mode(const std::filesystem::path& file) {
    struct stat info {};
    if (::stat(file.c_str(), &info) != 0) {
        return tl::unexpected<Error>(errno_error("stat", file.string(), errno));
    }
    if ((info.st_mode & (S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH)) != 0) {
        return failure(ErrorCode::permission, "other users may read or change the key",
                       file.string(), "chmod 600 " + file.string());
    }
    return {};
}

}  // namespace

Expected<ApiKey> ApiKey::find(const std::string& variable, const std::filesystem::path& file) {
    if (!variable.empty() && !file.empty()) {
        return failure(ErrorCode::invalid_argument, "a variable and a file are named for one key",
                       "$" + variable + ", " + file.string(), "name one of them");
    }
    if (!file.empty()) {
        ATOLL_TRY(check_mode(file));
        ATOLL_TRY_ASSIGN(const std::string text, read_regular_file(file, k_longest_key + 16));
        ATOLL_TRY_ASSIGN(std::string key, checked(text, file.string()));
        return ApiKey(std::move(key));
    }
    if (variable.empty()) {
        return ApiKey();
    }
    const char* text = std::getenv(variable.c_str());
    if (text == nullptr || *text == '\0') {
        return failure(ErrorCode::not_found, "the key's variable is not set", "$" + variable,
                       "export " + variable + "=...");
    }
    ATOLL_TRY_ASSIGN(std::string key, checked(text, "$" + variable));
    return ApiKey(std::move(key));
}

void ApiKey::remove_from(std::string& text) const {
    if (m_key.empty()) {
        return;
    }
    constexpr std::string_view k_instead = "[key]";
    std::size_t at = 0;
    while ((at = text.find(m_key, at)) != std::string::npos) {
        text.replace(at, m_key.size(), k_instead);
        at += k_instead.size();
    }
}

}  // namespace atl
