#pragma once

#include "population/campaign_state.hpp"
#include "population/journal/text_store.hpp"
#include "reward/base/error.hpp"
#include "search/lru_cache.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace atl {

struct NoveltySettings;

/// Lines that a lineage had and gave up, and that a child brings back. EvoTrace (arXiv 2605.20086)
/// found that some 30 % of the lines which evolutionary agents add are such.
///
/// A line is its text without the white space around it; lines without a letter or a digit do not
/// count, and each counts once. A child's new lines are those that its base parent does not have;
/// of them those return that one of the `ancestors` individuals before that parent has, going from
/// base parent to base parent. So the answer is a pure function of (base, source) and the record:
/// the same when a ticket is run again after a crash, in both commit orders, and in a replay.
///
/// Costs a look at the lines of the source and of its ancestors, whose hashes are kept (32 MiB of
/// them); nothing for a source that is its base's. Not thread-safe; `texts` must outlive it.
class Cycling {
  public:
    Cycling(const NoveltySettings& settings, const TextSource& texts);

    /// False: nobody looks.
    [[nodiscard]] bool in_use() const { return m_ancestors > 0; }

    struct Returning {
        std::uint32_t added = 0;
        std::uint32_t returned = 0;
        /// The nearest ancestor that has one of the lines that return; meaningless without any.
        IndividualId from;
        /// Of the lines that are new; 0 without any.
        [[nodiscard]] double share() const {
            return added == 0 ? 0 : static_cast<double>(returned) / static_cast<double>(added);
        }
    };

    /// Zeros with novelty.ancestors 0, and for a base that is not committed. Errors: a text is
    /// missing.
    [[nodiscard]] Expected<Returning> returning(const CampaignState& state, IndividualId base,
                                                std::string_view source);
    /// Whether a proposal of which so much returns is turned down (novelty.max_returning).
    [[nodiscard]] bool too_much(const Returning& returning) const {
        return m_max_share > 0 && returning.returned > 0 && returning.share() >= m_max_share;
    }
    /// For prompts: lines that ancestors of `base` had and that it does not, those of the nearest
    /// ancestor first, in its order, at most `most`.
    [[nodiscard]] Expected<std::vector<std::string>> given_up(const CampaignState& state,
                                                              IndividualId base, std::size_t most);

  private:
    using Lines = std::shared_ptr<const std::vector<std::uint64_t>>;  ///< hashes, ascending

    [[nodiscard]] Expected<Lines> lines_of(const Digest& source);
    /// Base, its base, and so on: at most m_ancestors + 1.
    [[nodiscard]] std::vector<const Individual*> lineage(const CampaignState& state,
                                                         IndividualId base) const;

    const TextSource* m_texts;
    std::size_t m_ancestors;
    double m_max_share;
    LruCache<Digest, Lines> m_lines{32u << 20};
};

/// What a model is told of lines that were given up (Cycling::given_up()), one text for
/// PromptMaterial::memory. Empty without lines.
[[nodiscard]] std::string cycling_hint(const std::vector<std::string>& given_up);

}  // namespace atl
