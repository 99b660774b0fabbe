#include "reward/base/json_reader.hpp"
#include "reward/server/adapters/adapters.hpp"
#include "reward/server/adapters/task_naming.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace atl {

namespace {

using nlohmann::ordered_json;

/// So much of a prompt's end finds it again in the query.
constexpr std::size_t k_prompt_end = 256;
constexpr std::size_t k_longest_token = 48;
constexpr const char* k_format = R"(OpenRLHF sends {"query": [], "prompts": [], "labels": []})";

std::string_view without_space_at_end(std::string_view text) {
    return text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
}

/// "<|im_end|>", "</s>", "<eos>", "<end_of_turn>", "<｜end▁of▁sentence｜>": a code fence right
/// before such a token would else not be one.
std::string_view without_token_at_end(std::string_view text) {
    const std::size_t open = text.rfind('<');
    if (text.empty() || text.back() != '>' || open == std::string_view::npos) {
        return text;
    }
    const std::string_view token = text.substr(open + 1, text.size() - open - 2);
    constexpr std::array<std::string_view, 7> k_words = {"s",   "/s",          "pad", "eos",
                                                         "bos", "end_of_turn", "unk"};
    constexpr std::string_view k_wide_bar = "\xEF\xBD\x9C";
    const bool in_bars = (token.starts_with('|') && token.ends_with('|')) ||
                         (token.starts_with(k_wide_bar) && token.ends_with(k_wide_bar));
    const bool is_word = std::find(k_words.begin(), k_words.end(), token) != k_words.end();
    const bool is_token = token.size() <= k_longest_token && (in_bars || is_word);
    return is_token ? text.substr(0, open) : text;
}

std::string_view without_tokens_at_end(std::string_view text) {
    std::string_view shorter = without_token_at_end(without_space_at_end(text));
    while (shorter.size() < without_space_at_end(text).size()) {
        text = shorter;
        shorter = without_token_at_end(without_space_at_end(text));
    }
    return text;
}

tl::unexpected<Refusal> wrong(const std::string& key, const std::string& what) {
    return refuse(422, "invalid_request",
                  {ErrorCode::invalid_argument, what, "body: " + key, k_format});
}

/// The list under `key`; one that is missing or empty is one of nulls.
Answered<ordered_json> list_of(const ordered_json& body, const char* key, std::size_t size) {
    const auto found = body.find(key);
    if (found == body.end() || found->is_null() || (found->is_array() && found->empty())) {
        return ordered_json(std::vector<std::nullptr_t>(size));
    }
    if (!found->is_array() || found->size() != size) {
        return wrong(key, "a list as long as 'query' is needed here");
    }
    return *found;
}

Answered<JobRequest> read_sample(const ordered_json& query, const ordered_json& prompt,
                                 const ordered_json& label, const std::string& where,
                                 const Query& url, const Offer& offer) {
    if (!query.is_string() || !prompt.is_string()) {
        return wrong(where, "'query' and 'prompts' must hold texts");
    }
    const auto response = response_in_query(query.get_ref<const std::string&>(),
                                            prompt.get_ref<const std::string&>());
    if (!response) {
        return refuse(422, "invalid_request",
                      {ErrorCode::invalid_argument,
                       "the query does not hold the end of its prompt, so that the model's words "
                       "cannot be told from it",
                       "body: " + where, "send the prompt as the tokenizer writes it"});
    }
    return read_named({.label = &label, .prompt = &prompt, .query = &url}, "body: " + where,
                      {{"reply", std::string(*response)}}, offer);
}

nlohmann::json numbers(const std::vector<Reward>& rewards, double (*number)(const Reward&)) {
    nlohmann::json list = nlohmann::json::array();
    for (const Reward& reward : rewards) {
        list.push_back(number(reward));
    }
    return list;
}

double filter_score(const Reward& reward) {
    const double value = std::max(reward.value, 0.0);
    return reward.correct ? value / (1 + value) : 0;
}

std::string write_openrlhf(const std::vector<Reward>& rewards) {
    nlohmann::json logs = nlohmann::json::object();
    if (!rewards.empty()) {
        logs["correct"] = numbers(rewards, [](const Reward& one) { return one.correct ? 1.0 : 0; });
        logs["seconds"] = numbers(
            rewards, [](const Reward& one) { return (*one.job)["timing"].value("total_s", 0.0); });
    }
    return dump_json({{"rewards", numbers(rewards, [](const Reward& one) { return one.value; })},
                      {"scores", numbers(rewards, filter_score)},
                      {"extra_logs", std::move(logs)}});
}

}  // namespace

std::optional<std::string_view> response_in_query(std::string_view query, std::string_view prompt) {
    prompt = without_space_at_end(prompt);
    std::size_t end = prompt.size();
    if (!query.starts_with(prompt)) {
        const std::string_view tail =
            prompt.substr(prompt.size() - std::min(prompt.size(), k_prompt_end));
        const std::size_t found = query.find(tail);
        if (found == std::string_view::npos) {
            return std::nullopt;
        }
        end = found + tail.size();
    }
    return without_tokens_at_end(query.substr(end));
}

Answered<JobRequests> read_openrlhf(const ordered_json& body, const Query& query,
                                    const Offer& offer, std::size_t most) {
    const auto queries = body.find("query");
    if (queries == body.end() || !queries->is_array()) {
        return wrong("query", "a list is needed here");
    }
    if (queries->size() > most) {
        return refuse(413, "too_large",
                      {ErrorCode::limit, std::to_string(queries->size()) + " queries",
                       "body: query", "send at most " + std::to_string(most) + " at once"});
    }
    const Answered<ordered_json> prompts = list_of(body, "prompts", queries->size());
    const Answered<ordered_json> labels = list_of(body, "labels", queries->size());
    if (!prompts || !labels) {
        return tl::unexpected(prompts ? labels.error() : prompts.error());
    }
    JobRequests requests;
    for (std::size_t i = 0; i < queries->size(); ++i) {
        Answered<JobRequest> request =
            read_sample((*queries)[i], (*prompts)[i], (*labels)[i],
                        "query[" + std::to_string(i) + "]", query, offer);
        if (!request) {
            return tl::unexpected(request.error());
        }
        requests.push_back(std::move(*request));
    }
    return requests;
}

boost::asio::awaitable<HttpReply> post_get_reward(Service& service, HttpExchange& exchange) {
    const ReadRequests read = [&](const ordered_json& body) {
        return read_openrlhf(body, exchange.request.query, service.offer,
                             service.options.sizes.batch_requests);
    };
    const WriteRewards write = write_openrlhf;
    co_return co_await answer_trainer(service, exchange, read, write);
}

}  // namespace atl
