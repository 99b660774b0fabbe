/// How many requests can one process have in flight, what do they take, and how close to the ideal
/// does the client keep an endpoint busy? The endpoint is scripted, in a process of its own, and
/// answers each request after two seconds: 512 requests at a time for four rounds (memory), then 64
/// at a time for SECONDS (rate; ideal: 32 a second). Prompts have 32 KiB, replies 16 KiB. Fails
/// above 200 MB, or below 31.5 replies a second.
///
///     bench_model_client [SECONDS=60]

#include "mutators/model/model_client.hpp"
#include "tests/support/scripted_model.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>

namespace {

using namespace atl;
using std::chrono::steady_clock;

constexpr std::chrono::milliseconds k_delay{2000};
constexpr std::size_t k_prompt_bytes = 32 << 10;
constexpr std::size_t k_reply_bytes = 16 << 10;
constexpr double k_most_megabytes = 200;
constexpr double k_least_rate = 31.5;

/// The endpoint's process; writes its URL to `out` and serves until it is killed.
[[noreturn]] void serve(int out) {
    testing::ScriptedAnswer answer = testing::says(std::string(k_reply_bytes, 'x'));
    answer.delay = k_delay;
    const testing::ScriptedModel model([&](const auto&) { return answer; });
    const std::string url = model.url();
    static_cast<void>(::write(out, url.data(), url.size()) + ::close(out));
    while (true) {
        ::pause();
    }
}

/// Keeps `in_flight` requests before a model.
class Load {
  public:
    Load(const std::string& url, int in_flight) : m_in_flight(in_flight) {
        ModelClientOptions options;
        options.models.resize(1);
        options.models[0].name = "model";
        options.models[0].url = url;
        options.models[0].in_flight = in_flight;
        m_client = value_or_throw(ModelClient::open(std::move(options)));
    }
    /// Until the time or the count is reached; replies that came by then. 0: no limit.
    int run(std::chrono::seconds time, int count) {
        const auto end = steady_clock::now() + time;
        for (int i = 0; i < m_in_flight; ++i) {
            submit();
        }
        std::unique_lock lock(m_mutex);
        const auto enough = [&] { return count > 0 && m_replies >= count; };
        if (count > 0) {
            m_changed.wait(lock, enough);
        } else {
            m_changed.wait_until(lock, end, [] { return false; });
        }
        m_is_over = true;
        return m_replies;
    }
    [[nodiscard]] int errors() {
        const std::lock_guard lock(m_mutex);
        return m_errors;
    }

  private:
    void submit() {
        ChatCall call;
        call.request.model = "model";
        call.request.messages = {{ChatRole::user, std::string(k_prompt_bytes, 'x')}};
        m_client->submit(std::move(call), [this](const Expected<ChatReply>& reply) {
            {
                const std::lock_guard lock(m_mutex);
                m_replies += reply && !m_is_over ? 1 : 0;
                m_errors += !reply && !m_is_over ? 1 : 0;
                m_changed.notify_all();
                if (m_is_over) {
                    return;
                }
            }
            submit();
        });
    }

    int m_in_flight;
    std::mutex m_mutex;
    std::condition_variable m_changed;
    int m_replies = 0;
    int m_errors = 0;
    bool m_is_over = false;
    std::unique_ptr<ModelClient> m_client;  // last: its answers use the others
};

double peak_megabytes() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_maxrss) / 1024;
}

}  // namespace

int main(int argc, char** argv) {
    const int seconds = argc > 1 ? std::atoi(argv[1]) : 60;
    int pipe_ends[2];
    if (seconds < 5 || ::pipe(pipe_ends) != 0) {
        std::fprintf(stderr, "Usage: bench_model_client [SECONDS, at least 5]\n");
        return 2;
    }
    const pid_t server = ::fork();
    if (server == 0) {
        serve(pipe_ends[1]);
    }
    ::close(pipe_ends[1]);
    char bytes[256];
    const ssize_t size = ::read(pipe_ends[0], bytes, sizeof(bytes));
    const std::string url(bytes, static_cast<std::size_t>(size > 0 ? size : 0));

    const double before = peak_megabytes();
    int errors = 0;
    {
        Load load(url, 512);
        load.run(std::chrono::seconds(0), 4 * 512);
        errors += load.errors();
    }
    const double megabytes = peak_megabytes();
    std::printf("512 requests in flight: peak %.1f MB resident (%.1f before)\n", megabytes, before);
    int replies = 0;
    const auto begin = steady_clock::now();
    {
        Load load(url, 64);
        replies = load.run(std::chrono::seconds(seconds), 0);
        errors += load.errors();
    }
    const double span = std::chrono::duration<double>(steady_clock::now() - begin).count();
    // The first replies come after one delay: a steady window begins there.
    const double rate = replies / (span - std::chrono::duration<double>(k_delay).count());
    std::printf("64 requests of 2 s in flight, %.0f s: %.2f replies/s (ideal 32), %d errors\n",
                span, rate, errors);
    ::kill(server, SIGKILL);
    ::waitpid(server, nullptr, 0);
    return megabytes <= k_most_megabytes && rate >= k_least_rate && errors == 0 ? 0 : 1;
}
