#pragma once

#include "mutators/model/api_key.hpp"
#include "mutators/model/attempt.hpp"
#include "mutators/model/back_off.hpp"
#include "mutators/model/chat_model.hpp"
#include "mutators/model/model_client.hpp"
#include "mutators/model/model_settings.hpp"
#include "mutators/model/token_bucket.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <stop_token>
#include <string>

namespace atl {

struct ModelQueueOptions {
    ModelSettings settings;
    ApiKey key;
    BackOff back_off;
    std::uint64_t jitter_seed = 1;
    std::function<void(const std::string&)> on_remark;
};

/// The requests to one model, from waiting to the last attempt. Belongs to the thread that runs
/// `io`, but for prepare() and health(), which any may call.
class ModelQueue {
  public:
    class Pending;

    ModelQueue(boost::asio::io_context& io, HttpTransfers& transfers, ModelQueueOptions options);
    ~ModelQueue();
    ModelQueue(const ModelQueue&) = delete;
    ModelQueue& operator=(const ModelQueue&) = delete;

    /// What add() takes; the long work of it (writing the body) is done here.
    [[nodiscard]] std::shared_ptr<Pending> prepare(ChatCall call, ChatModel::Done done);
    void add(std::shared_ptr<Pending> pending);
    /// Nothing is started any more.
    void close() { m_is_closed = true; }
    /// Answers all that is there with an error of code interrupted.
    void give_up();
    [[nodiscard]] ModelHealth health() const;

  private:
    using Time = std::chrono::steady_clock::time_point;
    using PendingPtr = std::shared_ptr<Pending>;

    void watch_cancel(const PendingPtr& pending);
    void cancel(const PendingPtr& pending);
    void pump();
    [[nodiscard]] PendingPtr next_due(Time now);
    void wake_at(Time time);
    void start(const PendingPtr& pending, Time now);
    void attempt_ended(const PendingPtr& pending, HttpResult result);
    void succeed(const PendingPtr& pending, ChatReply reply);
    void fail(const PendingPtr& pending, AttemptFailure failed);
    void finish(const PendingPtr& pending, Expected<ChatReply> reply);
    [[nodiscard]] Error described(Error error, int attempts) const;
    void note_failure(const Error& error);
    void note_reply();
    template <class Change>
    void change_health(Change change);

    boost::asio::io_context& m_io;
    HttpTransfers& m_transfers;
    ModelQueueOptions m_options;
    boost::asio::steady_timer m_timer;
    std::mt19937_64 m_jitter;
    std::deque<PendingPtr> m_fresh;
    std::multimap<Time, PendingPtr> m_again;  ///< by when they may
    std::map<const Pending*, PendingPtr> m_in_flight;
    TokenBucket m_requests;
    TokenBucket m_tokens;
    Time m_held_until{};  ///< as the endpoint asked
    bool m_is_failing = false;
    bool m_is_closed = false;
    mutable std::mutex m_mutex;  ///< of m_health
    ModelHealth m_health;
};

}  // namespace atl
