#include "mutators/model/cassette.hpp"

#include "mutators/model/chat_json.hpp"
#include "mutators/model/exchange_index.hpp"
#include "population/journal/journal.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace atl {

namespace {

using std::chrono::steady_clock;

/// A record whose events are all exchanges, or any journal.
enum class Holds { exchanges_alone, anything };

struct Record {
    std::unique_ptr<JournalReader> reader;
    ExchangeIndex index;
};

Expected<Record> read_record(const std::filesystem::path& file, Holds holds) {
    Record record;
    ATOLL_TRY_ASSIGN(record.reader, JournalReader::open(file));
    ATOLL_TRY(record.reader->for_each(0, [&](const JournalReader::Entry& entry) -> Status {
        if (const auto* exchanged = std::get_if<ModelExchanged>(&entry.event)) {
            record.index.add(*exchanged);
        } else if (holds == Holds::exchanges_alone) {
            return failure(ErrorCode::already_exists,
                           "holds other events than exchanges with models", file.string(),
                           "name another file");
        }
        return {};
    }));
    return record;
}

/// What the worker thread is to do: pass on what is recorded, or record what came and pass it on.
struct Work {
    ChatCall call;
    ChatModel::Done done;
    std::uint64_t occurrence = 0;
    std::string text;
    Digest request;
    steady_clock::time_point submitted{};
    std::optional<ExchangeIndex::Outcome> recorded;
    std::optional<Expected<ChatReply>> fresh;
};

class FileCassette final : public CassetteModel {
  public:
    FileCassette(ChatModel* below, Options options, ExchangeIndex index,
                 std::unique_ptr<JournalWriter> writer, std::unique_ptr<JournalReader> reader)
        : m_below(below),
          m_options(std::move(options)),
          m_index(std::move(index)),
          m_writer(std::move(writer)),
          m_reader(std::move(reader)),
          m_texts(m_writer ? static_cast<TextSource&>(*m_writer) : *m_reader),
          m_opened(steady_clock::now()),
          m_thread([this] { work(); }) {}

    /// Waits for what `below` has not answered yet: it refers to this.
    ~FileCassette() override {
        {
            std::unique_lock lock(m_mutex);
            m_changed.wait(lock, [this] { return m_below_open == 0; });
            m_is_over = true;
        }
        m_changed.notify_all();
        m_thread.join();
    }
    FileCassette(const FileCassette&) = delete;
    FileCassette& operator=(const FileCassette&) = delete;

    void submit(ChatCall call, Done done) override {
        Work work;
        work.call = std::move(call);
        work.done = std::move(done);
        work.submitted = steady_clock::now();
        if (Status status = check(work); !status) {
            work.fresh = tl::unexpected(std::move(status.error()));
            work.occurrence = k_unrecorded;
            return push(std::move(work));
        }
        bool ask = false;
        {
            const std::lock_guard lock(m_mutex);
            work.occurrence = m_asked[{work.call.candidate, work.request}]++;
            const auto* found = m_index.find(work.call.candidate, work.request, work.occurrence);
            if (found != nullptr) {
                work.recorded = *found;
            } else if (m_below != nullptr && !m_failure) {
                ask = true;
                ++m_below_open;
            }
        }
        if (ask) {
            return ask_below(std::move(work));
        }
        push(std::move(work));
    }

    std::uint64_t replayed() const override { return m_replayed; }

  private:
    static constexpr std::uint64_t k_unrecorded = ~std::uint64_t{0};

    static Status check(Work& work) {
        ATOLL_TRY(check_chat_request(work.call.request));
        work.text = request_text(work.call.request);
        if (work.text.size() > k_max_request_bytes) {
            return failure(ErrorCode::limit,
                           "more than " + std::to_string(k_max_request_bytes) + " bytes",
                           "chat request", "make the prompt shorter");
        }
        work.request = content_id(work.text);
        return {};
    }

    void ask_below(Work work) {
        ChatCall call = work.call;
        const auto kept = std::make_shared<Work>(std::move(work));
        m_below->submit(std::move(call), [this, kept](Expected<ChatReply> reply) {
            kept->fresh = std::move(reply);
            push(std::move(*kept), true);
        });
    }

    void push(Work work, bool from_below = false) {
        // Told under the lock: the destructor may be waiting for it.
        const std::lock_guard lock(m_mutex);
        m_work.push_back(std::move(work));
        m_below_open -= from_below ? 1 : 0;
        m_changed.notify_all();
    }

    void work() {
        while (true) {
            std::deque<Work> batch;
            {
                std::unique_lock lock(m_mutex);
                m_changed.wait(lock, [this] { return m_is_over || !m_work.empty(); });
                if (m_work.empty()) {
                    return;
                }
                batch.swap(m_work);
            }
            record(batch);
            for (Work& one : batch) {
                one.done(answer(one));
            }
        }
    }

