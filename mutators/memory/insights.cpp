#include "mutators/memory/insights.hpp"

#include "mutators/replies/reply_text.hpp"
#include "population/campaign_state.hpp"
#include "reward/base/words.hpp"
#include "reward/code_fence.hpp"

namespace atl {

static_assert(k_most_insights <= InsightNoted::k_max_items);
static_assert(k_longest_insight <= InsightNoted::k_max_item_bytes);

namespace {

/// What stands behind a bullet or number; empty where there is none.
std::string_view list_item(std::string_view line) {
    line = trimmed(line);
    if (line.starts_with("- ") || line.starts_with("* ")) {
        return trimmed(line.substr(2));
    }
    const std::size_t digits = line.find_first_not_of("0123456789");
    if (digits == 0 || digits == std::string_view::npos || digits > 2) {
        return {};
    }
    const std::string_view rest = line.substr(digits);
    return rest.starts_with(". ") || rest.starts_with(") ") ? trimmed(rest.substr(2))
                                                            : std::string_view();
}

}  // namespace

bool insight_due(const CampaignState& state, std::uint64_t every) {
    const std::uint64_t last = state.insights().empty() ? 0 : state.insights().back().after_commit;
    return every > 0 && state.commits() / every > last / every;
}

std::vector<std::string> insight_items(std::string_view reply) {
    std::vector<std::string> items;
    bool in_fence = false;
    for (const std::string_view line : lines_of(answer_in_reply(reply))) {
        if (trimmed(line).starts_with("```")) {
            in_fence = !in_fence;
        }
        const std::string_view item = in_fence ? std::string_view() : list_item(line);
        if (item.empty() || items.size() == k_most_insights) {
            continue;
        }
        std::string text;
        for (const char c : shortened(item, k_longest_insight)) {
            text += static_cast<unsigned char>(c) >= ' ' && c != '\x7f' ? c : ' ';
        }
        if (is_utf8(text)) {
            items.push_back(std::move(text));
        }
    }
    return items;
}

}  // namespace atl
