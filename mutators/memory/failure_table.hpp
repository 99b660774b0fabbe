#pragma once

#include "mutators/memory/failure_cause.hpp"
#include "mutators/prompts/prompt_material.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace atl {

/// What failed in a campaign, by its cause, with counts (AdaExplore, arXiv 2604.16625: a rule is
/// shown to the model once it was broken k times, k = 3). At most `capacity` causes: where a new
/// one finds no place, the one that was met least often goes, of those the one not met for longest.
/// A value; adding costs O(1) but for new causes in a full table.
class FailureTable {
  public:
    explicit FailureTable(std::size_t capacity = 256) : m_capacity(capacity) {}

    void add(const FailureCause& cause);
    /// Those that were met `least` times or more, the most frequent first (ties: met last), at most
    /// `most`.
    [[nodiscard]] std::vector<FailureRule> rules(std::uint64_t least, std::size_t most) const;
    [[nodiscard]] std::size_t size() const { return m_entries.size(); }

  private:
    struct Entry {
        std::uint64_t count = 0;
        std::uint64_t last = 0;  ///< the how manieth failure it was
        std::string example;
    };
    using Key = std::pair<Outcome, std::string>;

    void make_room();

    std::size_t m_capacity;
    std::uint64_t m_failures = 0;
    std::map<Key, Entry> m_entries;
};

}  // namespace atl