    /// All that came anew, with one fsync. What cannot be recorded becomes an error.
    void record(std::deque<Work>& batch) {
        std::vector<Work*> fresh;
        for (Work& one : batch) {
            const bool cancelled =
                one.fresh && !*one.fresh && one.fresh->error().code == ErrorCode::interrupted;
            if (one.fresh && !cancelled && one.occurrence != k_unrecorded) {
                fresh.push_back(&one);
            }
        }
        if (fresh.empty()) {
            return;
        }
        Status status = m_failure ? Status(tl::unexpected(*m_failure)) : Status();
        for (std::size_t i = 0; i < fresh.size() && status; ++i) {
            status = append(*fresh[i]);
        }
        if (status) {
            status = m_writer->sync();
        }
        if (!status) {
            {
                const std::lock_guard lock(m_mutex);
                m_failure = status.error();
            }
            for (Work* one : fresh) {
                one->fresh = tl::unexpected(status.error());
            }
        }
    }

    Status append(const Work& work) {
        if (m_writer->position() > m_options.max_bytes) {
            return failure(ErrorCode::limit,
                           "has its largest size, " + std::to_string(m_options.max_bytes) +
                               " bytes: no more exchanges are recorded",
                           m_options.file.string(), "begin another");
        }
        const Expected<ChatReply>& reply = *work.fresh;
        ModelExchanged event;
        event.ticket = work.call.candidate;
        event.occurrence = work.occurrence;
        event.model = work.call.request.model;
        const steady_clock::time_point now = steady_clock::now();
        event.at_ns = std::chrono::nanoseconds(now - m_opened).count();
        event.seconds = std::chrono::duration<double>(now - work.submitted).count();
        ATOLL_TRY_ASSIGN(event.request, m_writer->put_text(work.text));
        if (!reply) {
            event.error_code = to_string(reply.error().code);
            event.error = reply.error().message();
            return m_writer->append(event);
        }
        ATOLL_TRY_ASSIGN(event.reply, m_writer->put_text(write_chat_reply(*reply)));
        if (reply->usage) {
            note_usage(event, *reply->usage);
        }
        return m_writer->append(event);
    }

    void note_usage(ModelExchanged& event, const TokenUsage& usage) const {
        event.prompt_tokens = usage.prompt;
        event.cached_tokens = usage.cached;
        event.completion_tokens = usage.completion;
        event.reasoning_tokens = usage.reasoning;
        const auto price = m_options.prices.find(event.model);
        if (price != m_options.prices.end()) {
            event.nano_dollars = cost_of(usage, price->second);
        }
    }

    Expected<ChatReply> answer(Work& work) {
        if (work.fresh) {
            return std::move(*work.fresh);
        }
        if (work.call.cancel.stop_requested()) {
            return failure(ErrorCode::interrupted, "was cancelled");
        }
        if (!work.recorded) {
            if (m_failure) {
                return tl::unexpected(*m_failure);
            }
            return tl::unexpected(m_index.missing(work.call.candidate, work.call.request, m_texts,
                                                  m_options.file.string()));
        }
        ++m_replayed;
        if (work.recorded->reply.is_zero()) {
            return tl::unexpected(work.recorded->error);
        }
        ATOLL_TRY_ASSIGN(const std::string text, m_texts.text(work.recorded->reply));
        return read_chat_reply(text, work.call.request.samples);
    }

    ChatModel* m_below;  // nullptr: what is not recorded is an error
    Options m_options;
    const ExchangeIndex m_index;  // of what was there when it was opened
    std::unique_ptr<JournalWriter> m_writer;
    std::unique_ptr<JournalReader> m_reader;
    const TextSource& m_texts;
    const steady_clock::time_point m_opened;
    std::atomic<std::uint64_t> m_replayed{0};
    std::mutex m_mutex;  // of all below
    std::condition_variable m_changed;
    std::map<std::pair<std::uint64_t, Digest>, std::uint64_t> m_asked;
    std::deque<Work> m_work;
    std::size_t m_below_open = 0;
    std::optional<Error> m_failure;  // written by the worker alone
    bool m_is_over = false;
    std::thread m_thread;
};

}  // namespace

Expected<std::unique_ptr<CassetteModel>> CassetteModel::record(ChatModel& below, Options options) {
    std::error_code ignored;
    if (!std::filesystem::exists(options.file, ignored)) {
        ATOLL_TRY_ASSIGN(auto writer, JournalWriter::open(options.file));
        return std::make_unique<FileCassette>(&below, std::move(options), ExchangeIndex(),
                                              std::move(writer), nullptr);
    }
    ATOLL_TRY_ASSIGN(Record known, read_record(options.file, Holds::exchanges_alone));
    ATOLL_TRY_ASSIGN(auto writer, JournalWriter::open_after(options.file, std::move(known.reader)));
    return std::make_unique<FileCassette>(&below, std::move(options), std::move(known.index),
                                          std::move(writer), nullptr);
}

Expected<std::unique_ptr<CassetteModel>> CassetteModel::replay(const std::filesystem::path& file) {
    ATOLL_TRY_ASSIGN(Record known, read_record(file, Holds::anything));
    Options options;
    options.file = file;
    return std::make_unique<FileCassette>(nullptr, std::move(options), std::move(known.index),
                                          nullptr, std::move(known.reader));
}

}  // namespace atl
