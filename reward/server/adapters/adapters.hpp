#pragma once

#include "reward/server/adapters/trainer_jobs.hpp"

#include <nlohmann/json_fwd.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace atl {

/// The wire formats of trainers and benchmarks: each is turned into jobs, and their verdicts into
/// what its client reads. One file each; keys that a format does not have are ignored, since its
/// client, and no person, writes them. Parsers are pure and thread-safe; `query` is the URL's.
using Query = std::map<std::string, std::string>;

// OpenRLHF, POST /get_reward: {"query": [text], "prompts": [text], "labels": [any]}, query = prompt
// and response with special tokens -> {"rewards", "scores", "extra_logs"}, lists of one length.
// `scores` filter groups: 0 for wrong ones, else r / (1 + r), so that right ones of unlike speed
// stay apart. No reward: 503 for all of them; the client tries 5 times.
boost::asio::awaitable<HttpReply> post_get_reward(Service& service, HttpExchange& exchange);
[[nodiscard]] Answered<JobRequests> read_openrlhf(const nlohmann::ordered_json& body,
                                                  const Query& query, const Offer& offer,
                                                  std::size_t most);
/// What the model wrote: `query` without the prompt, of which the tokenizer may have cut off the
/// beginning, and without special tokens at its end. nullopt: the prompt's end is not in it.
[[nodiscard]] std::optional<std::string_view> response_in_query(std::string_view query,
                                                                std::string_view prompt);

// slime, POST /rm: {"prompt", "response", "label"} -> a bare number. No reward: 503; the client
// tries 10 times.
boost::asio::awaitable<HttpReply> post_rm(Service& service, HttpExchange& exchange);
[[nodiscard]] Answered<JobRequests> read_slime(const nlohmann::ordered_json& body,
                                               const Query& query, const Offer& offer);

}  // namespace atl
