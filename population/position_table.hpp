#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace atl {

/// Finds things by key in a sequence that only grows, keeping nothing but their positions: 6 to 11
/// bytes for each, where a map would keep every key a second time. Open addressing with linear
/// probing (Knuth, The Art of Computer Programming, vol. 3, 6.4, algorithm L), at most three
/// quarters full. Positions are below 2^32 - 1. Not thread-safe.
class PositionTable {
  public:
    /// `matches(position)` says whether what is there has the key. nullopt when nothing has.
    template <class Matches>
    [[nodiscard]] std::optional<std::uint32_t> find(std::size_t hash,
                                                    const Matches& matches) const {
        if (m_slots.empty()) {
            return std::nullopt;
        }
        for (std::size_t at = first_slot(hash); m_slots[at] != k_free; at = next_slot(at)) {
            if (matches(m_slots[at])) {
                return m_slots[at];
            }
        }
        return std::nullopt;
    }

    /// REQUIRES that nothing with this key is there. `hash_of(position)` gives the hash of what was
    /// inserted before.
    template <class HashOf>
    void insert(std::size_t hash, std::uint32_t position, const HashOf& hash_of) {
        if (4 * (m_size + 1) > 3 * m_slots.size()) {
            grow(hash_of);
        }
        place(hash, position);
        ++m_size;
    }

    [[nodiscard]] std::size_t size() const { return m_size; }

  private:
    static constexpr std::uint32_t k_free = std::numeric_limits<std::uint32_t>::max();
    static constexpr std::size_t k_least_slots = 16;

    /// Fibonacci hashing (Knuth, the same section): also hashes that count up spread out.
    [[nodiscard]] std::size_t first_slot(std::size_t hash) const {
        const int bits = std::countr_zero(m_slots.size());
        return static_cast<std::size_t>(std::uint64_t{hash} * 0x9E3779B97F4A7C15ull >> (64 - bits));
    }
    [[nodiscard]] std::size_t next_slot(std::size_t at) const {
        return (at + 1) & (m_slots.size() - 1);
    }

    void place(std::size_t hash, std::uint32_t position) {
        std::size_t at = first_slot(hash);
        while (m_slots[at] != k_free) {
            at = next_slot(at);
        }
        m_slots[at] = position;
    }

    template <class HashOf>
    void grow(const HashOf& hash_of) {
        std::vector<std::uint32_t> old(m_slots.empty() ? k_least_slots : 2 * m_slots.size(),
                                       k_free);
        old.swap(m_slots);
        for (const std::uint32_t position : old) {
            if (position != k_free) {
                place(hash_of(position), position);
            }
        }
    }

    std::vector<std::uint32_t> m_slots;  ///< a power of two of them, or none
    std::size_t m_size = 0;
};

}  // namespace atl
