#include "mutators/model/exchange_index.hpp"

#include "mutators/model/cassette.hpp"
#include "mutators/model/chat_json.hpp"

#include <algorithm>
#include <array>

namespace atl {

namespace {

/// Of requests that are compared to find the most similar one: an error must not take minutes.
constexpr std::size_t k_max_compared_bytes = 64u << 20;

constexpr std::array k_codes = {
    ErrorCode::invalid_argument, ErrorCode::not_found,   ErrorCode::already_exists,
    ErrorCode::permission,       ErrorCode::no_space,    ErrorCode::io,
    ErrorCode::corrupt,          ErrorCode::too_new,     ErrorCode::limit,
    ErrorCode::timeout,          ErrorCode::unavailable, ErrorCode::interrupted};

ErrorCode code_named(const std::string& name) {
    const auto found = std::find_if(k_codes.begin(), k_codes.end(),
                                    [&](ErrorCode code) { return name == to_string(code); });
    return found == k_codes.end() ? ErrorCode::internal : *found;
}

std::size_t common_bytes(const std::string& a, const std::string& b) {
    return static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first -
                                    a.begin());
}

}  // namespace

Error recorded_error(const ModelExchanged& event) {
    return {code_named(event.error_code), event.error, "", ""};
}

std::string request_text(const ChatRequest& request) {
    return write_chat_request(request, {request.model, "max_tokens"});
}

void ExchangeIndex::add(const ModelExchanged& event) {
    auto& occurrences = m_outcomes[{event.ticket, event.request}];
    if (occurrences.empty()) {
        m_requests.push_back({event.request, event.ticket});
    }
    Outcome outcome{event.reply, {}};
    if (event.reply.is_zero()) {
        outcome.error = recorded_error(event);
    }
    occurrences.insert_or_assign(event.occurrence, std::move(outcome));
}

const ExchangeIndex::Outcome* ExchangeIndex::find(std::uint64_t candidate, const Digest& request,
                                                  std::uint64_t occurrence) const {
    const auto key = m_outcomes.find({candidate, request});
    if (key == m_outcomes.end()) {
        return nullptr;
    }
    const auto found = key->second.find(occurrence);
    return found == key->second.end() ? nullptr : &found->second;
}

Error ExchangeIndex::missing(std::uint64_t candidate, const ChatRequest& request,
                             const TextSource& texts, const std::string& file) const {
    const std::string text = request_text(request);
    const std::string asked = "a request for candidate " + std::to_string(candidate) +
                              " to model '" + request.model + "' is not in the record";
    const std::string hint = "replay with the program, config and seed that made the record";
    const auto key = m_outcomes.find({candidate, content_id(text)});
    if (key != m_outcomes.end()) {
        return {ErrorCode::not_found,
                asked + ": it was asked " + std::to_string(key->second.size()) +
                    " times, and now once more",
                file, hint};
    }
    const auto similar = most_similar(candidate, text, texts);
    if (!similar) {
        return {ErrorCode::not_found, asked + ", which has no requests", file, hint};
    }
    const auto& [recorded, like] = *similar;
    const std::string difference = first_difference(like, request);
    return {ErrorCode::not_found,
            asked + "; the most similar one, for candidate " + std::to_string(recorded.candidate) +
                ", differs in " + (difference.empty() ? "its candidate" : difference),
            file, hint};
}

/// By the length of the common beginning: of this candidate's requests, where it has any.
std::optional<std::pair<ExchangeIndex::Recorded, ChatRequest>> ExchangeIndex::most_similar(
    std::uint64_t candidate, const std::string& text, const TextSource& texts) const {
    const bool has_own =
        std::any_of(m_requests.begin(), m_requests.end(),
                    [&](const Recorded& one) { return one.candidate == candidate; });
    std::optional<std::pair<Recorded, ChatRequest>> best;
    std::size_t best_bytes = 0;
    std::size_t compared = 0;
    for (const Recorded& one : m_requests) {
        if ((has_own && one.candidate != candidate) || compared > k_max_compared_bytes) {
            continue;
        }
        const Expected<std::string> recorded = texts.text(one.request);
        if (!recorded) {
            continue;
        }
        compared += recorded->size();
        const std::size_t bytes = common_bytes(*recorded, text);
        if (best && bytes <= best_bytes) {
            continue;
        }
        if (Expected<ChatRequest> request = read_chat_request(*recorded)) {
            best.emplace(one, std::move(*request));
            best_bytes = bytes;
        }
    }
    return best;
}

}  // namespace atl
