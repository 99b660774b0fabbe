#include "search/prompt_memory.hpp"

#include "mutators/memory/insights.hpp"
#include "mutators/memory/methods.hpp"
#include "mutators/replies/reply_text.hpp"
#include "population/lineage/text_diff.hpp"
#include "reward/base/words.hpp"
#include "reward/feedback.hpp"
#include "reward/source_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace atl {

namespace {

constexpr std::size_t k_longest_change = 300;
constexpr std::size_t k_longest_diff = 800;
constexpr std::size_t k_most_told_insights = 10;
constexpr std::size_t k_most_given_up = 8;  // lines
constexpr std::size_t k_cached_entry_bytes =
    256;  // what an entry of a cache takes beside its value

const Individual* base_of(const CampaignState& state, const std::vector<Parent>& parents) {
    const auto base = std::find_if(parents.begin(), parents.end(), [](const Parent& parent) {
        return parent.role == ParentRole::base;
    });
    return base == parents.end() ? nullptr : state.find(base->id);
}

std::string one_line(std::string_view text, std::size_t bytes) {
    std::string line;
    for (const char c : shortened(trimmed(text), bytes)) {
        line += static_cast<unsigned char>(c) >= ' ' && c != '\x7f' ? c : ' ';
    }
    return is_utf8(line) ? line : std::string();
}

/// Newest first.
std::vector<std::string> insights_of(const CampaignState& state, std::size_t most) {
    std::vector<std::string> all;
    const std::vector<InsightNoted>& insights = state.insights();
    for (auto noted = insights.rbegin(); noted != insights.rend(); ++noted) {
        for (const std::string& item : noted->items) {
            if (all.size() < most) {
                all.push_back(item);
            }
        }
    }
    return all;
}

}  // namespace

PromptMemory::PromptMemory(const MemorySettings& settings, const NoveltySettings& novelty,
                           std::string kind, const TextSource& texts)
    : m_settings(settings),
      m_kind(std::move(kind)),
      m_texts(&texts),
      m_pairs(settings.faster, settings.slower),
      m_cycling(novelty, texts) {}

Status PromptMemory::learn(const CampaignState& state) {
    const std::vector<Individual>& all = state.individuals();
    for (; m_learned < all.size(); ++m_learned) {
        if (!all[m_learned].duplicate) {  // what it tells was told by the first of its kind
            ATOLL_TRY(learn(state, all[m_learned]));
        }
    }
    return {};
}

Status PromptMemory::learn(const CampaignState& state, const Individual& individual) {
    const Individual* base = base_of(state, individual.parents);
    const bool changed = base != nullptr && base->source != individual.source;
    std::string result;
    if (!is_correct(individual.outcome)) {
        ATOLL_TRY_ASSIGN(const std::string text, m_texts->text(individual.verdict));
        ATOLL_TRY_ASSIGN(const Verdict verdict, parse_verdict(text));
        if (const std::optional<FailureCause> cause = failure_cause(verdict)) {
            m_failures.add(*cause);
            result = fmt::format("{} ({})", to_string(cause->outcome), cause->message);
        }
    } else if (changed && base->fitness > 0 && individual.fitness > 0) {
        ATOLL_TRY(learn_pair(*base, individual));
        result = fmt::format("{:.3g} times the score", individual.fitness / base->fitness);
    }
    if (changed && !result.empty()) {
        m_changes.push_back(result + ": " + one_line(individual.description, k_longest_change));
        if (m_changes.size() > k_kept_changes) {
            m_changes.pop_front();
        }
    }
    return {};
}

Status PromptMemory::learn_pair(const Individual& base, const Individual& child) {
    const double gain = child.fitness / base.fitness;
    if (!m_pairs.admits(gain)) {
        return {};
    }
    ChangePair pair{base.id, child.id, gain, Bottleneck::unknown, {}};
    ATOLL_TRY_ASSIGN(pair.bottleneck, bottleneck_of(base));
    ATOLL_TRY_ASSIGN(pair.change, change_text(base, child));
    m_pairs.add(std::move(pair));
    return {};
}

/// What the operator says that it did; where it says no more than its name, what differs.
Expected<std::string> PromptMemory::change_text(const Individual& base,
                                                const Individual& child) const {
    std::string text = one_line(child.description, k_longest_change);
    if (text.find(": ") != std::string::npos) {
        return text;
    }
    ATOLL_TRY_ASSIGN(const std::string before, m_texts->text(base.source));
    ATOLL_TRY_ASSIGN(const std::string after, m_texts->text(child.source));
    const std::string diff = unified_diff(before, after, 0);
    const std::string begin(shortened(diff, k_longest_diff));
    return is_utf8(begin) ? text + "\n" + begin : text;
}

