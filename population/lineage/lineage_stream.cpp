#include "population/lineage/lineage_stream.hpp"

#include "population/journal/journal.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

namespace atl {

namespace {

class JournalFollower final : public LineageStream {
  public:
    explicit JournalFollower(Options options)
        : m_options(std::move(options)),
          m_mode(m_options.mode),
          m_durable(m_options.durable),
          m_thread([this] { run(); }) {}

    ~JournalFollower() override { stop(false); }
    JournalFollower(const JournalFollower&) = delete;
    JournalFollower& operator=(const JournalFollower&) = delete;

    void nudge(std::uint64_t durable) override {
        {
            const std::scoped_lock lock(m_mutex);
            m_nudged = m_nudged || durable > m_durable;
            m_durable = std::max(m_durable, durable);
        }
        m_wake.notify_one();
    }

    Status finish() override {
        stop(true);
        const std::scoped_lock lock(m_mutex);
        if (m_failure) {
            return tl::unexpected<Error>(*m_failure);
        }
        return {};
    }

    [[nodiscard]] LineageMode mode() const override { return m_mode; }

  private:
    void stop(bool drain) {
        {
            const std::scoped_lock lock(m_mutex);
            m_stopping = true;
            m_drain = m_drain || drain;
        }
        m_wake.notify_one();
        if (m_thread.joinable()) {
            m_thread.join();
        }
    }

    // All HDF5 calls of the stream happen on this thread.
    void run() {
        const Status status = follow();
        if (status) {
            return;
        }
        {
            const std::scoped_lock lock(m_mutex);
            m_failure = status.error();
        }
        if (m_options.on_failure) {
            m_options.on_failure(status.error());
        }
    }

    [[nodiscard]] Status follow() {
        const std::filesystem::path path = m_options.run / k_lineage_file;
        ATOLL_TRY_ASSIGN(const auto reader, JournalReader::open(m_options.run / k_journal_file));
        if (const auto writer = writer_to_go_on(path, *reader)) {
            ATOLL_TRY(catch_up(*reader, *writer));
            return follow_into(*reader, *writer);
        }
        std::filesystem::path fresh = path;
        fresh += ".new";
        Status status = write_anew(*reader, fresh, path);
        if (!status) {
            std::error_code ignored;
            std::filesystem::remove(fresh, ignored);
        }
        return status;
    }

    // Null when the file that is there cannot be gone on with. A long campaign's takes minutes to
    // write anew.
    [[nodiscard]] std::unique_ptr<LineageWriter> writer_to_go_on(const std::filesystem::path& path,
                                                                 JournalReader& reader) {
        const auto end = read_lineage_end(path);
        if (m_options.mode != LineageMode::live || !end || end->events == 0) {
            return nullptr;
        }
        std::uint64_t position = 0;
        const Status stopped = reader.for_each(
            0,
            [&](const JournalReader::Entry& entry) -> Status {
                if (entry.index + 1 < end->events) {
                    return {};
                }
                if (entry.event.index() == end->last.index() &&
                    encode_event(entry.event) == encode_event(end->last)) {
                    position = entry.end_position;
                }
                return failure(ErrorCode::interrupted, "the event looked for");
            },
            durable());
        static_cast<void>(stopped);
        if (position == 0) {
            return nullptr;
        }
        auto writer = LineageWriter::go_on(path);
        if (!writer) {
            return nullptr;
        }
        m_position = position;
        return std::move(*writer);
    }

    // The file gets its name once it holds everything so far, so that readers never see less than
    // they did before a resume.
    [[nodiscard]] Status write_anew(JournalReader& reader, const std::filesystem::path& fresh,
                                    const std::filesystem::path& path) {
        ATOLL_TRY_ASSIGN(const auto writer, LineageWriter::create(fresh, m_options.mode));
        ATOLL_TRY(catch_up(reader, *writer));
        std::error_code error;
        std::filesystem::rename(fresh, path, error);
        if (error) {
            return tl::unexpected<Error>(errno_error("rename", path.string(), error.value()));
        }
        return follow_into(reader, *writer);
    }

    [[nodiscard]] Status follow_into(JournalReader& reader, LineageWriter& writer) {
        m_mode = writer.mode();
        while (wait()) {
            ATOLL_TRY(catch_up(reader, writer));
        }
        if (drain_wanted()) {
            ATOLL_TRY(catch_up(reader, writer));
        }
        return writer.close();
    }

    [[nodiscard]] Status catch_up(JournalReader& reader, LineageWriter& writer) {
        bool added = false;
        const auto visit = [&](const JournalReader::Entry& entry) -> Status {
            ATOLL_TRY(writer.add(entry.event, entry.index, reader));
            m_position = entry.end_position;
            added = true;
            return {};
        };
        ATOLL_TRY(reader.for_each(m_position, visit, durable()));
        return added ? writer.flush() : Status{};
    }

    // False when it is time to stop.
    [[nodiscard]] bool wait() {
        std::unique_lock lock(m_mutex);
        m_wake.wait(lock, [this] { return m_nudged || m_stopping; });
        m_nudged = false;
        return !m_stopping;
    }

    [[nodiscard]] std::uint64_t durable() {
        const std::scoped_lock lock(m_mutex);
        return m_durable;
    }

    [[nodiscard]] bool drain_wanted() {
        const std::scoped_lock lock(m_mutex);
        return m_drain;
    }

    Options m_options;
    std::atomic<LineageMode> m_mode;
    std::uint64_t m_position = 0;  // only the thread
    std::mutex m_mutex;
    std::condition_variable m_wake;
    std::uint64_t m_durable = 0;
    bool m_nudged = false;
    bool m_stopping = false;
    bool m_drain = false;
    std::optional<Error> m_failure;
    std::thread m_thread;  // last: starts when everything else is there
};

}  // namespace

std::unique_ptr<LineageStream> LineageStream::start(Options options) {
    return std::make_unique<JournalFollower>(std::move(options));
}

}  // namespace atl
