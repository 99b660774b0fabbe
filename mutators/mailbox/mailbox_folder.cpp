#include "mutators/mailbox/mailbox_folder.hpp"

#include "mutators/model/chat_json.hpp"
#include "mutators/model/exchange_record.hpp"
#include "reward/base/folders.hpp"
#include "reward/base/unfinished_files.hpp"
#include "reward/base/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace atl {

namespace {

constexpr const char* k_done = "done";
constexpr const char* k_request = "request.json";
constexpr const char* k_request_text = "request.md";
constexpr const char* k_reply_json = "reply.json";
constexpr const char* k_reply_text = "reply.txt";
constexpr const char* k_error = "error.txt";
constexpr const char* k_refused = ".refused";
constexpr std::size_t k_digits = 6;
constexpr std::size_t k_max_error_bytes = 4096;

/// The number that a file of a request begins with; nullopt for other files.
std::optional<std::uint64_t> number_of(const std::string& name) {
    const std::size_t dot = name.find('.');
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    const bool whole = error == std::errc() && dot != std::string::npos &&
                       end == name.data() + dot && dot >= k_digits && number > 0;
    return whole ? std::optional(number) : std::nullopt;
}

std::uint64_t highest_number(const std::filesystem::path& folder) {
    std::uint64_t highest = 0;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
        highest = std::max(highest, number_of(entry.path().filename().string()).value_or(0));
    }
    return highest;
}

/// For people: what differs from the defaults, then the messages one after the other.
std::string for_people(const ChatRequest& request) {
    std::string text = fmt::format("model: {}\nsamples: {}\n", request.model, request.samples);
    if (request.temperature) {
        text += fmt::format("temperature: {}\n", *request.temperature);
    }
    if (request.max_tokens) {
        text += fmt::format("max_tokens: {}\n", *request.max_tokens);
    }
    for (const ChatMessage& message : request.messages) {
        text += fmt::format("\n# {}\n\n{}\n", to_string(message.role), message.content);
    }
    return text;
}

tl::unexpected<Error> bad_answer(const std::filesystem::path& path, const std::string& what) {
    return failure(ErrorCode::corrupt, what, path.string(), "drop another");
}

}  // namespace

Expected<MailboxFolder> MailboxFolder::open(const std::filesystem::path& path,
                                            std::function<void(std::string)> remark) {
    ATOLL_TRY(create_folders_durably(path / k_done));
    ATOLL_TRY_ASSIGN(FolderLock lock, FolderLock::acquire(path));
    MailboxFolder folder(path, std::move(lock), std::move(remark));
    ATOLL_TRY(folder.scan());
    return folder;
}

/// Goes on with what an earlier process left.
Status MailboxFolder::scan() {
    remove_unfinished_files(m_path);
    m_last_number = std::max(highest_number(m_path), highest_number(m_path / k_done));
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator(m_path, failed)) {
        const std::string name = entry.path().filename().string();
        const std::optional<std::uint64_t> number = number_of(name);
        if (!number || entry.path() != file(*number, k_request)) {
            continue;
        }
        Expected<std::string> text = read_regular_file(entry.path(), k_max_request_bytes);
        Expected<ChatRequest> request =
            text ? read_chat_request(*text) : tl::unexpected(text.error());
        if (!request) {
            m_remark(entry.path().string() + " is passed over: " + request.error().message());
            continue;
        }
        m_requests[*number] = {content_id(request_text(*request)), request->samples, false};
    }
    if (failed) {
        return tl::unexpected(errno_error("read", m_path.string(), failed.value()));
    }
    return {};
}

std::filesystem::path MailboxFolder::file(std::uint64_t number, const std::string& what) const {
    return m_path / fmt::format("{:0{}}.{}", number, k_digits, what);
}

Expected<std::uint64_t> MailboxFolder::put(const ChatRequest& request) {
    const std::string text = request_text(request);
    const Digest id = content_id(text);
    for (auto& [number, known] : m_requests) {
        if (known.id == id && !known.waited_for) {
            known.waited_for = true;
            return number;
        }
    }
    const std::uint64_t number = ++m_last_number;
    ATOLL_TRY(write_file_durably(file(number, k_request_text), for_people(request)));
    ATOLL_TRY(write_file_durably(file(number, k_request), text));
    m_requests[number] = {id, request.samples, true};
    return number;
}

