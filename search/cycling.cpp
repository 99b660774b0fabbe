#include "search/cycling.hpp"

#include "reward/base/hash.hpp"
#include "search/config.hpp"

#include <algorithm>
#include <cctype>
#include <set>

namespace atl {

namespace {

constexpr std::size_t k_entry_bytes = 256;  // what an entry takes beside its hashes, roughly

std::string_view without_space_around(std::string_view line) {
    constexpr std::string_view k_space = " \t\r\v\f";
    const std::size_t begin = line.find_first_not_of(k_space);
    return begin == std::string_view::npos
               ? std::string_view{}
               : line.substr(begin, line.find_last_not_of(k_space) - begin + 1);
}

bool counts(std::string_view line) {
    return std::any_of(line.begin(), line.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || static_cast<signed char>(c) < 0;
    });
}

std::vector<std::string_view> counting_lines(std::string_view source) {
    std::vector<std::string_view> lines;
    while (!source.empty()) {
        const std::size_t end = std::min(source.find('\n'), source.size());
        const std::string_view line = without_space_around(source.substr(0, end));
        if (counts(line)) {
            lines.push_back(line);
        }
        source.remove_prefix(std::min(end + 1, source.size()));
    }
    return lines;
}

std::uint64_t hash_of(std::string_view line) {
    return checksum64(line.data(), line.size());
}

std::vector<std::uint64_t> hashes_of(std::string_view source) {
    std::vector<std::uint64_t> hashes;
    for (const std::string_view line : counting_lines(source)) {
        hashes.push_back(hash_of(line));
    }
    std::sort(hashes.begin(), hashes.end());
    hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
    return hashes;
}

std::vector<std::uint64_t> without(const std::vector<std::uint64_t>& all,
                                   const std::vector<std::uint64_t>& taken) {
    std::vector<std::uint64_t> rest;
    std::set_difference(all.begin(), all.end(), taken.begin(), taken.end(),
                        std::back_inserter(rest));
    return rest;
}

}  // namespace

Cycling::Cycling(const NoveltySettings& settings, const TextSource& texts)
    : m_texts(&texts),
      m_ancestors(static_cast<std::size_t>(settings.ancestors)),
      m_max_share(settings.max_returning) {}

Expected<Cycling::Lines> Cycling::lines_of(const Digest& source) {
    if (const Lines* known = m_lines.find(source)) {
        return *known;
    }
    ATOLL_TRY_ASSIGN(const std::string text, m_texts->text(source));
    auto lines = std::make_shared<const std::vector<std::uint64_t>>(hashes_of(text));
    const std::size_t bytes = lines->size() * sizeof(std::uint64_t) + k_entry_bytes;
    return m_lines.put(source, std::move(lines), bytes);
}

std::vector<const Individual*> Cycling::lineage(const CampaignState& state,
                                                IndividualId base) const {
    std::vector<const Individual*> all;
    const Individual* next = state.find(base);
    while (next != nullptr && all.size() <= m_ancestors) {
        all.push_back(next);
        const auto parent =
            std::find_if(next->parents.begin(), next->parents.end(),
                         [](const Parent& p) { return p.role == ParentRole::base; });
        next = parent == next->parents.end() ? nullptr : state.find(parent->id);
    }
    return all;
}

Expected<Cycling::Returning> Cycling::returning(const CampaignState& state, IndividualId base,
                                                std::string_view source) {
    const std::vector<const Individual*> ancestors = lineage(state, base);
    if (m_ancestors == 0 || ancestors.empty() || content_id(source) == ancestors[0]->source) {
        return Returning{};
    }
    ATOLL_TRY_ASSIGN(const Lines parent, lines_of(ancestors[0]->source));
    std::vector<std::uint64_t> missing = without(hashes_of(source), *parent);
    Returning result;
    result.added = static_cast<std::uint32_t>(missing.size());
    for (std::size_t i = 1; i < ancestors.size() && !missing.empty(); ++i) {
        if (ancestors[i]->source == ancestors[i - 1]->source) {
            continue;  // other tune values only
        }
        ATOLL_TRY_ASSIGN(const Lines lines, lines_of(ancestors[i]->source));
        std::vector<std::uint64_t> rest = without(missing, *lines);
        if (rest.size() < missing.size() && result.returned == 0) {
            result.from = ancestors[i]->id;
        }
        result.returned += static_cast<std::uint32_t>(missing.size() - rest.size());
        missing = std::move(rest);
    }
    return result;
}

Expected<std::vector<std::string>> Cycling::given_up(const CampaignState& state, IndividualId base,
                                                     std::size_t most) {
    std::vector<std::string> given_up;
    const std::vector<const Individual*> ancestors = lineage(state, base);
    if (m_ancestors == 0 || ancestors.empty()) {
        return given_up;
    }
    ATOLL_TRY_ASSIGN(const Lines parent, lines_of(ancestors[0]->source));
    std::set<std::uint64_t> told(parent->begin(), parent->end());
    for (std::size_t i = 1; i < ancestors.size(); ++i) {
        if (ancestors[i]->source == ancestors[i - 1]->source) {
            continue;
        }
        ATOLL_TRY_ASSIGN(const std::string text, m_texts->text(ancestors[i]->source));
        for (const std::string_view line : counting_lines(text)) {
            if (given_up.size() < most && told.insert(hash_of(line)).second) {
                given_up.emplace_back(line);
            }
        }
    }
    return given_up;
}

std::string cycling_hint(const std::vector<std::string>& given_up) {
    if (given_up.empty()) {
        return "";
    }
    std::string text =
        "Ancestors of this program had these lines and gave them up. Do not bring them back unless "
        "something else has changed that makes them worth it:";
    for (const std::string& line : given_up) {
        text += "\n    " + line;
    }
    return text;
}

}  // namespace atl
