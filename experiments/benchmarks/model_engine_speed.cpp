/// How many children does the engine make in a second with the operator `rewrite`, of which each is
/// a prompt, a reply and a new source? The campaign is run as `atoll run` does it: journal with
/// fsync, snapshots, lineage.h5 streamed live. The evaluator answers at once.
///
///     bench_model_engine instant [CHILDREN=100000]   the model answers at once, in this process
///     bench_model_engine endpoint [SECONDS=300]      64 requests at a time to an HTTP endpoint in
///                                                    a process of its own that takes 2 s for each
///
/// Prints the rate of each tenth (instant) or of each 10 s (endpoint). Fails below 2,000 children/s
/// in any tenth, or below 31.5 over the time after the first 10 s (ideal: 32).

#include "experiments/benchmarks/instant_evaluator.hpp"
#include "mutators/model/model_client.hpp"
#include "mutators/operators/model_operators.hpp"
#include "population/lineage/lineage_stream.hpp"
#include "population/run_folder.hpp"
#include "population/snapshot.hpp"
#include "search/engine.hpp"
#include "tests/support/scripted_model.hpp"

#include <nlohmann/json.hpp>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace fs = std::filesystem;

namespace {

using namespace atl;
using Clock = std::chrono::steady_clock;

constexpr double k_least_instant = 2000;
constexpr double k_least_endpoint = 31.5;
constexpr int k_in_flight = 64;
constexpr std::chrono::milliseconds k_delay{2000};
constexpr double k_warm_up_s = 10;

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

double thread_seconds() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// About 2 KB of source, as many kernels have.
TaskPtr synthetic_task() {
    std::string body = "// region: body\n";
    for (int line = 0; line < 40; ++line) {
        body += "    sum[" + std::to_string(line) + "] += a[i * 3] * b[i + " +
                std::to_string(line) + "];\n";
    }
    auto task = std::make_shared<Task>();
    task->name = "synthetic";
    task->kind = "cpu_cpp";
    task->folder = fs::temp_directory_path();
    task->starters = {{"first", body + "// endregion: body\nint version = 0;\n"}};
    Workload workload;
    workload.id = "w0";
    task->workloads = {workload};
    return task;
}

/// What a model answers: the program of the prompt with another number in its last line.
std::string child_of(const std::string& prompt, std::uint64_t number) {
    const std::size_t end = prompt.find("\n```\n");
    const std::size_t begin = prompt.find('\n', prompt.rfind("```cpp", end)) + 1;
    std::string source = prompt.substr(begin, end - begin);
    source.resize(source.rfind('\n') + 1);
    return "Change: another number\n```cpp\n" + source + "int version = " + std::to_string(number) +
           ";\n```\n";
}

/// Answers at once, on a thread of its own.
class InstantModel final : public ChatModel {
  public:
    InstantModel() : m_thread([this] { serve(); }) {}
    ~InstantModel() override {
        {
            const std::lock_guard lock(m_mutex);
            m_closed = true;
        }
        m_changed.notify_all();
        m_thread.join();
    }
    InstantModel(const InstantModel&) = delete;
    InstantModel& operator=(const InstantModel&) = delete;

    void submit(ChatCall call, Done done) override {
        {
            const std::lock_guard lock(m_mutex);
            m_calls.emplace_back(std::move(call), std::move(done));
        }
        m_changed.notify_all();
    }

  private:
    void serve() {
        std::unique_lock lock(m_mutex);
        while (true) {
            m_changed.wait(lock, [this] { return m_closed || !m_calls.empty(); });
            if (m_calls.empty()) {
                return;
            }
            auto [call, done] = std::move(m_calls.front());
            m_calls.pop_front();
            lock.unlock();
            ChatReply reply;
            reply.choices = {{child_of(call.request.messages.back().content, ++m_number), "",
                              FinishReason::stop}};
            reply.usage = TokenUsage{1500, 1000, 700, 0};
            done(std::move(reply));
            lock.lock();
        }
    }