Expected<Bottleneck> PromptMemory::bottleneck_of(const Individual& individual) {
    if (const Bottleneck* known = m_bottlenecks.find(individual.verdict)) {
        return *known;
    }
    ATOLL_TRY_ASSIGN(const std::string text, m_texts->text(individual.verdict));
    ATOLL_TRY_ASSIGN(const Verdict verdict, parse_verdict(text));
    const Bottleneck bottleneck =
        verdict.profile ? verdict.profile->bottleneck : Bottleneck::unknown;
    return m_bottlenecks.put(individual.verdict, bottleneck, k_cached_entry_bytes);
}

Expected<Sketch> PromptMemory::sketch(const Digest& source) {
    if (const Sketch* known = m_sketches.find(source)) {
        return *known;
    }
    ATOLL_TRY_ASSIGN(const std::string text, m_texts->text(source));
    return m_sketches.put(source, sketch_of(text), sizeof(Sketch) + k_cached_entry_bytes);
}

Status PromptMemory::add_pairs(const CampaignState& state, const Individual& base,
                               Bottleneck bottleneck, ShownMemory& memory) {
    ATOLL_TRY_ASSIGN(const Sketch own, sketch(base.source));
    Status status;
    const auto view = [&](const ChangePair& pair) {
        PairView seen;
        seen.same_bottleneck = bottleneck != Bottleneck::unknown && pair.bottleneck == bottleneck;
        const Expected<Sketch> other = sketch(state.find(pair.before)->source);
        if (other) {
            seen.similarity = similarity(own, *other);
        } else {
            status = tl::unexpected<Error>(other.error());
        }
        return seen;
    };
    for (const ChangePair* pair :
         m_pairs.choose(static_cast<std::size_t>(m_settings.pairs), view)) {
        memory.items.push_back(pair_text(*pair));
    }
    return status;
}

Expected<std::string> PromptMemory::choose(const CampaignState& state, TicketIssued& issued) {
    ATOLL_TRY(learn(state));
    ShownMemory memory;
    if (m_settings.failure_count > 0) {
        memory.failure_rules =
            m_failures.rules(static_cast<std::uint64_t>(m_settings.failure_count),
                             static_cast<std::size_t>(m_settings.failure_rules));
    }
    const Individual* base = base_of(state, issued.parents);
    if (base != nullptr && base->fitness > 0) {
        ATOLL_TRY_ASSIGN(const Bottleneck bottleneck, bottleneck_of(*base));
        const auto& methods = MethodTable::shipped().methods(bottleneck, m_kind);
        for (std::size_t i = 0; i < methods.size() && std::cmp_less(i, m_settings.methods); ++i) {
            memory.items.push_back(
                bottleneck == Bottleneck::unknown
                    ? "may help, " + methods[i]
                    : fmt::format("against {}, {}", to_string(bottleneck), methods[i]));
        }
        for (std::string& insight : insights_of(state, k_most_told_insights)) {
            memory.items.push_back(std::move(insight));
        }
        ATOLL_TRY(add_pairs(state, *base, bottleneck, memory));
        if (m_cycling.in_use()) {
            ATOLL_TRY_ASSIGN(const std::vector<std::string> given_up,
                             m_cycling.given_up(state, base->id, k_most_given_up));
            if (std::string hint = cycling_hint(given_up); !hint.empty()) {
                memory.items.push_back(std::move(hint));
            }
        }
    }
    std::string text = to_json(memory);
    issued.memory = text.empty() ? Digest() : content_id(text);
    return text;
}

Expected<PromptMaterial> PromptMemory::insight_material(const CampaignState& state,
                                                        CandidateStore& candidates) {
    ATOLL_TRY(learn(state));
    PromptMaterial material;
    for (const std::string& said : insights_of(state, k_most_told_insights)) {
        material.memory.push_back("said before: " + said);
    }
    material.memory.insert(material.memory.end(), m_changes.rbegin(), m_changes.rend());
    material.failure_rules =
        m_failures.rules(1, static_cast<std::size_t>(m_settings.failure_rules));
    if (const Individual* best = state.best()) {
        ATOLL_TRY_ASSIGN(const Candidate candidate, candidates.candidate(*best));
        material.parent = {best->id.text(),
                           best->fitness,
                           apply_tune_to_text(candidate.source, candidate.tune),
                           {},
                           {}};
    }
    return material;
}

Expected<std::shared_ptr<const PromptMaterial>> recorded_material(const TicketIssued& issued,
                                                                  const TextSource& texts) {
    if (issued.memory.is_zero()) {
        return std::shared_ptr<const PromptMaterial>();
    }
    ATOLL_TRY_ASSIGN(const std::string text, texts.text(issued.memory));
    ATOLL_TRY_ASSIGN(ShownMemory memory, parse_shown_memory(text));
    auto material = std::make_shared<PromptMaterial>();
    material->failure_rules = std::move(memory.failure_rules);
    material->memory = std::move(memory.items);
    return std::shared_ptr<const PromptMaterial>(std::move(material));
}

}  // namespace atl
