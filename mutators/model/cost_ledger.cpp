#include "mutators/model/cost_ledger.hpp"

#include <fmt/format.h>

#include <utility>

namespace atl {

namespace {

std::string count_of(std::uint64_t calls) {
    return fmt::format("{} call{}", calls, calls == 1 ? "" : "s");
}

Spent spent_by(const Expected<ChatReply>& reply, const Price* price) {
    Spent one;
    one.calls = 1;
    if (!reply) {
        one.failed = 1;
        return one;
    }
    one.without_price = price == nullptr ? 1 : 0;
    if (!reply->usage) {
        one.without_usage = 1;
        return one;
    }
    one.tokens = *reply->usage;
    one.nano_dollars = price == nullptr ? 0 : cost_of(*reply->usage, *price);
    return one;
}

}  // namespace

Spent& Spent::operator+=(const Spent& other) {
    calls += other.calls;
    failed += other.failed;
    without_usage += other.without_usage;
    without_price += other.without_price;
    tokens.prompt += other.tokens.prompt;
    tokens.cached += other.tokens.cached;
    tokens.completion += other.tokens.completion;
    tokens.reasoning += other.tokens.reasoning;
    nano_dollars += other.nano_dollars;
    return *this;
}

std::optional<double> Spent::cached_share() const {
    if (tokens.prompt == 0) {
        return std::nullopt;
    }
    return static_cast<double>(tokens.cached) / static_cast<double>(tokens.prompt);
}

std::string Spent::money_text() const {
    const std::string known = fmt::format("${:.4f}", static_cast<double>(nano_dollars) * 1e-9);
    std::string unknown;
    for (const auto& [count, words] :
         {std::pair(without_price, "without a price"), std::pair(without_usage, "without usage"),
          std::pair(failed, "failed")}) {
        if (count > 0) {
            unknown += (unknown.empty() ? "" : ", ") + count_of(count) + " " + words;
        }
    }
    if (unknown.empty()) {
        return known;
    }
    return nano_dollars == 0 ? "unknown (" + unknown + ")"
                             : "at least " + known + " (unknown: " + unknown + ")";
}

void CostLedger::book(const std::string& model, std::uint64_t candidate,
                      const Expected<ChatReply>& reply) {
    const auto found = m_prices.find(model);
    const Price* price = found == m_prices.end() ? nullptr : &found->second;
    const Spent one = spent_by(reply, price);
    const std::lock_guard lock(m_mutex);
    m_models[model] += one;
    m_candidates[candidate] += one;
}

Spent CostLedger::total() const {
    const std::lock_guard lock(m_mutex);
    Spent all;
    for (const auto& [name, spent] : m_models) {
        all += spent;
    }
    return all;
}

std::map<std::string, Spent> CostLedger::by_model() const {
    const std::lock_guard lock(m_mutex);
    return m_models;
}

Spent CostLedger::of_candidate(std::uint64_t candidate) const {
    const std::lock_guard lock(m_mutex);
    const auto found = m_candidates.find(candidate);
    return found == m_candidates.end() ? Spent() : found->second;
}

Spent CostLedger::take_candidate(std::uint64_t candidate) {
    const std::lock_guard lock(m_mutex);
    auto node = m_candidates.extract(candidate);
    return node.empty() ? Spent() : node.mapped();
}

void BookedModel::submit(ChatCall call, Done done) {
    const std::string model = call.request.model;
    const std::uint64_t candidate = call.candidate;
    m_below.submit(std::move(call),
                   [this, model, candidate, done = std::move(done)](Expected<ChatReply> reply) {
                       m_ledger.book(model, candidate, reply);
                       done(std::move(reply));
                   });
}

}  // namespace atl