    std::mutex m_mutex;
    std::condition_variable m_changed;
    std::deque<std::pair<ChatCall, Done>> m_calls;
    bool m_closed = false;
    std::uint64_t m_number = 0;
    std::thread m_thread;  // last: starts when everything else is there
};

/// An endpoint in a process of its own.
class Endpoint {
  public:
    Endpoint() {
        int ends[2];
        if (::pipe(ends) != 0) {
            throw std::runtime_error("pipe");
        }
        m_pid = ::fork();
        if (m_pid == 0) {
            serve(ends[1]);
        }
        ::close(ends[1]);
        char text[256] = {};
        const ssize_t size = ::read(ends[0], text, sizeof(text) - 1);
        ::close(ends[0]);
        m_url.assign(text, size > 0 ? static_cast<std::size_t>(size) : 0);
    }
    ~Endpoint() {
        ::kill(m_pid, SIGKILL);
        ::waitpid(m_pid, nullptr, 0);
    }
    Endpoint(const Endpoint&) = delete;
    Endpoint& operator=(const Endpoint&) = delete;
    [[nodiscard]] const std::string& url() const { return m_url; }

  private:
    [[noreturn]] static void serve(int out) {
        std::atomic<std::uint64_t> number = 0;
        const testing::ScriptedModel model([&](const testing::ScriptedRequest& request) {
            const auto body = nlohmann::json::parse(request.body);
            testing::ScriptedAnswer answer =
                testing::says(child_of(body["messages"].back()["content"], ++number));
            answer.delay = k_delay;
            return answer;
        });
        const std::string url = model.url();
        static_cast<void>(::write(out, url.data(), url.size()) + ::close(out));
        while (true) {
            ::pause();
        }
    }

    pid_t m_pid = -1;
    std::string m_url;
};

class Meter final : public EngineObserver {
  public:
    /// `due`: given children and seconds since the last line, whether another is due.
    Meter(const JournalWriter& journal, LineageStream& stream,
          std::function<bool(std::uint64_t, double)> due)
        : m_journal(journal), m_stream(stream), m_due(std::move(due)) {}

    void on_event(const Event&, const CampaignState&) override {}
    void on_sync(const CampaignState& state) override {
        m_stream.nudge(m_journal.position());
        const std::uint64_t children = state.individuals().size();
        const double seconds = seconds_since(m_time);
        if (!m_due(children - m_noted, seconds)) {
            return;
        }
        rates.push_back(static_cast<double>(children - m_noted) / seconds);
        std::printf("%9llu children  %7.1f/s  engine's thread %4.0f us each  journal %5.0f MB\n",
                    static_cast<unsigned long long>(children), rates.back(),
                    1e6 * (thread_seconds() - m_thread) / static_cast<double>(children - m_noted),
                    static_cast<double>(m_journal.position()) / 1e6);
        std::fflush(stdout);
        if (seconds_since(m_begin) > k_warm_up_s && m_warm_children == 0) {
            m_warm_children = children;
            m_warm_time = Clock::now();
        }
        steady = m_warm_children == 0
                     ? 0
                     : static_cast<double>(children - m_warm_children) / seconds_since(m_warm_time);
        m_noted = children;
        m_time = Clock::now();
        m_thread = thread_seconds();
    }
    void on_tick(const CampaignState&, std::int64_t) override {}
    void on_remark(std::string_view text) override {
        std::printf("remark: %.*s\n", static_cast<int>(text.size()), text.data());
    }

    std::vector<double> rates;
    double steady = 0;  ///< since the warm-up

