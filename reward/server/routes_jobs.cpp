#include "reward/server/job_document.hpp"
#include "reward/server/job_reply.hpp"
#include "reward/server/read_requests.hpp"
#include "reward/server/routes.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>

namespace atl {

namespace {

using boost::asio::awaitable;
using std::chrono::steady_clock;

constexpr std::chrono::seconds k_longest_wait{3600};

/// ?wait=S; no other key is known.
Answered<std::chrono::milliseconds> read_wait(const HttpRequest& request,
                                              std::chrono::milliseconds otherwise) {
    for (const auto& [key, value] : request.query) {
        if (key != "wait") {
            return refuse(400, "invalid_request",
                          {ErrorCode::invalid_argument, "unknown parameter '" + key + "'", "query",
                           "the only one is wait=SECONDS"});
        }
    }
    const auto found = request.query.find("wait");
    if (found == request.query.end()) {
        return otherwise;
    }
    double seconds = -1;
    const std::string& text = found->second;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc() || end != text.data() + text.size() ||
        !(seconds >= 0 && seconds <= static_cast<double>(k_longest_wait.count()))) {
        return refuse(400, "invalid_request",
                      {ErrorCode::invalid_argument, "'" + text + "' is no time to wait",
                       "query: wait", "seconds from 0 to 3600"});
    }
    return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

Answered<JobRequest> read_request(const Service& service, const std::string& body) {
    Answered<nlohmann::ordered_json> value = parse_body(body, "body");
    if (!value) {
        return tl::unexpected(value.error());
    }
    return parse_job_request(*value, "body", service.offer);
}

/// True when the job has ended or the time is over; false when the client has gone.
awaitable<bool> wait_for(Service& service, HttpExchange& exchange, const JobPtr& job,
                         std::chrono::milliseconds wait) {
    if (job->state != JobState::pending || wait.count() == 0) {
        co_return true;
    }
    const steady_clock::time_point until = steady_clock::now() + wait;
    Bell bell(service.threads.io.get_executor());
    const Interest interest = service.jobs->join(job, [&bell] { bell.ring(); });
    while (job->state == JobState::pending && steady_clock::now() < until) {
        const Woken woken = co_await exchange.wait(bell, until);
        if (woken == Woken::gone) {
            co_return false;
        }
    }
    if (job->state == JobState::pending) {
        service.jobs->keep(job);  // the client has its id, or gets it now
    }
    co_return true;
}

}  // namespace

awaitable<HttpReply> post_evaluate(Service& service, HttpExchange& exchange) {
    const auto wait = read_wait(exchange.request, service.options.times.answer);
    if (!wait) {
        co_return reply_of(wait.error());
    }
    const std::string& body = exchange.request.body;
    // Named, here and elsewhere: of temporaries in a co_await g++ 12 destroys some twice.
    const auto read = [&] { return read_request(service, body); };
    Answered<JobRequest> request = co_await run_where_it_fits(service, body.size(), read);
    if (!request) {
        co_return reply_of(request.error());
    }
    if (!exchange.request.idempotency_key.empty()) {
        request->idempotency_key = exchange.request.idempotency_key;
    }
    exchange.drop_body();
    const Answered<JobPtr> job =
        service.jobs->submit(std::move(*request), exchange.asker, wait->count() == 0);
    if (!job) {
        co_return reply_of(job.error());
    }
    if (!co_await wait_for(service, exchange, *job, *wait)) {
        co_return HttpReply{};
    }
    co_return reply_to_waiting(**job, service.jobs->retry_after());
}

awaitable<HttpReply> get_job(Service& service, HttpExchange& exchange) {
    const auto wait = read_wait(exchange.request, std::chrono::milliseconds(0));
    if (!wait) {
        co_return reply_of(wait.error());
    }
    const JobPtr job = service.jobs->find(exchange.parameter);
    if (!job) {
        co_return reply_of(unknown_job());
    }
    if (!co_await wait_for(service, exchange, job, *wait)) {
        co_return HttpReply{};
    }
    co_return reply_about(*job);
}

awaitable<HttpReply> delete_job(Service& service, HttpExchange& exchange) {
    const JobPtr job = service.jobs->find(exchange.parameter);
    if (!job) {
        co_return reply_of(unknown_job());
    }
    service.jobs->keep(job);
    service.jobs->cancel(job, "a client asked for it");
    co_return reply_about(*job);
}

HttpReply reply_about(const ServerJob& job) {
    return job.document ? HttpReply{200, job.document} : reply_of(200, pending_document(job));
}

HttpReply reply_to_waiting(const ServerJob& job, std::chrono::seconds retry_after) {
    if (job.state == JobState::pending) {
        return reply_of(202, pending_document(job));
    }
    if (job.state == JobState::done) {
        return {200, job.document};
    }
    const Refusal refusal = refusal_of(job, retry_after);
    std::string body = to_json(refusal);
    body.pop_back();
    HttpReply reply = reply_of(refusal.status, body + ",\"job\":" + *job.document + "}");
    reply.retry_after = refusal.retry_after;
    return reply;
}

Refusal refusal_of(const ServerJob& job, std::chrono::seconds retry_after) {
    if (job.state == JobState::cancelled) {
        return {409,
                "cancelled",
                {ErrorCode::interrupted, "the job was cancelled", "job " + job.id, ""}};
    }
    switch (job.fault_code) {
        case ErrorCode::timeout:
            return {504,
                    "deadline",
                    {job.fault_code, "the deadline passed before there was a verdict",
                     "job " + job.id, "allow more time, or ask for less at once"},
                    retry_after};
        case ErrorCode::invalid_argument:
        case ErrorCode::not_found:
            return {500,
                    "task_fault",
                    {job.fault_code, "the task itself is at fault: there is no verdict",
                     "job " + job.id, "see job.fault; `atoll task check` says more"}};
        default:
            return {503,
                    "no_verdict",
                    {job.fault_code, "a fault of the server: there is no verdict, and so no reward",
                     "job " + job.id, "try again; see job.fault"},
                    retry_after};
    }
}

Refusal unknown_job() {
    return {404,
            "unknown_job",
            {ErrorCode::not_found, "there is no such job, or none any more", "path",
             "answers are kept for a while only; ids come from POST /v1/evaluate?wait=0"}};
}

}  // namespace atl
