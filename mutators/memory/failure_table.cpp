#include "mutators/memory/failure_table.hpp"

#include <algorithm>
#include <tuple>

namespace atl {

namespace {

std::string words_of(Outcome outcome) {
    switch (outcome) {
        case Outcome::passed:
        case Outcome::slower_than_cutoff:
            return "right";
        case Outcome::rejected:
            return "refused unread";
        case Outcome::compile_error:
            return "does not compile";
        case Outcome::compile_limit:
            return "too much for the compiler";
        case Outcome::launch_error:
            return "cannot be launched";
        case Outcome::wrong_result:
            return "wrong result";
        case Outcome::non_finite:
            return "NaN or infinity in the result";
        case Outcome::inputs_modified:
            return "changed its inputs";
        case Outcome::timeout:
            return "took too long";
        case Outcome::crash:
            return "crashed";
        case Outcome::memory_fault:
            return "touched memory outside its buffers";
        case Outcome::memory_limit:
            return "took too much memory";
        case Outcome::forbidden_call:
            return "made a call that is not allowed";
        case Outcome::inconsistent:
            return "right on some runs and wrong on others";
        case Outcome::reward_hack:
            return "was found to cheat";
        case Outcome::evaluator_failed:
            return "refused by the judge";
    }
    return "failed";
}

std::string rule_text(Outcome outcome, const std::string& message, const std::string& example) {
    std::string text = words_of(outcome);
    if (!message.empty()) {
        text += ": " + message;
    }
    if (!example.empty() && example != message) {
        text += " (such as: " + example + ")";
    }
    return text;
}

}  // namespace

void FailureTable::add(const FailureCause& cause) {
    Key key{cause.outcome, cause.message};
    auto found = m_entries.find(key);
    if (found == m_entries.end()) {
        make_room();
        found = m_entries.emplace(std::move(key), Entry()).first;
    }
    ++found->second.count;
    found->second.last = ++m_failures;
    found->second.example = cause.example;
}

void FailureTable::make_room() {
    if (m_entries.size() < m_capacity) {
        return;
    }
    m_entries.erase(
        std::min_element(m_entries.begin(), m_entries.end(), [](const auto& a, const auto& b) {
            return std::tie(a.second.count, a.second.last) <
                   std::tie(b.second.count, b.second.last);
        }));
}

std::vector<FailureRule> FailureTable::rules(std::uint64_t least, std::size_t most) const {
    std::vector<const std::pair<const Key, Entry>*> met;
    for (const auto& entry : m_entries) {
        if (entry.second.count >= least) {
            met.push_back(&entry);
        }
    }
    std::sort(met.begin(), met.end(), [](const auto* a, const auto* b) {
        return std::tie(a->second.count, a->second.last) >
               std::tie(b->second.count, b->second.last);
    });
    std::vector<FailureRule> rules;
    for (std::size_t i = 0; i < met.size() && i < most; ++i) {
        const auto& [key, entry] = *met[i];
        rules.push_back({rule_text(key.first, key.second, entry.example), entry.count});
    }
    return rules;
}

}  // namespace atl
