#include "reward/server/access_token.hpp"

#include "reward/base/files.hpp"

#include <openssl/crypto.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

namespace atl {

namespace {

constexpr std::size_t k_longest_token = 512;

bool is_token_character(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' || c == '_' ||
           c == '~';
}

Status check_mode(const std::filesystem::path& file) {
    struct stat info {};
    if (::stat(file.c_str(), &info) != 0) {
        return tl::unexpected<Error>(errno_error("stat", file.string(), errno));
    }
    if ((info.st_mode & (S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH)) != 0) {
        return failure(ErrorCode::permission, "other users may read or change the token",
                       file.string(), "chmod 600 " + file.string());
    }
    return {};
}

}  // namespace

Expected<AccessToken> AccessToken::parse(const std::string& text, const std::string& where) {
    if (text.size() < k_shortest_token || text.size() > k_longest_token ||
        !std::all_of(text.begin(), text.end(), is_token_character)) {
        return failure(ErrorCode::invalid_argument,
                       "a token is " + std::to_string(k_shortest_token) + " to " +
                           std::to_string(k_longest_token) + " letters, digits and -._~",
                       where, "make one with: openssl rand -hex 32");
    }
    return AccessToken(content_id(text));
}

bool AccessToken::matches(std::string_view presented) const {
    const Digest digest = content_id(presented);
    return CRYPTO_memcmp(digest.bytes.data(), m_digest.bytes.data(), digest.bytes.size()) == 0;
}

Expected<std::optional<AccessToken>> find_access_token(const std::filesystem::path& file) {
    if (!file.empty()) {
        ATOLL_TRY(check_mode(file));
        ATOLL_TRY_ASSIGN(std::string text, read_regular_file(file, 4096));
        while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) {
            text.pop_back();
        }
        ATOLL_TRY_ASSIGN(AccessToken token, AccessToken::parse(text, file.string()));
        return std::optional(std::move(token));
    }
    const char* variable = std::getenv(k_token_variable);
    if (variable == nullptr || *variable == '\0') {
        return std::optional<AccessToken>();
    }
    ATOLL_TRY_ASSIGN(AccessToken token,
                     AccessToken::parse(variable, std::string("$") + k_token_variable));
    return std::optional(std::move(token));
}

std::string_view bearer_token(std::string_view authorization) {
    constexpr std::string_view k_scheme = "bearer ";
    if (authorization.size() <= k_scheme.size()) {
        return {};
    }
    for (std::size_t i = 0; i < k_scheme.size(); ++i) {
        if (std::tolower(static_cast<unsigned char>(authorization[i])) != k_scheme[i]) {
            return {};
        }
    }
    return authorization.substr(k_scheme.size());
}

}  // namespace atl
