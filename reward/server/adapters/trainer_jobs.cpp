#include "reward/server/adapters/trainer_jobs.hpp"

#include "reward/server/job_reply.hpp"
#include "reward/server/read_requests.hpp"
#include "reward/server/routes.hpp"

#include <boost/asio/steady_timer.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace atl {

using boost::asio::awaitable;
using std::chrono::steady_clock;

namespace {

constexpr std::chrono::milliseconds k_longest_pause{60'000};

/// Whether the same request may get an answer later, though not while the server goes down.
bool is_for_later(const Refusal& refusal) {
    return refusal.retry_after.has_value() && refusal.code != "draining";
}

std::chrono::milliseconds until_then(steady_clock::time_point then) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(then - steady_clock::now());
    return std::max(left, std::chrono::milliseconds(0));
}

/// Lets the jobs of a client that went away go on for as long as it may take to come again:
/// trainers that lose their patience send the same once more, and would else begin at the queue's
/// end each time.
void hold(Service& service, const std::vector<JobPtr>& jobs) {
    std::vector<Interest> interests;
    for (const JobPtr& job : jobs) {
        if (job->state == JobState::pending && !service.jobs->draining()) {
            interests.push_back(service.jobs->join(job, [] {}));
        }
    }
    auto timer = std::make_shared<boost::asio::steady_timer>(service.threads.io,
                                                             service.options.times.comes_again);
    timer->async_wait([timer, interests = std::move(interests)](boost::system::error_code) {});
}

std::size_t bytes_of(const JobRequests& requests) {
    std::size_t bytes = 0;
    for (const JobRequest& request : requests) {
        bytes += request.bytes();
    }
    return bytes;
}

/// False: the client has gone.
awaitable<bool> pause(Service& service, HttpExchange& exchange, std::chrono::milliseconds time) {
    Bell bell(service.threads.io.get_executor());
    const Woken woken = co_await exchange.wait(bell, steady_clock::now() + time);
    co_return woken != Woken::gone;
}

}  // namespace

Answered<JobRequest> read_named(const NamingPlaces& places, const std::string& where,
                                nlohmann::ordered_json native, const Offer& offer) {
    native["verdict"] = false;  // nobody would see it
    const Answered<void> named = name_task(places, where, native);
    if (!named) {
        return tl::unexpected(named.error());
    }
    return parse_job_request(native, where, offer);
}

Answered<JobRequests> only(Answered<JobRequest> request) {
    if (!request) {
        return tl::unexpected(std::move(request.error()));
    }
    JobRequests one;
    one.push_back(std::move(*request));
    return one;
}

std::size_t document_bytes(const std::vector<JobPtr>& jobs) {
    std::size_t bytes = 0;
    for (const JobPtr& job : jobs) {
        bytes += job->document ? job->document->size() : 0;
    }
    return bytes;
}

std::vector<SeenJob> look_at(const std::vector<JobPtr>& jobs) {
    std::vector<SeenJob> seen;
    seen.reserve(jobs.size());
    for (const JobPtr& job : jobs) {
        seen.push_back({job, job->state, job->document});
    }
    return seen;
}

Refusal not_yet(std::chrono::seconds retry_after) {
    return {503,
            "not_yet",
            {ErrorCode::timeout, "there is no verdict yet; the evaluation goes on", "job",
             "ask again with the same request"},
            retry_after};
}

awaitable<bool> wait_for_all(Service& service, HttpExchange& exchange,
                             const std::vector<JobPtr>& jobs, std::chrono::milliseconds patience) {
    Bell bell(service.threads.io.get_executor());
    std::size_t pending = 0;
    std::vector<Interest> interests;
    for (const JobPtr& job : jobs) {
        if (job->state == JobState::pending) {
            ++pending;
            interests.push_back(service.jobs->join(job, [&pending, &bell] {
                --pending;
                bell.ring();
            }));
        }
    }
    const steady_clock::time_point until = steady_clock::now() + patience;
    while (pending > 0 && steady_clock::now() < until) {
        const Woken woken = co_await exchange.wait(bell, until);
        if (woken == Woken::gone) {
            hold(service, jobs);
            co_return false;
        }
    }
    for (const JobPtr& job : jobs) {
        if (job->state == JobState::pending) {
            service.jobs->keep(job);
        }
    }
    co_return true;
}

awaitable<TrainerJobs> evaluate_all(Service& service, HttpExchange& exchange, JobRequests& requests,
                                    std::chrono::milliseconds patience, bool kept) {
    TrainerJobs result;
    const Asker& from = exchange.asker;
    std::vector<const JobRequest*> all;
    for (const JobRequest& request : requests) {
        all.push_back(&request);
    }
    if (const Answered<void> room = service.jobs->check_room(from.client, all); !room) {
        result.refusal = room.error();
        co_return result;
    }
    for (JobRequest& request : requests) {
        Answered<JobPtr> job = service.jobs->submit(std::move(request), from, kept);
        if (!job) {
            result.refusal = job.error();
            break;
        }
        result.jobs.push_back(std::move(*job));
    }
    if (result.refusal) {
        // What was begun goes on for nobody: it ends when nobody joins.
        for (const JobPtr& job : result.jobs) {
            if (job->state == JobState::pending) {
                const Interest unused = service.jobs->join(job, [] {});
            }
        }
        result.jobs.clear();
        co_return result;
    }
    const bool there = co_await wait_for_all(service, exchange, result.jobs, patience);
    result.gone = !there;
    for (const JobPtr& job : result.jobs) {
        if (job->state == JobState::pending) {
            result.late = true;
        } else if (job->state != JobState::done && !result.refusal) {
            result.refusal = refusal_of(*job, service.jobs->retry_after());
        }
    }
    co_return result;
}

