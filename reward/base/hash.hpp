#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace atl {

/// A SHA-256 content id. Candidates are hostile, so cache keys must resist made collisions.
struct Digest {
    std::array<std::uint8_t, 32> bytes{};

    auto operator<=>(const Digest&) const = default;
    [[nodiscard]] bool is_zero() const { return *this == Digest{}; }
    /// 64 lower-case hexadecimal digits.
    [[nodiscard]] std::string hex() const;
    /// The first 12 digits, for people.
    [[nodiscard]] std::string short_hex() const { return hex().substr(0, 12); }
    [[nodiscard]] static std::optional<Digest> from_hex(std::string_view text);
};

/// Streaming SHA-256. Fields are length-prefixed, so ("ab","c") and ("a","bc") differ.
/// Not thread-safe; cheap to make.
class ContentHasher {
  public:
    ContentHasher();
    ~ContentHasher();
    /// A copy goes on from here on its own: fields in common are hashed once.
    ContentHasher(const ContentHasher& other);
    ContentHasher& operator=(const ContentHasher&) = delete;
    ContentHasher(ContentHasher&&) noexcept;
    ContentHasher& operator=(ContentHasher&&) noexcept;

    ContentHasher& field(std::string_view bytes);
    ContentHasher& field(std::uint64_t value);
    ContentHasher& field(const Digest& digest);
    [[nodiscard]] Digest finish();

  private:
    struct State;
    std::unique_ptr<State> m_state;
};

/// SHA-256 of the bytes alone (no length prefix): the id of a stored text.
[[nodiscard]] Digest content_id(std::string_view bytes);

/// XXH3-64: for checksums against accidents, not against attackers.
[[nodiscard]] std::uint64_t checksum64(const void* data, std::size_t size, std::uint64_t seed = 0);

}  // namespace atl

template <>
struct std::hash<atl::Digest> {
    std::size_t operator()(const atl::Digest& d) const noexcept {
        std::size_t value = 0;
        for (std::size_t i = 0; i < sizeof(value); ++i) {
            value = value << 8 | d.bytes[i];
        }
        return value;
    }
};
