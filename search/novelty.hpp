#pragma once

#include "population/campaign_state.hpp"
#include "population/journal/text_store.hpp"
#include "reward/base/error.hpp"
#include "reward/candidate.hpp"
#include "search/lru_cache.hpp"
#include "search/min_hash.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace atl {

struct NoveltySettings;

[[nodiscard]] const std::vector<std::string>& novelty_names();   ///< "none", "exact", "minhash"
[[nodiscard]] const std::vector<std::string>& novelty_scopes();  ///< "island", "campaign"

/// Tells proposals that resemble what is known too much to be worth an evaluation (asked for after
/// ShinkaEvolve's novelty judge, which compares embeddings; here sources are compared by MinHash,
/// min_hash.hpp). A proposal is turned down when the similarity of its source to that of a right
/// individual (fitness > 0) is max_similarity or more. Individuals count that were committed when
/// the ticket was issued; with scope "island" only those that were born on the ticket's island.
///
/// A source that is known already, be it of a wrong individual or of another island, passes: such a
/// proposal changes tune values or flags only, and equal ones are answered from the record.
///
/// So the answer is a pure function of (state as of the ticket's decision, island, source): the
/// same when a ticket is run again after a crash, in both commit orders, and in a replay.
///
/// In front of that, and with "exact" alone, a proposal that is a known program but for the names
/// of its variables (same_names.hpp, with the same tune values and flags) is answered from the
/// record, whether that one is right or wrong, wherever it was born; see twin().
///
/// Exact with respect to the sketches: to agree in all but d values, two sketches must agree in one
/// of d + 1 bands of values, so only sketches that share a band are compared. Takes some 600 bytes
/// per distinct source, and some 100 per individual. Not thread-safe; `texts` must outlive it.
class Novelty {
  public:
    Novelty(const NoveltySettings& settings, const TextSource& texts);

    /// False: everything passes, and nothing is read.
    [[nodiscard]] bool in_use() const { return m_exact; }

    /// The first of the `known` individuals that was evaluated and is this program under other
    /// names of variables, or nullptr. `known` and the rest as for too_similar().
    [[nodiscard]] Expected<const Individual*> twin(const CampaignState& state, std::size_t known,
                                                   const Candidate& candidate);

    struct Similar {
        IndividualId id;
        double similarity = 0;
        bool operator==(const Similar&) const = default;
    };

    /// What the source resembles too much, the most similar first, then the earliest committed.
    /// `known`: how many of the state's individuals the ticket may know (individuals_after()).
    /// Ask about one state only, as it grows. Errors: a text is missing.
    [[nodiscard]] Expected<std::optional<Similar>> too_similar(const CampaignState& state,
                                                               std::size_t known,
                                                               std::uint32_t island,
                                                               std::string_view source);

  private:
    struct Entry {
        std::size_t individual = 0;  ///< the first right one with this source in its scope
        Sketch sketch{};
    };
    using Next = std::uint32_t;  ///< place of an entry plus one; 0: none

    [[nodiscard]] Status learn(const CampaignState& state);
    [[nodiscard]] Status learn_names(const CampaignState& state);
    /// Of the source with numbered names; `text` is asked for where it is not known.
    template <class Text>
    [[nodiscard]] Expected<Digest> names_of(const Digest& source, const Text& text);
    void index(std::size_t individual, std::uint32_t scope, const Sketch& sketch);
    [[nodiscard]] Expected<Sketch> sketch(const Digest& source);
    [[nodiscard]] std::uint64_t band_key(const Sketch& sketch, std::size_t band,
                                         std::uint32_t scope) const;
    [[nodiscard]] std::uint32_t scope_of(std::uint32_t island) const {
        return m_by_island ? island : 0;
    }

    static constexpr std::size_t k_cache_bytes = 16 << 20;

    const TextSource* m_texts;
    bool m_exact;
    bool m_in_use;  ///< sketches
    bool m_by_island;
    std::size_t m_least;  ///< agreements from which on a proposal is turned down
    std::size_t m_bands;
    std::size_t m_learned = 0;                          ///< individuals
    std::unordered_map<Digest, std::size_t> m_sources;  ///< first individual of any island
    std::unordered_set<Digest> m_indexed;               ///< source and scope
    std::vector<Entry> m_entries;
    std::vector<Next> m_chains;                        ///< m_bands per entry: the one before
    std::unordered_map<std::uint64_t, Next> m_newest;  ///< by band
    LruCache<Digest, Sketch> m_sketches{k_cache_bytes};
    std::size_t m_names_learned = 0;                  ///< individuals
    std::unordered_map<Digest, std::size_t> m_twins;  ///< first individual, by names and the rest
    LruCache<Digest, Digest> m_names{k_cache_bytes};
};

}  // namespace atl
