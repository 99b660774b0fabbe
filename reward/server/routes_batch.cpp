#include "reward/json_object.hpp"
#include "reward/server/give_back.hpp"
#include "reward/server/read_requests.hpp"
#include "reward/server/routes.hpp"

#include <nlohmann/json.hpp>

#include <vector>

namespace atl {

namespace {

using boost::asio::awaitable;
using std::chrono::steady_clock;

constexpr std::size_t k_chunk_bytes = 256u << 10;

using Requests = std::vector<Answered<JobRequest>>;

Answered<Requests> read_batch(const Service& service, const std::string& body) {
    Answered<nlohmann::ordered_json> value = parse_body(body, "body");
    if (!value) {
        return tl::unexpected(value.error());
    }
    std::optional<Error> error;
    JsonObject object(*value, "body", error);
    const nlohmann::ordered_json& list = object.raw("requests");
    if (!list.is_array()) {
        object.fail("requests", "a list of requests is needed here");
    }
    object.refuse_other_keys();
    if (error) {
        return refuse(422, "invalid_request", *error);
    }
    const std::size_t most = service.options.sizes.batch_requests;
    if (list.size() > most) {
        return refuse(413, "too_large",
                      {ErrorCode::limit, "a batch of " + std::to_string(list.size()) + " requests",
                       "body: requests", "send at most " + std::to_string(most) + " at once"});
    }
    Requests requests;
    for (std::size_t i = 0; i < list.size(); ++i) {
        requests.push_back(
            parse_job_request(list[i], "body: requests[" + std::to_string(i) + "]", service.offer));
    }
    return requests;
}

std::string line_of(std::size_t index, const char* key, const std::string& json) {
    return "{\"index\":" + std::to_string(index) + ",\"" + key + "\":" + json + "}\n";
}

/// The refusal's own object, without the braces around it.
std::string error_line(std::size_t index, const Refusal& refusal) {
    return "{\"index\":" + std::to_string(index) + "," + to_json(refusal).substr(1) + "\n";
}

/// The jobs of one batch, and which of them have ended and are not told yet.
class Batch {
  public:
    Batch(Service& service, Requests requests, Asker from)
        : m_service(service),
          m_from(std::move(from)),
          m_requests(std::move(requests)),
          m_bell(m_service.threads.io.get_executor()),
          m_interests(m_requests.size()) {}

    /// All or none: a trainer would otherwise have to sort out which ones to send again.
    [[nodiscard]] Answered<void> check_room() const {
        std::vector<const JobRequest*> all;
        std::string client = m_from.client;  // else the last one that is named
        for (const Answered<JobRequest>& request : m_requests) {
            if (request) {
                all.push_back(&*request);
                client = JobTable::asker_of(*request, m_from).client;
            }
        }
        return m_service.jobs->check_room(client, all);
    }

    /// Begins what has to be evaluated. The others have their answers, and thousands of these would
    /// fill the memory of a client that does not read them: so they are written as it takes them.
    void begin() {
        std::size_t bytes = 0;
        for (std::size_t i = 0; i < m_requests.size(); ++i) {
            const Answered<JobRequest>& request = m_requests[i];
            if (request && !m_service.jobs->is_answered(*request)) {
                submit(i);
            } else {
                bytes += request ? request->bytes() : 0;
                m_answered.push_back(i);
            }
        }
        m_kept.set(bytes);
    }

    awaitable<void> answer(HttpExchange& exchange) {
        if (!co_await exchange.send_head(200, "application/x-ndjson")) {
            co_return;
        }
        while (m_pending > 0 || !m_lines.empty() || !m_answered.empty()) {
            take_ended();
            take_answered();
            bool there = true;
            if (m_lines.empty()) {
                const steady_clock::time_point until =
                    steady_clock::now() + m_service.options.times.heartbeat;
                const Woken woken = co_await exchange.wait(m_bell, until);
                there = woken != Woken::gone;
                m_lines = woken == Woken::late ? "\n" : "";
            } else {
                const std::string lines = std::exchange(m_lines, {});
                there = co_await exchange.send_chunk(lines);
            }
            if (!there) {
                co_return;
            }
        }
    }

  private:
    void submit(std::size_t index) {
        Answered<JobRequest>& request = m_requests[index];
        if (!request) {
            m_lines += error_line(index, request.error());
            return;
        }
        const Answered<JobPtr> job =
            m_service.jobs->submit(std::move(*request), m_from, false, true);
        if (!job) {
            m_lines += error_line(index, job.error());
        } else if ((*job)->state != JobState::pending) {
            m_lines += line_of(index, "job", *(*job)->document);
        } else {
            ++m_pending;
            m_interests[index] = m_service.jobs->join(*job, [this, index] {
                m_ended.push_back(index);
                m_bell.ring();
            });
        }
    }

    void take_ended() {
        while (!m_ended.empty() && m_lines.size() < k_chunk_bytes) {
            const std::size_t index = m_ended.front();
            m_ended.pop_front();
            m_lines += line_of(index, "job", *m_interests[index].job()->document);
            m_interests[index].release();
            --m_pending;
        }
    }

    void take_answered() {
        while (!m_answered.empty() && m_lines.size() < k_chunk_bytes) {
            submit(m_answered.front());
            m_answered.pop_front();
        }
        if (m_answered.empty()) {
            give_back(m_requests);
            m_kept.set(0);
        }
    }

    Service& m_service;
    Asker m_from;
    Requests m_requests;
    Bell m_bell;
    std::vector<Interest> m_interests;   // by index
    std::deque<std::size_t> m_answered;  // and not told yet
    Counted m_kept{m_service, &Service::body_bytes, 0};
    std::deque<std::size_t> m_ended;
    std::string m_lines;
    std::size_t m_pending = 0;
};

}  // namespace

awaitable<HttpReply> post_batch(Service& service, HttpExchange& exchange) {
    const std::string& body = exchange.request.body;
    const auto read = [&] { return read_batch(service, body); };
    Answered<Requests> requests = co_await run_where_it_fits(service, body.size(), read);
    if (!requests) {
        co_return reply_of(requests.error());
    }
    exchange.drop_body();
    Batch batch(service, std::move(*requests), exchange.asker);
    if (const Answered<void> room = batch.check_room(); !room) {
        co_return reply_of(room.error());
    }
    batch.begin();
    co_await batch.answer(exchange);
    co_return HttpReply{};
}

}  // namespace atl
