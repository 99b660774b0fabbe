#pragma once

#include "mutators/model/chat_model.hpp"
#include "mutators/model/prices.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace atl {

/// What calls took. What is not known is counted apart, so that no sum looks whole that is not.
struct Spent {
    std::uint64_t calls = 0;          ///< all of them
    std::uint64_t failed = 0;         ///< without a reply: what they cost nobody says
    std::uint64_t without_usage = 0;  ///< replies that do not say their tokens
    std::uint64_t without_price = 0;  ///< replies of models whose price is not configured
    TokenUsage tokens;                ///< of the replies that say
    NanoDollars nano_dollars = 0;     ///< of the replies that say, of models with a price

    Spent& operator+=(const Spent& other);
    /// Share of the prompt's tokens that the endpoint had cached, 0 to 1; nullopt without any.
    [[nodiscard]] std::optional<double> cached_share() const;
    /// "$1.2345", "at least $1.2345 (unknown: 2 calls without a price, 1 without usage, 1 failed)",
    /// "unknown (3 calls without a price)".
    [[nodiscard]] std::string money_text() const;
};

/// Books every call to the model that was asked and to the candidate that it was for. Thread-safe.
class CostLedger {
  public:
    /// By model; one that is not there has no known price. REQUIRES checked prices.
    explicit CostLedger(std::map<std::string, Price> prices) : m_prices(std::move(prices)) {}

    void book(const std::string& model, std::uint64_t candidate, const Expected<ChatReply>& reply);

    [[nodiscard]] Spent total() const;
    [[nodiscard]] std::map<std::string, Spent> by_model() const;
    [[nodiscard]] Spent of_candidate(std::uint64_t candidate) const;
    /// The same, and forgets it: what is recorded elsewhere need not be kept.
    Spent take_candidate(std::uint64_t candidate);

  private:
    std::map<std::string, Price> m_prices;
    mutable std::mutex m_mutex;
    std::map<std::string, Spent> m_models;
    std::map<std::uint64_t, Spent> m_candidates;
};

/// Asks `below` and books what comes back before it is passed on. Both must outlive it.
class BookedModel final : public ChatModel {
  public:
    BookedModel(ChatModel& below, CostLedger& ledger) : m_below(below), m_ledger(ledger) {}
    void submit(ChatCall call, Done done) override;

  private:
    ChatModel& m_below;
    CostLedger& m_ledger;
};

}  // namespace atl
