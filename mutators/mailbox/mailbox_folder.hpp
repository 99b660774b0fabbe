#pragma once

#include "mutators/model/chat.hpp"
#include "reward/base/files.hpp"
#include "reward/base/hash.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace atl {

/// Requests to a model as numbered files, and answers as files that somebody drops beside them:
///
///     000001.request.json   the request, as OpenAI's chat completions have it
///     000001.request.md     the same for people, written first
///     000001.reply.txt      the answer as plain text, or
///     000001.reply.json     a whole chat completion, for several samples, thoughts and usage, or
///     000001.error.txt      why there is no answer
///     done/                 what was answered
///
/// Requests appear by rename. An answer is taken when two looks find it unchanged; one that cannot
/// be read is renamed to NAME.refused, and another is waited for. What is in the folder survives
/// restarts: a request that is made again (clients do, after a lost connection) is the same number,
/// so that nothing is answered twice. Not thread-safe; one process at a time has the folder.
class MailboxFolder {
  public:
    /// What came of a request: a reply, or an error of code not_found (its file was taken away) or
    /// unavailable (the text of error.txt).
    struct Answer {
        std::uint64_t number = 0;
        Expected<ChatReply> reply;
    };

    /// Makes the folder where it is not there. `remark` is told what was refused. Errors: the
    /// folder's, already_exists where another process has it.
    [[nodiscard]] static Expected<MailboxFolder> open(const std::filesystem::path& path,
                                                      std::function<void(std::string)> remark);

    /// Puts a request there that nobody waits for yet, or finds it there; its number. Errors: of
    /// the disk.
    [[nodiscard]] Expected<std::uint64_t> put(const ChatRequest& request);
    /// Nobody waits for it any more; it stays, with its answer if there is one.
    void leave(std::uint64_t number);
    /// The answers of all that is waited for, as far as they are there. Each is told at each look
    /// until leave() or finish().
    [[nodiscard]] std::vector<Answer> look();
    /// Its answer was delivered: moves its files to done/.
    [[nodiscard]] Status finish(std::uint64_t number);

    /// Requests without an answer that was delivered, waited for or not.
    [[nodiscard]] std::size_t pending() const { return m_requests.size(); }

  private:
    struct Request {
        Digest id;        ///< of the request's text
        int samples = 1;  ///< wanted
        bool waited_for = false;
    };
    /// What two looks must agree on.
    struct Stamp {
        std::uintmax_t size = 0;
        std::filesystem::file_time_type time{};
        bool operator==(const Stamp&) const = default;
    };

    MailboxFolder(std::filesystem::path path, FolderLock lock,
                  std::function<void(std::string)> remark)
        : m_path(std::move(path)), m_lock(std::move(lock)), m_remark(std::move(remark)) {}

    [[nodiscard]] Status scan();
    [[nodiscard]] std::filesystem::path file(std::uint64_t number, const std::string& what) const;
    [[nodiscard]] bool is_settled(const std::filesystem::path& path);
    [[nodiscard]] std::optional<Expected<ChatReply>> answer_to(std::uint64_t number,
                                                               const Request& request);
    [[nodiscard]] Expected<ChatReply> read_answer(const std::filesystem::path& path,
                                                  const std::string& what, int samples) const;
    void refuse(const std::filesystem::path& path, const Error& why);

    std::filesystem::path m_path;
    FolderLock m_lock;
    std::function<void(std::string)> m_remark;
    std::uint64_t m_last_number = 0;
    std::map<std::uint64_t, Request> m_requests;
    std::map<std::string, Stamp> m_seen;  ///< answers, by file name, as the last look found them
};

}  // namespace atl