  private:
    const JournalWriter& m_journal;
    LineageStream& m_stream;
    std::function<bool(std::uint64_t, double)> m_due;
    std::uint64_t m_noted = 0;
    std::uint64_t m_warm_children = 0;
    Clock::time_point m_begin = Clock::now();
    Clock::time_point m_time = m_begin;
    Clock::time_point m_warm_time = m_begin;
    double m_thread = thread_seconds();
};

struct Campaign {
    CampaignConfig config;
    ChatModel* model = nullptr;
    std::function<bool(std::uint64_t, double)> due;
};

CampaignConfig config_for(const std::string& url) {
    CampaignConfig config;
    ModelSettings model;
    model.name = "model";
    model.url = url;
    model.in_flight = k_in_flight;
    config.models = {model};
    config.mix.bandit = "fixed";
    config.mix.weights = {{"rewrite", 1}};
    config.confirm.share = 0;
    return config;
}

/// Runs the campaign and gives back what it measured.
Meter run(Campaign campaign, const fs::path& folder) {
    const RunFolder run = value_or_throw(RunFolder::create(folder / "run"));
    const auto journal = value_or_throw(JournalWriter::open(run.journal()));
    const auto stream =
        LineageStream::start({.run = run.path(),
                              .mode = LineageMode::live,
                              .durable = journal->position(),
                              .on_failure = [](const Error& error) {
                                  std::printf("lineage.h5: %s\n", error.message().c_str());
                              }});
    const TaskPtr task = synthetic_task();
    InstantEvaluator evaluator;
    value_or_throw(resolve_config(campaign.config, *task, evaluator));
    Meter meter(*journal, *stream, campaign.due);
    Ledger::Options ledger;
    ledger.snapshot_every = static_cast<std::uint64_t>(campaign.config.engine.snapshot_every);
    ledger.snapshot = [&](const CampaignState& state, std::uint64_t position) {
        return write_snapshot(run, state, position);
    };
    ledger.observer = &meter;
    StopSignal stop;
    const SystemClock clock;
    OperatorRegistry operators = value_or_throw(campaign_operators(*task, {}));
    const EngineReport ended = value_or_throw(run_engine(
        {campaign.config, task, evaluator, *journal, CampaignState(state_settings(campaign.config)),
         clock, stop, std::move(ledger), "bench", std::move(operators), campaign.model}));
    std::printf("%s: %zu individuals, %llu calls\n", ended.reason.c_str(),
                ended.state.individuals().size(),
                static_cast<unsigned long long>(ended.state.exchanged().at("model").calls));
    value_or_throw(stream->finish());
    return meter;
}

int bench_instant(std::uint64_t children, const fs::path& folder) {
    InstantModel model;
    Campaign campaign{config_for("http://127.0.0.1:1/v1"), &model, {}};
    campaign.config.stop.max_evaluations = static_cast<std::int64_t>(children);
    campaign.due = [children](std::uint64_t made, double) { return made >= children / 10; };
    const Meter meter = run(std::move(campaign), folder);
    double slowest = meter.rates.empty() ? 0 : meter.rates.front();
    for (const double rate : meter.rates) {
        slowest = std::min(slowest, rate);
    }
    std::printf("%s: slowest tenth %.0f children/s, at least %.0f\n",
                slowest >= k_least_instant ? "passed" : "FAILED", slowest, k_least_instant);
    return slowest >= k_least_instant ? 0 : 1;
}

int bench_endpoint(double seconds, const fs::path& folder) {
    const Endpoint endpoint;  // before there are threads
    Campaign campaign{config_for(endpoint.url()), nullptr, {}};
    campaign.config.stop.seconds = seconds + k_warm_up_s;
    ModelClientOptions options;
    options.models = campaign.config.models;
    const auto client = value_or_throw(ModelClient::open(std::move(options)));
    campaign.model = client.get();
    campaign.due = [](std::uint64_t, double passed) { return passed >= 10; };
    const Meter meter = run(std::move(campaign), folder);
    std::printf("%s: %.2f children/s in the steady time, at least %.1f, ideal 32\n",
                meter.steady >= k_least_endpoint ? "passed" : "FAILED", meter.steady,
                k_least_endpoint);
    return meter.steady >= k_least_endpoint ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const std::string mode = argc > 1 ? argv[1] : "";
        std::string name = (fs::temp_directory_path() / "atoll_engine_XXXXXX").string();
        const fs::path folder = ::mkdtemp(name.data());
        int status = 2;
        if (mode == "instant") {
            status = bench_instant(argc > 2 ? std::stoull(argv[2]) : 100'000, folder);
        } else if (mode == "endpoint") {
            status = bench_endpoint(argc > 2 ? std::stod(argv[2]) : 300, folder);
        } else {
            std::fprintf(stderr, "bench_model_engine instant [CHILDREN] | endpoint [SECONDS]\n");
        }
        fs::remove_all(folder);
        return status;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "bench_model_engine: %s\n", error.what());
        return 2;
    }
}
