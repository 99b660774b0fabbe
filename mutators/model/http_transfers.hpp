#pragma once

#include "reward/base/error.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace atl {

struct HttpPost {
    std::string url;  ///< http or https
    std::string body;
    std::vector<std::string> headers;     ///< "Name: value"
    std::chrono::milliseconds timeout{};  ///< for all of it, connecting included
    std::size_t max_body = 0;             ///< of the answer, bytes
};

struct HttpAnswer {
    int status = 0;
    std::string body;
    /// Retry-After, given in seconds or as a date; at least 0.
    std::optional<std::chrono::seconds> retry_after;
    std::string redirect_host;  ///< of a redirect, which is never followed
};

struct HttpFailure {
    Error error;                 ///< unavailable, timeout, limit or invalid_argument
    bool may_try_again = false;  ///< the same may go well later
};

using HttpResult = tl::expected<HttpAnswer, HttpFailure>;

/// Many HTTP requests at once, by libcurl's multi interface driven by Asio: connections are kept
/// and shared; HTTP/2 where an https endpoint offers it. Redirects are not followed, so that no
/// header goes where the caller did not send it; nothing is tried twice here (but what libcurl does
/// itself when a kept connection turns out to be closed); answers are not unpacked. The proxy is
/// that of the environment (https_proxy, no_proxy). Belongs to the thread that runs `io`, which
/// must outlive it.
class HttpTransfers {
  public:
    /// Called once, on that thread, not from inside start() or cancel().
    using Done = std::function<void(HttpResult)>;

    /// `connections`: how many are kept open.
    HttpTransfers(boost::asio::io_context& io, std::size_t connections);
    /// Transfers under way end without a word.
    ~HttpTransfers();
    HttpTransfers(const HttpTransfers&) = delete;
    HttpTransfers& operator=(const HttpTransfers&) = delete;

    std::uint64_t start(HttpPost post, Done done);
    /// Ends it without a word; of one that has ended, nothing happens.
    void cancel(std::uint64_t id);

  private:
    class Impl;
    std::unique_ptr<Impl> m_impl;
};

}  // namespace atl
