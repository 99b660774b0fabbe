#pragma once

#include "reward/base/error.hpp"
#include "reward/base/hash.hpp"

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace atl {

/// A secret that clients must show. Immutable, thread-safe.
class AccessToken {
  public:
    /// `text`: k_shortest_token to 512 letters, digits and -._~ (they need no escaping in a path).
    [[nodiscard]] static Expected<AccessToken> parse(const std::string& text,
                                                     const std::string& where);
    /// Takes the same time whatever is presented, but for its length.
    [[nodiscard]] bool matches(std::string_view presented) const;

  private:
    explicit AccessToken(const Digest& digest) : m_digest(digest) {}
    Digest m_digest;  // digests of one length are compared, so that the token's length stays secret
};

inline constexpr std::size_t k_shortest_token = 16;
inline constexpr const char* k_token_variable = "ATOLL_TOKEN";

/// From `file` (one line; refused when other users could read it), else from $ATOLL_TOKEN; nullopt
/// when neither is given.
[[nodiscard]] Expected<std::optional<AccessToken>> find_access_token(
    const std::filesystem::path& file);

/// The token of "Bearer TOKEN"; empty when the header says anything else.
[[nodiscard]] std::string_view bearer_token(std::string_view authorization);

}  // namespace atl
