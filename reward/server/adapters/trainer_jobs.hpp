#pragma once

#include "reward/server/adapters/task_naming.hpp"
#include "reward/server/http_exchange.hpp"
#include "reward/server/service.hpp"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace atl {

using JobRequests = std::vector<JobRequest>;

/// `native`, fields of POST /v1/evaluate, with its task named by `places`, for an answer without
/// the whole verdict. `where` names the trainer's request in errors. Refusals: as of name_task()
/// and parse_job_request().
[[nodiscard]] Answered<JobRequest> read_named(const NamingPlaces& places, const std::string& where,
                                              nlohmann::ordered_json native, const Offer& offer);

/// For formats that hold one candidate.
[[nodiscard]] Answered<JobRequests> only(Answered<JobRequest> request);

/// What became of the candidates of one trainer's request.
struct TrainerJobs {
    bool gone = false;               ///< so has the client; there is nobody to answer
    bool late = false;               ///< some are pending still
    std::vector<JobPtr> jobs;        ///< in the order of the requests; empty when there was no room
    std::optional<Refusal> refusal;  ///< there was no room, or the first job's fault
};

/// Evaluates all of them side by side; waits for the last, or for `patience`. What is not done by
/// then goes on, so that the verdict is there when the trainer asks again. `kept`: it goes on
/// without the client, too, for formats that poll. Takes the requests. Refusals: as of
/// JobTable::submit() and refusal_of().
[[nodiscard]] boost::asio::awaitable<TrainerJobs> evaluate_all(Service& service,
                                                               HttpExchange& exchange,
                                                               JobRequests& requests,
                                                               std::chrono::milliseconds patience,
                                                               bool kept = false);

/// The same, but waits out what passes (a full queue, a fault of ours): tries again, with pauses
/// that double, for as long as `refused_for` from the first of them, and in all no longer than the
/// longer of both.
[[nodiscard]] boost::asio::awaitable<TrainerJobs> evaluate_patiently(
    Service& service, HttpExchange& exchange, const JobRequests& requests,
    std::chrono::milliseconds refused_for, std::chrono::milliseconds patience, bool kept = false);

/// Until all of them have ended, or for `patience`; then pending ones go on without anybody who
/// waits. False: the client has gone; pending ones go on for TimeLimits::comes_again.
[[nodiscard]] boost::asio::awaitable<bool> wait_for_all(Service& service, HttpExchange& exchange,
                                                        const std::vector<JobPtr>& jobs,
                                                        std::chrono::milliseconds patience);

/// A job as it was when it was looked at. One that was pending then may end on the server's thread
/// while the pool writes about it; so what changes with that is here and is not read from the job.
struct SeenJob {
    JobPtr job;
    JobState state = JobState::pending;
    std::shared_ptr<const std::string> document;  ///< of those that have ended
};

/// Belongs to the server's thread, as the jobs do.
[[nodiscard]] std::vector<SeenJob> look_at(const std::vector<JobPtr>& jobs);

/// Of the documents of those that have ended.
[[nodiscard]] std::size_t document_bytes(const std::vector<JobPtr>& jobs);

/// For formats that have no other way to say so.
[[nodiscard]] Refusal not_yet(std::chrono::seconds retry_after);

/// Asks for the score "speedup" beside those that `native`, fields of POST /v1/evaluate, has: for
/// formats that have a place for it. The first score stays the reward.
void want_speedup(nlohmann::ordered_json& native);

/// A verdict as a trainer sees it.
struct Reward {
    double value =
        0;  ///< the first score that was asked for; 1 or 0 for right or wrong without one
    bool correct = false;
    std::shared_ptr<const nlohmann::json> job;  ///< the native document (schema DoneJob)
};

/// REQUIRES a job with a verdict. Refusal (500): its score is no finite number.
[[nodiscard]] Answered<Reward> reward_of(const ServerJob& job);

using WriteRewards = std::function<std::string(const std::vector<Reward>&)>;
using ReadRequests = std::function<Answered<JobRequests>(const nlohmann::ordered_json&)>;

/// Reads the body, an object, with `read` (in the pool when it is large), evaluates what that
/// returns, and answers with what `write` makes of the rewards; or with the first refusal that does
/// not pass within TimeLimits::answer (503 not_yet after it), since these formats cannot say that
/// one of several has no reward. The same request, sent again, meets the same jobs.
[[nodiscard]] boost::asio::awaitable<HttpReply> answer_trainer(Service& service,
                                                               HttpExchange& exchange,
                                                               const ReadRequests& read,
                                                               const WriteRewards& write);

/// Its parts. read_trainer_body() takes the body out of the exchange, parse_trainer_body() leaves
/// it; `more_bytes`: how large the answer is besides what it has from the verdicts.
[[nodiscard]] boost::asio::awaitable<Answered<JobRequests>> parse_trainer_body(
    Service& service, const std::string& body, const ReadRequests& read);
[[nodiscard]] boost::asio::awaitable<Answered<JobRequests>> read_trainer_body(
    Service& service, HttpExchange& exchange, const ReadRequests& read);
[[nodiscard]] boost::asio::awaitable<HttpReply> write_trainer_answer(Service& service,
                                                                     const TrainerJobs& ended,
                                                                     const WriteRewards& write,
                                                                     std::size_t more_bytes = 0);

}  // namespace atl
