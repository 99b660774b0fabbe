#include "reward/json_object.hpp"
#include "reward/server/read_requests.hpp"
#include "reward/server/routes.hpp"

#include <nlohmann/json.hpp>

#include <vector>

namespace atl {

namespace {

using boost::asio::awaitable;
using std::chrono::steady_clock;

constexpr std::size_t k_chunk_bytes = 256u << 10;
constexpr std::chrono::hours k_for_ever{24};

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
    Batch(Service& service, std::size_t count)
        : m_service(service), m_bell(m_service.threads.io.get_executor()), m_interests(count) {}

    void submit(std::size_t index, Answered<JobRequest> request, const Asker& from) {
        if (!request) {
            m_lines += error_line(index, request.error());
            return;
        }
        const Answered<JobPtr> job = m_service.jobs->submit(std::move(*request), from);
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

    awaitable<void> answer(HttpExchange& exchange) {
        if (!co_await exchange.send_head(200, "application/x-ndjson")) {
            co_return;
        }
        while (m_pending > 0 || !m_lines.empty() || !m_ended.empty()) {
            take_ended();
            bool there = true;
            if (m_lines.empty()) {
                const Woken woken =
                    co_await exchange.wait(m_bell, steady_clock::now() + k_for_ever);
                there = woken != Woken::gone;
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
    void take_ended() {
        while (!m_ended.empty() && m_lines.size() < k_chunk_bytes) {
            const std::size_t index = m_ended.front();
            m_ended.pop_front();
            m_lines += line_of(index, "job", *m_interests[index].job()->document);
            m_interests[index].release();
            --m_pending;
        }
    }

    Service& m_service;
    Bell m_bell;
    std::vector<Interest> m_interests;  // by index
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
    std::size_t bytes = 0;
    std::string client = exchange.asker.client;  // else the last one that is named
    for (const Answered<JobRequest>& request : *requests) {
        bytes += request ? request->bytes() : 0;
        client = request ? JobTable::asker_of(*request, exchange.asker).client : client;
    }
    // All or none: a trainer would otherwise have to sort out which ones to send again.
    if (Answered<void> room = service.jobs->check_room(client, requests->size(), bytes); !room) {
        co_return reply_of(room.error());
    }
    Batch batch(service, requests->size());
    for (std::size_t i = 0; i < requests->size(); ++i) {
        batch.submit(i, std::move((*requests)[i]), exchange.asker);
    }
    requests->clear();
    co_await batch.answer(exchange);
    co_return HttpReply{};
}

}  // namespace atl
