#include "mutators/model/model_queue.hpp"

#include "mutators/model/chat_json.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace atl {

namespace {

namespace asio = boost::asio;
using std::chrono::steady_clock;

/// English and code have about so many bytes in a token.
constexpr double k_bytes_per_token = 4;
/// Where a request does not limit it.
constexpr double k_usual_completion_tokens = 2048;
/// Half of what is read from a record, where a reply is written anew.
constexpr std::size_t k_max_body_bytes = k_max_reply_bytes / 2;

/// What a request may take of the tokens per minute; put right when the usage is known.
double expected_tokens(const ChatRequest& request, std::size_t body_bytes) {
    const double completion =
        request.max_tokens ? static_cast<double>(*request.max_tokens) : k_usual_completion_tokens;
    return static_cast<double>(body_bytes) / k_bytes_per_token + completion * request.samples;
}

Error interrupted(const std::string& why) {
    return {ErrorCode::interrupted, why, "", ""};
}

}  // namespace

/// One request on its way.
class ModelQueue::Pending {
  public:
    using OnStop = std::function<void()>;

    ChatCall call;
    ChatModel::Done done;
    std::string body;
    double tokens = 0;                      ///< taken from the limit for each attempt
    int attempts = 0;                       ///< begun
    bool is_done = false;                   ///< `done` was called
    std::optional<std::uint64_t> transfer;  ///< while an attempt is under way
    std::optional<std::stop_callback<OnStop>> on_stop;
};

ModelQueue::ModelQueue(asio::io_context& io, HttpTransfers& transfers, ModelQueueOptions options)
    : m_io(io),
      m_transfers(transfers),
      m_options(std::move(options)),
      m_timer(io),
      m_jitter(m_options.jitter_seed),
      m_requests(m_options.settings.requests_per_minute, steady_clock::now()),
      m_tokens(m_options.settings.tokens_per_minute, steady_clock::now()) {}

ModelQueue::~ModelQueue() = default;

std::shared_ptr<ModelQueue::Pending> ModelQueue::prepare(ChatCall call, ChatModel::Done done) {
    const ModelSettings& settings = m_options.settings;
    auto pending = std::make_shared<Pending>();
    pending->body = write_chat_request(
        call.request,
        {settings.model.empty() ? settings.name : settings.model, settings.max_tokens_field});
    pending->tokens = expected_tokens(call.request, pending->body.size());
    pending->call = std::move(call);
    pending->done = std::move(done);
    return pending;
}

void ModelQueue::add(PendingPtr pending) {
    change_health([](ModelHealth& health) {
        ++health.requests;
        ++health.waiting;
    });
    m_fresh.push_back(pending);
    watch_cancel(pending);
    pump();
}

/// The token may ask on any thread, from now on or already.
void ModelQueue::watch_cancel(const PendingPtr& pending) {
    const std::weak_ptr<Pending> weak = pending;
    pending->on_stop.emplace(pending->call.cancel, [this, weak] {
        asio::post(m_io, [this, weak] {
            if (const PendingPtr still = weak.lock(); still && !still->is_done) {
                cancel(still);
            }
        });
    });
}

void ModelQueue::cancel(const PendingPtr& pending) {
    if (pending->transfer) {
        m_transfers.cancel(*pending->transfer);
    }
    finish(pending, tl::unexpected(described(interrupted("was cancelled"), pending->attempts)));
    pump();
}

void ModelQueue::give_up() {
    std::vector<PendingPtr> all(m_fresh.begin(), m_fresh.end());
    for (const auto& [time, pending] : m_again) {
        all.push_back(pending);
    }
    for (const auto& [key, pending] : m_in_flight) {
        m_transfers.cancel(*pending->transfer);
        all.push_back(pending);
    }
    for (const PendingPtr& pending : all) {
        finish(pending, tl::unexpected(
                            described(interrupted("the client was shut down"), pending->attempts)));
    }
}

/// Starts whatever may start now, and wakes again when the next one may.
void ModelQueue::pump() {
    const auto places = static_cast<std::size_t>(m_options.settings.in_flight);
    while (!m_is_closed && m_in_flight.size() < places) {
        const Time now = steady_clock::now();
        const PendingPtr next = next_due(now);
        if (!next) {
            return;
        }
        Time ready = std::max(m_held_until, m_requests.ready_at(now, 1));
        ready = std::max(ready, m_tokens.ready_at(now, next->tokens));
        if (ready > now) {
            wake_at(ready);
            return;
        }
        start(next, now);
    }
}

/// The one whose turn it is; nothing when none is due, and then the timer knows of the next.
ModelQueue::PendingPtr ModelQueue::next_due(Time now) {
    if (!m_again.empty() && m_again.begin()->first <= now) {
        return m_again.begin()->second;
    }
    if (!m_fresh.empty()) {
        return m_fresh.front();
    }
    if (!m_again.empty()) {
        wake_at(m_again.begin()->first);
    }
    return nullptr;
}

void ModelQueue::wake_at(Time time) {
    m_timer.expires_at(time);
    m_timer.async_wait([this](boost::system::error_code error) {
        if (!error) {
            pump();
        }
    });
}