void MailboxFolder::leave(std::uint64_t number) {
    if (const auto found = m_requests.find(number); found != m_requests.end()) {
        found->second.waited_for = false;
    }
}

std::vector<MailboxFolder::Answer> MailboxFolder::look() {
    std::vector<Answer> answers;
    std::vector<std::uint64_t> withdrawn;
    for (const auto& [number, request] : m_requests) {
        std::error_code ignored;
        if (!std::filesystem::exists(file(number, k_request), ignored)) {
            withdrawn.push_back(number);
        } else if (request.waited_for) {
            if (auto reply = answer_to(number, request)) {
                answers.push_back({number, std::move(*reply)});
            }
        }
    }
    for (const std::uint64_t number : withdrawn) {
        if (m_requests.extract(number).mapped().waited_for) {
            answers.push_back({number, failure(ErrorCode::not_found, "the request was withdrawn",
                                               file(number, k_request).string())});
        }
    }
    return answers;
}

/// Whether the file is there and as the look before found it: whoever writes it has ended.
bool MailboxFolder::is_settled(const std::filesystem::path& path) {
    std::error_code size_error;
    std::error_code time_error;
    const Stamp now{std::filesystem::file_size(path, size_error),
                    std::filesystem::last_write_time(path, time_error)};
    const std::string name = path.filename().string();
    if (size_error || time_error || now.size == 0) {
        m_seen.erase(name);
        return false;
    }
    const auto [seen, is_new] = m_seen.try_emplace(name, now);
    return !is_new && std::exchange(seen->second, now) == now;
}

std::optional<Expected<ChatReply>> MailboxFolder::answer_to(std::uint64_t number,
                                                            const Request& request) {
    for (const char* what : {k_reply_json, k_reply_text, k_error}) {
        const std::filesystem::path path = file(number, what);
        if (!is_settled(path)) {
            continue;
        }
        Expected<ChatReply> reply = read_answer(path, what, request.samples);
        if (reply || reply.error().code == ErrorCode::unavailable) {
            return reply;
        }
        refuse(path, reply.error());
    }
    return std::nullopt;
}

Expected<ChatReply> MailboxFolder::read_answer(const std::filesystem::path& path,
                                               const std::string& what, int samples) const {
    const std::size_t most = what == k_error ? k_max_error_bytes : k_max_reply_bytes;
    ATOLL_TRY_ASSIGN(std::string text, read_regular_file(path, most));
    if (what == k_reply_json) {
        return read_chat_reply(text, samples);
    }
    if (text.find('\0') != std::string::npos || !is_utf8(text)) {
        return bad_answer(path, "is not UTF-8 text without NUL");
    }
    if (what == k_error) {
        return failure(ErrorCode::unavailable, text, path.string());
    }
    if (text.size() > k_max_choice_bytes) {
        return bad_answer(path, "has more than " + std::to_string(k_max_choice_bytes) + " bytes");
    }
    return ChatReply{{{std::move(text), "", FinishReason::stop}}, std::nullopt, "mailbox"};
}

void MailboxFolder::refuse(const std::filesystem::path& path, const Error& why) {
    m_seen.erase(path.filename().string());
    std::error_code failed;
    std::filesystem::rename(path, path.string() + k_refused, failed);
    m_remark(path.string() + " is no answer and was renamed to *" + k_refused + ": " +
             why.message());
}

Status MailboxFolder::finish(std::uint64_t number) {
    m_requests.erase(number);
    // The request first: what is cut off after it leaves nothing that would be answered again.
    for (const char* what : {k_request, k_request_text, k_reply_json, k_reply_text, k_error}) {
        const std::filesystem::path from = file(number, what);
        m_seen.erase(from.filename().string());
        std::error_code failed;
        std::filesystem::rename(from, m_path / k_done / from.filename(), failed);
        if (failed && failed != std::errc::no_such_file_or_directory) {
            return tl::unexpected(errno_error("rename", from.string(), failed.value()));
        }
    }
    return {};
}

}  // namespace atl
