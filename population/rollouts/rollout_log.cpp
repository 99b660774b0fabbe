#include "population/rollouts/rollout_log.hpp"

#include "population/journal/journal.hpp"
#include "population/lineage/lineage_stream.hpp"
#include "population/run_folder.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace atl {

namespace {

constexpr std::chrono::seconds k_try_again{1};

std::int64_t wall_ns() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

/// Little-endian, as everything that is stored.
template <class T>
std::string bytes_of(const std::vector<T>& values) {
    static_assert(sizeof(T) == sizeof(std::uint32_t));
    std::string bytes;
    bytes.reserve(values.size() * sizeof(T));
    for (const T& value : values) {
        std::uint32_t word = 0;
        std::memcpy(&word, &value, sizeof word);
        for (int shift = 0; shift < 32; shift += 8) {
            bytes.push_back(static_cast<char>(word >> shift & 0xff));
        }
    }
    return bytes;
}

struct Journal {
    RunFolder folder;
    std::unique_ptr<JournalWriter> writer;
    std::uint64_t rollouts = 0;  ///< recorded by earlier servers
};

/// Reads a log that is there, to go on with it.
Expected<Journal> go_on(RunFolder folder) {
    ATOLL_TRY_ASSIGN(auto reader, JournalReader::open(folder.journal()));
    std::uint64_t rollouts = 0;
    ATOLL_TRY(reader->for_each(0, [&](const JournalReader::Entry& entry) -> Status {
        if (std::holds_alternative<RolloutRecorded>(entry.event)) {
            ++rollouts;
        } else if (!std::holds_alternative<LogOpened>(entry.event)) {
            return failure(ErrorCode::already_exists, "holds a campaign, not a server's log",
                           folder.path().string(), "choose another folder with --log");
        }
        return {};
    }));
    const std::filesystem::path path = folder.journal();
    ATOLL_TRY_ASSIGN(auto writer, JournalWriter::open_after(path, std::move(reader)));
    return Journal{std::move(folder), std::move(writer), rollouts};
}

Expected<Journal> open_journal(const std::filesystem::path& path) {
    Expected<RunFolder> known = RunFolder::open(path);
    if (known) {
        return go_on(std::move(*known));
    }
    if (known.error().code != ErrorCode::not_found) {
        return tl::unexpected(known.error());
    }
    ATOLL_TRY_ASSIGN(RunFolder folder, RunFolder::create(path));
    const std::filesystem::path journal = folder.journal();
    ATOLL_TRY_ASSIGN(auto writer, JournalWriter::open(journal));
    return Journal{std::move(folder), std::move(writer), 0};
}

class JournalledLog final : public EvaluationLog {
  public:
    JournalledLog(Journal journal, std::function<void(const std::string&)> say)
        : m_folder(std::move(journal.folder)),
          m_journal(std::move(journal.writer)),
          m_say(std::move(say)),
          m_next(journal.rollouts),
          m_stream(LineageStream::start({.run = m_folder.path(),
                                         .mode = LineageMode::live,
                                         .durable = m_journal->position(),
                                         .on_failure =
                                             [this](const Error& error) {
                                                 m_say(
                                                     "the log's data set is not written any "
                                                     "more (`atoll lineage LOG rebuild` makes it "
                                                     "later): " +
                                                     error.message());
                                             }})),
          m_thread([this] { run(); }) {}

    ~JournalledLog() override { finish(); }
    JournalledLog(const JournalledLog&) = delete;
    JournalledLog& operator=(const JournalledLog&) = delete;

    void record(EvaluationRecord record, std::function<void(bool)> done) override {
        {
            const std::scoped_lock lock(m_mutex);
            if (!m_stopping) {
                const std::size_t bytes = record.bytes();
                m_waiting_bytes += bytes;
                m_waiting.push_back({std::move(record), wall_ns(), bytes, std::move(done)});
                m_wake.notify_one();
                return;
            }
        }
        ++m_lost;
        done(false);
    }

    [[nodiscard]] std::size_t waiting_bytes() const override {
        const std::scoped_lock lock(m_mutex);
        return m_waiting_bytes;
    }
    [[nodiscard]] Stats stats() const override { return {m_recorded, m_lost, m_failing}; }

    void finish() override {
        {
            const std::scoped_lock lock(m_mutex);
            m_stopping = true;
        }
        m_wake.notify_one();
        if (m_thread.joinable()) {
            m_thread.join();
            static_cast<void>(m_stream->finish());  // a failure was said
        }
    }

  private:
    struct Waiting {
        EvaluationRecord record;
        std::int64_t wall_ns = 0;
        std::size_t bytes = 0;
        std::function<void(bool)> done;
    };