void ModelQueue::start(const PendingPtr& pending, Time now) {
    if (!m_fresh.empty() && m_fresh.front() == pending) {
        m_fresh.pop_front();
    } else {
        m_again.erase(m_again.begin());
    }
    m_requests.take(now, 1);
    m_tokens.take(now, pending->tokens);
    ++pending->attempts;
    HttpPost post;
    post.url = completions_url(m_options.settings);
    post.body = pending->body;
    post.headers = {"Content-Type: application/json", "Accept: application/json"};
    if (!m_options.key.is_empty()) {
        post.headers.push_back(m_options.key.header());
    }
    post.timeout =
        std::chrono::milliseconds(static_cast<std::int64_t>(m_options.settings.timeout_s * 1000));
    post.max_body = k_max_body_bytes;
    m_in_flight[pending.get()] = pending;
    pending->transfer = m_transfers.start(std::move(post), [this, pending](HttpResult result) {
        attempt_ended(pending, std::move(result));
    });
    change_health([](ModelHealth& health) {
        ++health.attempts;
        --health.waiting;
        ++health.in_flight;
    });
}

void ModelQueue::attempt_ended(const PendingPtr& pending, HttpResult result) {
    auto judged = judge_attempt(std::move(result), pending->call.request.samples);
    if (judged) {
        succeed(pending, std::move(*judged));
    } else {
        fail(pending, std::move(judged.error()));
    }
    pump();
}

void ModelQueue::succeed(const PendingPtr& pending, ChatReply reply) {
    for (ChatChoice& choice : reply.choices) {
        m_options.key.remove_from(choice.content);
        m_options.key.remove_from(choice.reasoning);
    }
    m_options.key.remove_from(reply.served_by);
    if (reply.usage) {
        const auto used = static_cast<double>(reply.usage->prompt + reply.usage->completion);
        m_tokens.give_back(steady_clock::now(), pending->tokens - used);
    }
    note_reply();
    finish(pending, std::move(reply));
}

void ModelQueue::fail(const PendingPtr& pending, AttemptFailure failed) {
    const Time now = steady_clock::now();
    const std::optional<std::chrono::seconds> asked = failed.asked_to_wait;
    bool again = failed.may_try_again && pending->attempts < m_options.settings.attempts;
    if (asked && *asked > m_options.back_off.longest_asked) {
        again = false;
        failed.error.what +=
            "; it asks to wait " + std::to_string(asked->count()) + " s, and at most " +
            std::to_string(m_options.back_off.longest_asked.count()) + " s are waited";
    } else if (asked) {
        m_held_until = std::max(m_held_until, now + *asked);
    }
    m_tokens.give_back(now, pending->tokens);
    const Error error = described(std::move(failed.error), pending->attempts);
    note_failure(error);
    if (!again) {
        finish(pending, tl::unexpected(error));
        return;
    }
    const double draw = std::uniform_real_distribution<double>()(m_jitter);
    m_in_flight.erase(pending.get());
    pending->transfer.reset();
    m_again.emplace(now + m_options.back_off.pause(pending->attempts, asked, draw), pending);
    change_health([](ModelHealth& health) {
        --health.in_flight;
        ++health.waiting;
    });
}

/// Wherever it is, it is there no more.
void ModelQueue::finish(const PendingPtr& pending, Expected<ChatReply> reply) {
    const bool was_in_flight = m_in_flight.erase(pending.get()) > 0;
    if (!was_in_flight) {
        std::erase(m_fresh, pending);
        std::erase_if(m_again, [&](const auto& entry) { return entry.second == pending; });
    }
    change_health([&](ModelHealth& health) {
        --(was_in_flight ? health.in_flight : health.waiting);
        if (reply) {
            ++health.replies;
        } else {
            ++(reply.error().code == ErrorCode::interrupted ? health.cancelled : health.failures);
        }
    });
    pending->is_done = true;
    pending->on_stop.reset();
    pending->transfer.reset();
    // Whoever waits for it may hold what it refers to.
    const ChatModel::Done done = std::move(pending->done);
    done(std::move(reply));
}

Error ModelQueue::described(Error error, int attempts) const {
    error.where = "model '" + m_options.settings.name + "' at " + shown_url(m_options.settings);
    if (attempts > 1) {
        error.what += " (attempt " + std::to_string(attempts) + " of " +
                      std::to_string(m_options.settings.attempts) + ")";
    }
    m_options.key.remove_from(error.what);
    return error;
}

void ModelQueue::note_failure(const Error& error) {
    change_health([&](ModelHealth& health) {
        ++health.failed_in_a_row;
        health.last_error = error.message();
    });
    if (!std::exchange(m_is_failing, true) && m_options.on_remark) {
        m_options.on_remark(error.message());
    }
}

void ModelQueue::note_reply() {
    change_health([](ModelHealth& health) { health.failed_in_a_row = 0; });
    if (std::exchange(m_is_failing, false) && m_options.on_remark) {
        m_options.on_remark("model '" + m_options.settings.name + "' answers again");
    }
}

ModelHealth ModelQueue::health() const {
    const std::lock_guard lock(m_mutex);
    return m_health;
}

template <class Change>
void ModelQueue::change_health(Change change) {
    const std::lock_guard lock(m_mutex);
    change(m_health);
}

}  // namespace atl
