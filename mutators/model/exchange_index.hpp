#pragma once

#include "mutators/model/chat.hpp"
#include "population/event.hpp"
#include "population/journal/text_store.hpp"
#include "reward/base/hash.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace atl {

/// The text by which a request is known: without the endpoint's name for the model. REQUIRES that
/// check_chat_request() accepts it.
[[nodiscard]] std::string request_text(const ChatRequest& request);

/// Of an exchange without a reply.
[[nodiscard]] Error recorded_error(const ModelExchanged& event);

/// The exchanges of a record by candidate, request and occurrence. Not thread-safe.
class ExchangeIndex {
  public:
    /// What came of an exchange: a reply's text, or an error.
    struct Outcome {
        Digest reply;  ///< zero: `error` came
        Error error;
    };

    void add(const ModelExchanged& event);
    /// Whether it is recorded; nullptr when not. Valid until the next add().
    [[nodiscard]] const Outcome* find(std::uint64_t candidate, const Digest& request,
                                      std::uint64_t occurrence) const;
    /// Why it is not recorded, as an error that names the most similar request that is.
    [[nodiscard]] Error missing(std::uint64_t candidate, const ChatRequest& request,
                                const TextSource& texts, const std::string& file) const;

  private:
    using Key = std::pair<std::uint64_t, Digest>;
    struct Recorded {
        Digest request;
        std::uint64_t candidate = 0;
    };
    [[nodiscard]] std::optional<std::pair<Recorded, ChatRequest>> most_similar(
        std::uint64_t candidate, const std::string& text, const TextSource& texts) const;

    std::map<Key, std::map<std::uint64_t, Outcome>> m_outcomes;
    std::vector<Recorded> m_requests;  ///< each once for a candidate, in the order of the record
};

}  // namespace atl
