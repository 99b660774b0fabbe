#pragma once

#include "reward/base/error.hpp"
#include "reward/server/access_token.hpp"
#include "reward/server/listen_address.hpp"

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace atl {

struct MailboxOptions {
    std::filesystem::path folder;
    ListenAddress http{"127.0.0.1", 8100};
    std::optional<AccessToken> token;     ///< needed where others can reach the address
    std::chrono::milliseconds look{250};  ///< between looks at the folder
    std::chrono::milliseconds patience{
        30'000};                     ///< for a client to send a request or take an answer
    std::size_t max_pending = 1000;  ///< requests without an answer
    std::size_t max_connections = 1024;
    std::size_t max_bodies = std::size_t{256} << 20;  ///< bytes of requests being read, together
    /// Told what a person should know, a line each.
    std::function<void(const std::string&)> remark;
};

/// An OpenAI-compatible endpoint behind which whoever drops files is the model (MailboxFolder):
///
///     POST /v1/chat/completions   waits for the answer, for as long as the client does
///     GET  /v1/models             one model, "mailbox"; requests may name any
///
/// Everything happens on the thread that calls run().
class Mailbox {
  public:
    /// Errors: of the folder, an address that cannot be bound, or that needs a token and has none.
    [[nodiscard]] static Expected<std::unique_ptr<Mailbox>> open(MailboxOptions options);
    virtual ~Mailbox() = default;

    /// "http://127.0.0.1:8100/v1"
    [[nodiscard]] virtual std::string url() const = 0;
    /// SIGINT, SIGTERM and SIGHUP stop() it; a second one ends the process.
    virtual void stop_on_signals() = 0;
    /// Serves until stop(). False when clients were still waiting: they were told to come back, and
    /// their requests are in the folder.
    [[nodiscard]] virtual bool run() = 0;
    /// May be called on any thread.
    virtual void stop() = 0;
};

}  // namespace atl
