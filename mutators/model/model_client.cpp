#include "mutators/model/model_client.hpp"

#include "mutators/model/model_queue.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <atomic>
#include <map>
#include <random>
#include <thread>
#include <utility>

namespace atl {

namespace {

namespace asio = boost::asio;

class HttpModelClient final : public ModelClient {
  public:
    explicit HttpModelClient(ModelClientOptions options)
        : m_options(std::move(options)), m_transfers(m_io, places_of(m_options.models)) {}

    ~HttpModelClient() override {
        m_io.stop();
        if (m_thread.joinable()) {
            m_thread.join();
        }
        for (auto& [name, queue] : m_queues) {
            queue->close();
        }
        m_work.reset();
        m_io.restart();
        m_io.poll();  // what was posted and not taken over yet
        for (auto& [name, queue] : m_queues) {
            queue->give_up();
        }
    }
    HttpModelClient(const HttpModelClient&) = delete;
    HttpModelClient& operator=(const HttpModelClient&) = delete;

    Status start() {
        const std::uint64_t seed =
            m_options.jitter_seed != 0 ? m_options.jitter_seed : std::random_device{}();
        for (const ModelSettings& settings : m_options.models) {
            ATOLL_TRY(check_model_settings(settings));
            if (m_queues.contains(settings.name)) {
                return failure(ErrorCode::invalid_argument, "the name stands twice",
                               "models." + settings.name);
            }
            Expected<ApiKey> key = ApiKey::find(settings.key_env, settings.key_file);
            if (!key) {
                key.error().where = "models." + settings.name + ": " + key.error().where;
                return tl::unexpected(std::move(key.error()));
            }
            m_queues[settings.name] = std::make_unique<ModelQueue>(
                m_io, m_transfers,
                ModelQueueOptions{settings, std::move(*key), m_options.back_off,
                                  seed + m_queues.size(), m_options.on_remark});
        }
        m_thread = std::thread([this] { m_io.run(); });
        return {};
    }

    void submit(ChatCall call, Done done) override {
        const auto found = m_queues.find(call.request.model);
        ++m_open;
        auto counted = [this, done = std::move(done)](Expected<ChatReply> reply) {
            --m_open;
            done(std::move(reply));
        };
        Status accepted = check_chat_request(call.request);
        if (accepted && found == m_queues.end()) {
            accepted = failure(ErrorCode::not_found, "there is no such model in the config",
                               "model '" + call.request.model + "'", known_names());
        }
        if (accepted && m_open > m_options.max_waiting) {
            accepted = failure(ErrorCode::limit,
                               "more than " + std::to_string(m_options.max_waiting) +
                                   " requests wait for an answer",
                               "model '" + call.request.model + "'", "ask for less at a time");
        }
        if (!accepted) {
            asio::post(m_io,
                       [counted, error = accepted.error()] { counted(tl::unexpected(error)); });
            return;
        }
        ModelQueue* queue = found->second.get();
        auto pending = queue->prepare(std::move(call), std::move(counted));
        asio::post(m_io, [queue, pending = std::move(pending)]() mutable {
            queue->add(std::move(pending));
        });
    }

    std::optional<ModelHealth> health(const std::string& model) const override {
        const auto found = m_queues.find(model);
        return found == m_queues.end() ? std::nullopt : std::optional(found->second->health());
    }

  private:
    static std::size_t places_of(const std::vector<ModelSettings>& models) {
        std::size_t places = 0;
        for (const ModelSettings& settings : models) {
            places += static_cast<std::size_t>(std::max(settings.in_flight, 0));
        }
        return std::max<std::size_t>(places, 1);
    }
    std::string known_names() const {
        std::string names = "there are:";
        for (const auto& [name, queue] : m_queues) {
            names += " " + name;
        }
        return names;
    }

    ModelClientOptions m_options;
    asio::io_context m_io{1};
    asio::executor_work_guard<asio::io_context::executor_type> m_work{m_io.get_executor()};
    HttpTransfers m_transfers;
    std::map<std::string, std::unique_ptr<ModelQueue>> m_queues;  // fixed once it runs
    std::atomic<std::size_t> m_open{0};
    std::thread m_thread;
};

}  // namespace

Expected<std::unique_ptr<ModelClient>> ModelClient::open(ModelClientOptions options) {
    auto client = std::make_unique<HttpModelClient>(std::move(options));
    ATOLL_TRY(client->start());
    return client;
}

}  // namespace atl