awaitable<TrainerJobs> evaluate_patiently(Service& service, HttpExchange& exchange,
                                          const JobRequests& requests,
                                          std::chrono::milliseconds refused_for,
                                          std::chrono::milliseconds patience, bool kept) {
    const steady_clock::time_point start = steady_clock::now();
    const steady_clock::time_point end = start + std::max(refused_for, patience);
    std::optional<steady_clock::time_point> refused;
    // For the next try, beside what the jobs have.
    const Counted copies(service, &Service::body_bytes, bytes_of(requests));
    std::chrono::milliseconds next_pause{1000};  // doubled: a candidate that kills workers is no
    TrainerJobs ended;                           // reason to do nothing else
    bool again = true;
    while (again) {
        JobRequests once = requests;
        ended = co_await evaluate_all(service, exchange, once, until_then(start + patience), kept);
        refused = refused.value_or(steady_clock::now());  // what waits long is not refused
        const std::chrono::milliseconds left = until_then(std::min(end, *refused + refused_for));
        again = ended.refusal && is_for_later(*ended.refusal) && left.count() > 0 &&
                !service.jobs->draining();
        if (again) {
            const std::chrono::milliseconds time =
                std::max(next_pause, std::chrono::milliseconds(*ended.refusal->retry_after));
            next_pause = std::min(2 * next_pause, k_longest_pause);
            again = co_await pause(service, exchange, std::min(time, left));
            ended.gone = !again;
        }
    }
    co_return ended;
}

void want_speedup(nlohmann::ordered_json& native) {
    nlohmann::ordered_json& scores = native["scores"];
    if (scores.is_null()) {
        scores = nlohmann::ordered_json::array();
    }
    // What is no list is refused when the request is read.
    if (scores.is_array() && std::find(scores.begin(), scores.end(), "speedup") == scores.end()) {
        scores.push_back("speedup");
    }
}

Answered<Reward> reward_of(const ServerJob& job) {
    Reward reward;
    nlohmann::json document = nlohmann::json::parse(*job.document, nullptr, false);
    reward.correct = document.value("correct", false);
    reward.value = reward.correct ? 1 : 0;
    if (!job.request.scores.empty()) {
        const nlohmann::json& score = document["scores"][job.request.scores.front()];
        reward.value = score.is_number() ? score.get<double>() : std::nan("");
    }
    if (!std::isfinite(reward.value)) {
        return tl::unexpected(
            Refusal{500,
                    "task_fault",
                    {ErrorCode::internal, "the score is no finite number", "job " + job.id,
                     "ask POST /v1/evaluate for the whole verdict"}});
    }
    reward.job = std::make_shared<const nlohmann::json>(std::move(document));
    return reward;
}

awaitable<Answered<JobRequests>> parse_trainer_body(Service& service, const std::string& body,
                                                    const ReadRequests& read) {
    const auto parse = [&]() -> Answered<JobRequests> {
        Answered<nlohmann::ordered_json> value = parse_body(body, "body");
        if (!value) {
            return tl::unexpected(value.error());
        }
        if (!value->is_object()) {
            return refuse(422, "invalid_request",
                          {ErrorCode::invalid_argument, "an object is needed here", "body", ""});
        }
        Answered<JobRequests> requests = read(*value);
        for (std::size_t i = 0; requests && !service.options.log && i < requests->size(); ++i) {
            give_back((*requests)[i].rollout);  // nobody will look at it
        }
        return requests;
    };
    co_return co_await run_where_it_fits(service, body.size(), parse);
}

awaitable<Answered<JobRequests>> read_trainer_body(Service& service, HttpExchange& exchange,
                                                   const ReadRequests& read) {
    Answered<JobRequests> requests =
        co_await parse_trainer_body(service, exchange.request.body, read);
    exchange.drop_body();
    co_return requests;
}

awaitable<HttpReply> write_trainer_answer(Service& service, const TrainerJobs& ended,
                                          const WriteRewards& write, std::size_t more_bytes) {
    if (ended.gone) {
        co_return HttpReply{};
    }
    if (ended.refusal) {
        co_return reply_of(*ended.refusal);
    }
    if (ended.late) {
        co_return reply_of(not_yet(service.jobs->retry_after()));
    }
    const auto written = [&]() -> Answered<std::string> {
        std::vector<Reward> rewards;
        for (const JobPtr& job : ended.jobs) {
            Answered<Reward> reward = reward_of(*job);
            if (!reward) {
                return tl::unexpected(reward.error());
            }
            rewards.push_back(std::move(*reward));
        }
        return write(rewards);
    };
    const std::size_t bytes = document_bytes(ended.jobs) + more_bytes;
    Answered<std::string> body = co_await run_where_it_fits(service, bytes, written);
    if (!body) {
        co_return reply_of(body.error());
    }
    co_return reply_of(200, std::move(*body));
}

awaitable<HttpReply> answer_trainer(Service& service, HttpExchange& exchange,
                                    const ReadRequests& read, const WriteRewards& write) {
    Answered<JobRequests> requests = co_await read_trainer_body(service, exchange, read);
    if (!requests) {
        co_return reply_of(requests.error());
    }
    // A key of its own for each, so that who asks again joins the job that there is.
    for (JobRequest& request : *requests) {
        if (request.idempotency_key.empty()) {
            request.idempotency_key = "trainer/" + request.digest().hex();
        }
    }
    const std::chrono::milliseconds patience = service.options.times.answer;
    const TrainerJobs ended =
        co_await evaluate_patiently(service, exchange, *requests, patience, patience);
    co_return co_await write_trainer_answer(service, ended, write);
}

}  // namespace atl
