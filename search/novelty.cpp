#include "search/novelty.hpp"

#include "search/config.hpp"
#include "search/same_names.hpp"

#include <algorithm>
#include <cmath>

namespace atl {

namespace {

constexpr std::size_t k_sketch_entry_bytes = sizeof(Sketch) + 128;  // with what a cache adds

// 0.95 of 128 is 121.6: from 122 agreements on. Rounding must not make 0.5 of 128 be 65.
std::size_t least_agreements(double max_similarity) {
    const double wanted = std::ceil(max_similarity * k_sketch_values - 1e-9);
    return std::clamp<std::size_t>(static_cast<std::size_t>(wanted), 1, k_sketch_values);
}

constexpr std::size_t k_names_entry_bytes = 2 * sizeof(Digest) + 128;

template <class Tune>
Digest program_of(const Digest& names, const Tune& tune, const std::vector<std::string>& flags) {
    ContentHasher hasher;
    hasher.field(names).field(std::uint64_t{tune.size()});
    for (const auto& [name, value] : tune) {
        hasher.field(name).field(value);
    }
    for (const std::string& flag : flags) {
        hasher.field(flag);
    }
    return hasher.finish();
}

Digest place_of(const Digest& source, std::uint32_t scope) {
    return ContentHasher().field(source).field(scope).finish();
}

}  // namespace

const std::vector<std::string>& novelty_names() {
    static const std::vector<std::string> names = {"none", "exact", "minhash"};
    return names;
}

const std::vector<std::string>& novelty_scopes() {
    static const std::vector<std::string> scopes = {"island", "campaign"};
    return scopes;
}

Novelty::Novelty(const NoveltySettings& settings, const TextSource& texts)
    : m_texts(&texts),
      m_exact(settings.name != "none"),
      m_in_use(settings.name == "minhash"),
      m_by_island(settings.scope == "island"),
      m_least(least_agreements(settings.max_similarity)),
      m_bands(k_sketch_values - m_least + 1) {}

std::uint64_t Novelty::band_key(const Sketch& sketch, std::size_t band, std::uint32_t scope) const {
    const std::size_t begin = band * k_sketch_values / m_bands;
    const std::size_t end = (band + 1) * k_sketch_values / m_bands;
    return checksum64(sketch.data() + begin, (end - begin) * sizeof(Sketch::value_type),
                      std::uint64_t{scope} << 32 | band);
}

Expected<Sketch> Novelty::sketch(const Digest& source) {
    if (const Sketch* known = m_sketches.find(source)) {
        return *known;
    }
    ATOLL_TRY_ASSIGN(const std::string text, m_texts->text(source));
    return m_sketches.put(source, sketch_of(text), k_sketch_entry_bytes);
}

void Novelty::index(std::size_t individual, std::uint32_t scope, const Sketch& sketch) {
    m_entries.push_back({individual, sketch});
    const auto place = static_cast<Next>(m_entries.size());
    for (std::size_t band = 0; band < m_bands; ++band) {
        Next& newest = m_newest[band_key(sketch, band, scope)];
        m_chains.push_back(newest);
        newest = place;
    }
}

template <class Text>
Expected<Digest> Novelty::names_of(const Digest& source, const Text& text) {
    if (const Digest* known = m_names.find(source)) {
        return *known;
    }
    ATOLL_TRY_ASSIGN(const std::string own, text());
    return m_names.put(source, content_id(with_numbered_names(own)), k_names_entry_bytes);
}

Status Novelty::learn_names(const CampaignState& state) {
    const std::vector<Individual>& all = state.individuals();
    for (; m_names_learned < all.size(); ++m_names_learned) {
        const Individual& individual = all[m_names_learned];
        if (individual.duplicate) {
            continue;
        }
        ATOLL_TRY_ASSIGN(const Digest names, names_of(individual.source, [&] {
                             return m_texts->text(individual.source);
                         }));
        m_twins.emplace(program_of(names, individual.tune.values(), individual.flags),
                        m_names_learned);
    }
    return {};
}

Expected<const Individual*> Novelty::twin(const CampaignState& state, std::size_t known,
                                          const Candidate& candidate) {
    if (!m_exact) {
        return static_cast<const Individual*>(nullptr);
    }
    ATOLL_TRY(learn_names(state));
    ATOLL_TRY_ASSIGN(const Digest names, names_of(content_id(candidate.source), [&] {
                         return Expected<std::string>(candidate.source);
                     }));
    const auto found = m_twins.find(program_of(names, candidate.tune, candidate.flags));
    return found == m_twins.end() || found->second >= known ? nullptr
                                                            : &state.individuals()[found->second];
}

Status Novelty::learn(const CampaignState& state) {
    const std::vector<Individual>& all = state.individuals();
    for (; m_learned < all.size(); ++m_learned) {
        const Individual& individual = all[m_learned];
        m_sources.emplace(individual.source, m_learned);
        if (individual.fitness <= 0 ||
            m_indexed.contains(place_of(individual.source, scope_of(individual.island)))) {
            continue;
        }
        ATOLL_TRY_ASSIGN(const Sketch own, sketch(individual.source));
        m_indexed.insert(place_of(individual.source, scope_of(individual.island)));
        index(m_learned, scope_of(individual.island), own);
    }
    return {};
}

Expected<std::optional<Novelty::Similar>> Novelty::too_similar(const CampaignState& state,
                                                               std::size_t known,
                                                               std::uint32_t island,
                                                               std::string_view source) {
    if (!m_in_use) {
        return std::optional<Similar>();
    }
    ATOLL_TRY(learn(state));
    const Digest id = content_id(source);
    const auto same = m_sources.find(id);
    if (same != m_sources.end() && same->second < known) {
        return std::optional<Similar>();
    }
    const Sketch* cached = m_sketches.find(id);
    const Sketch own =
        cached != nullptr ? *cached : m_sketches.put(id, sketch_of(source), k_sketch_entry_bytes);
    std::size_t most = 0;
    std::size_t nearest = 0;
    for (std::size_t band = 0; band < m_bands; ++band) {
        const auto newest = m_newest.find(band_key(own, band, scope_of(island)));
        Next next = newest == m_newest.end() ? 0 : newest->second;
        for (; next > 0; next = m_chains[(next - 1) * m_bands + band]) {
            const Entry& entry = m_entries[next - 1];
            const std::size_t equal = agreements(own, entry.sketch);
            const bool nearer = equal > most || (equal == most && entry.individual < nearest);
            if (entry.individual < known && equal >= m_least && nearer) {
                most = equal;
                nearest = entry.individual;
            }
        }
    }
    if (most == 0) {
        return std::optional<Similar>();
    }
    return std::optional(
        Similar{state.individuals()[nearest].id, static_cast<double>(most) / k_sketch_values});
}

}  // namespace atl
