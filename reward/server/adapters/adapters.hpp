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

// NeMo Gym's resources server. /verify: {"responses_create_params", "response",
// "verifier_metadata", ...} -> the same and "reward", "correct", "outcome", "feedback"; the reply
// what the assistant said in `response`. No reward: its client waits for ever, but makes an end of
// everything at a status of 5xx; so faults and a full queue are waited out here for
// TimeLimits::outage. After that, or at once where nothing will pass, it is a rollout that is not
// to be learned from: `mask_sample`, above all in `instance_config`, where NeMo RL looks, and
// `_ng_failure_class`; the format wants a number as reward beside them, and has 0. A server that
// goes down closes the connection without an answer: the client comes again until there is one.
boost::asio::awaitable<HttpReply> post_verify(Service& service, HttpExchange& exchange);
boost::asio::awaitable<HttpReply> post_seed_session(Service& service, HttpExchange& exchange);
boost::asio::awaitable<HttpReply> post_close_session(Service& service, HttpExchange& exchange);
boost::asio::awaitable<HttpReply> post_aggregate_metrics(Service& service, HttpExchange& exchange);
boost::asio::awaitable<HttpReply> get_reverify_mode(Service& service, HttpExchange& exchange);
/// The rollout of a /verify in a session of an Environment Server, {"verification_input":
/// {"responses_create_params", "response"}, ...}, with what named the task when it was seeded. That
/// is in the session's cookie, so that nothing is kept here and a restart loses none.
[[nodiscard]] nlohmann::ordered_json nemo_gym_rollout(const nlohmann::ordered_json& body,
                                                      std::string_view cookies);
[[nodiscard]] Answered<JobRequests> read_nemo_gym(const nlohmann::ordered_json& body,
                                                  const Query& query, const Offer& offer);
/// {"verify_responses": [...]} -> {"group_level_metrics", "agent_metrics", "key_metrics"}: mean,
/// max, min, median and std (n - 1; 0 of one) of each numeric field, per task and over all, as
/// nemo_gym/reward_profile.py names them. Rows with `_ng_failure_class` or a true `mask_sample` do
/// not count.
[[nodiscard]] Answered<std::string> nemo_gym_metrics(const nlohmann::ordered_json& body);

// POST /evaluate is KernelGYM's where the body has "kernel_code", flashinfer-bench's where it has
// "solution".
boost::asio::awaitable<HttpReply> post_either_evaluate(Service& service, HttpExchange& exchange);
/// For both: their clients look at unlike keys.
boost::asio::awaitable<HttpReply> get_trainer_health(Service& service, HttpExchange& exchange);

// KernelGYM. The candidate is `kernel_code`, the prompt `reference_code`, the metadata the body.
// Python modules are refused (422 unsupported_kind). A candidate's fault is "completed"; what is
// not done in time is "processing", for its client polls; a fault of ours that may pass is tried
// again all the time, for an hour, and a full queue waited out. No reward, whatever the reason, is
// 503, which its client tries again ("failed" and every other status would be a penalty). The
// task_id is the job's idempotency key, so that /status and /results find it.
boost::asio::awaitable<HttpReply> evaluate_kernelgym(Service& service, HttpExchange& exchange,
                                                     JobRequests& requests);
boost::asio::awaitable<HttpReply> post_kernelgym_batch(Service& service, HttpExchange& exchange);
boost::asio::awaitable<HttpReply> get_kernelgym_status(Service& service, HttpExchange& exchange);
boost::asio::awaitable<HttpReply> get_kernelgym_results(Service& service, HttpExchange& exchange);
[[nodiscard]] Answered<JobRequests> read_kernelgym(const nlohmann::ordered_json& body,
                                                   const Query& query, const Offer& offer);
struct RefusedTask {
    std::string task_id;
    Refusal refusal;
};
using RefusedTasks = std::map<std::size_t, RefusedTask>;  ///< by their place in a batch
/// A Python module goes to `refused`, which is not in the result then: the others are
/// evaluated, and it is "failed". All else that is wrong refuses the batch.
[[nodiscard]] Answered<JobRequests> read_kernelgym_batch(const nlohmann::ordered_json& body,
                                                         const Query& query, const Offer& offer,
                                                         RefusedTasks& refused);
/// Lines at the left margin that only Python has: from ... import, def ...:, class ...: outside of
/// comments, and before a line that only C++ and CUDA have.
[[nodiscard]] bool is_python_module(std::string_view source);

// flashinfer-bench serve. A solution names its task as `definition`; taken are those in cuda or cpp
// with one source, whose entry point is launch() as Atoll's contract has it. A trace per timed
// public workload; its speedup_factor is the task's geometric mean. A full queue is waited out, and
// so is a fault of ours that may pass, until the deadline. No reward: the task's status is
// "failed", without traces.
boost::asio::awaitable<HttpReply> begin_flashinfer(Service& service, HttpExchange& exchange,
                                                   const JobRequests& requests);
boost::asio::awaitable<HttpReply> get_flashinfer_task(Service& service, HttpExchange& exchange);
boost::asio::awaitable<HttpReply> post_flashinfer_tasks(Service& service, HttpExchange& exchange);
boost::asio::awaitable<HttpReply> get_definitions(Service& service, HttpExchange& exchange);
boost::asio::awaitable<HttpReply> get_definition(Service& service, HttpExchange& exchange);
boost::asio::awaitable<HttpReply> get_workloads(Service& service, HttpExchange& exchange);
boost::asio::awaitable<HttpReply> get_workload(Service& service, HttpExchange& exchange);
[[nodiscard]] Answered<JobRequests> read_flashinfer(const nlohmann::ordered_json& body,
                                                    const Query& query, const Offer& offer);

/// What a body has under `key`; null when it has not.
[[nodiscard]] const nlohmann::ordered_json& member(const nlohmann::ordered_json& body,
                                                   const char* key);

}  // namespace atl