    void run() {
        while (true) {
            std::deque<Waiting> batch;
            bool stopping = false;
            {
                std::unique_lock lock(m_mutex);
                const auto is_due = [this] { return m_stopping || !m_waiting.empty(); };
                if (m_failing) {
                    m_wake.wait_for(lock, k_try_again, is_due);
                } else {
                    m_wake.wait(lock, is_due);
                }
                batch.swap(m_waiting);
                stopping = m_stopping;
            }
            write(batch);
            if (stopping && batch.empty()) {
                return;
            }
        }
    }

    void write(std::deque<Waiting>& batch) {
        if (batch.empty() && !m_failing) {
            return;
        }
        std::vector<bool> appended;
        Status status;
        for (Waiting& one : batch) {
            Status put = append(one);
            appended.push_back(put.has_value());
            status = put ? std::move(status) : std::move(put);
        }
        const Status synced = m_journal->sync();
        tell(synced ? status : synced);
        if (synced) {
            m_stream->nudge(m_journal->position());
        }
        std::size_t bytes = 0;
        for (std::size_t i = 0; i < batch.size(); ++i) {
            const bool durable = synced && appended[i];
            ++(durable ? m_recorded : m_lost);
            bytes += batch[i].bytes;
            batch[i].done(durable);
        }
        const std::scoped_lock lock(m_mutex);
        m_waiting_bytes -= bytes;
    }

    /// Says once that it fails, and once that it does not any more.
    void tell(const Status& status) {
        if (!status && !m_failing) {
            m_say("the log cannot be written, evaluations are answered without it: " +
                  status.error().message());
        } else if (status && m_failing) {
            m_say("the log is written again");
        }
        m_failing = !status;
    }

    [[nodiscard]] Expected<Digest> put(std::string_view text) {
        return text.empty() ? Expected<Digest>(Digest()) : m_journal->put_text(text);
    }

    [[nodiscard]] Status append(Waiting& waiting) {
        EvaluationRecord& from = waiting.record;
        Rollout to;
        to.number = m_next;
        to.task = std::move(from.task);
        to.task_digest = from.task_digest;
        to.kind = std::move(from.kind);
        to.device = std::move(from.device);
        to.level = std::move(from.level);
        to.tune = TuneValues(from.tune);
        to.flags = std::move(from.flags);
        to.trajectory = std::move(from.trajectory);
        to.group = std::move(from.group);
        to.policy_version = std::move(from.policy_version);
        to.turn = from.turn;
        to.wall_ns = waiting.wall_ns;
        to.seconds = from.seconds;
        to.fault = from.facts == nullptr;
        to.reason = std::move(from.fault);
        ATOLL_TRY_ASSIGN(to.source, put(from.source));
        ATOLL_TRY_ASSIGN(to.reply, put(from.reply));
        ATOLL_TRY_ASSIGN(to.token_ids, put(bytes_of(from.token_ids)));
        ATOLL_TRY_ASSIGN(to.log_probabilities, put(bytes_of(from.log_probabilities)));
        if (from.facts) {
            to.outcome = from.facts->outcome;
            to.scores = from.facts->scores;
            to.cached = from.facts->cached;
            ATOLL_TRY_ASSIGN(to.verdict, put(from.facts->verdict));
            ATOLL_TRY_ASSIGN(to.baseline, put(from.facts->baseline));
        }
        ATOLL_TRY(m_journal->append(RolloutRecorded{std::move(to)}));
        ++m_next;
        return {};
    }

    RunFolder m_folder;
    std::unique_ptr<JournalWriter> m_journal;
    std::function<void(const std::string&)> m_say;
    std::uint64_t m_next;  // these three: of the log's thread
    std::atomic<std::uint64_t> m_recorded = 0;
    std::atomic<std::uint64_t> m_lost = 0;
    std::atomic<bool> m_failing = false;

    mutable std::mutex m_mutex;
    std::condition_variable m_wake;
    std::deque<Waiting> m_waiting;
    std::size_t m_waiting_bytes = 0;
    bool m_stopping = false;

    std::unique_ptr<LineageStream> m_stream;
    std::thread m_thread;
};

}  // namespace

Expected<std::unique_ptr<EvaluationLog>> open_rollout_log(RolloutLogOptions options) {
    ATOLL_TRY_ASSIGN(Journal journal, open_journal(options.folder));
    ATOLL_TRY(journal.writer->append(
        LogOpened{std::move(options.atoll_version), std::move(options.devices), wall_ns()}));
    ATOLL_TRY(journal.writer->sync());
    return std::make_unique<JournalledLog>(std::move(journal), std::move(options.say));
}

}  // namespace atl
