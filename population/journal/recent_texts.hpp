#pragma once

#include "reward/base/hash.hpp"

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace atl {

/// The texts used last, up to a number of bytes: a child's text is packed against its parent's,
/// which is often young. Not thread-safe.
class RecentTexts {
  public:
    explicit RecentTexts(std::size_t max_bytes) : m_max_bytes(max_bytes) {}

    /// The text, now the one used last, or nullptr. Valid until the next put().
    [[nodiscard]] const std::string* find(const Digest& id);
    /// Keeps a text, unless it alone is too long.
    void put(const Digest& id, std::string_view text);

  private:
    using Texts = std::list<std::pair<Digest, std::string>>;

    std::size_t m_max_bytes;
    std::size_t m_bytes = 0;
    Texts m_texts;  ///< used last first
    std::unordered_map<Digest, Texts::iterator> m_by_id;
};

}  // namespace atl
