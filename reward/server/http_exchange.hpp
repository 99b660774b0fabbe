#pragma once

#include "reward/evaluator.hpp"
#include "reward/server/bell.hpp"
#include "reward/server/give_back.hpp"
#include "reward/server/refusal.hpp"
#include "reward/server/service.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace atl {

/// A request as the routes see it.
struct HttpRequest {
    std::string method;
    std::string path;  ///< without query and token
    std::map<std::string, std::string> query;
    std::string body;
    std::string idempotency_key;  ///< of the header of that name
    std::string cookies;          ///< the header Cookie, as it is
};

struct HttpReply {
    unsigned status = 200;
    std::shared_ptr<const std::string> body;  ///< nullptr: nothing is to be sent any more
    std::string type = "application/json";
    std::optional<std::chrono::seconds> retry_after = std::nullopt;
    std::string allow = {};   ///< the header of that name
    std::string cookie = {};  ///< the header Set-Cookie
};

[[nodiscard]] HttpReply reply_of(unsigned status, std::string body);
[[nodiscard]] HttpReply reply_of(const Refusal& refusal);

/// Why a wait ended.
enum class Woken { rang, late, gone };

/// One request and the ways to answer it, so that routes know no sockets.
class HttpExchange {
  public:
    virtual ~HttpExchange() = default;

    HttpRequest request;
    Asker asker;                       ///< where it comes from; JobTable::submit() wants to know
    std::string parameter;             ///< what stands for the {...} of the route's path
    std::optional<Counted> body_room;  ///< in Service::body_bytes, for as long as there is a body

    /// Once all that is needed of the body was read or taken: the answer may be long in coming.
    void drop_body() {
        give_back(request.body);
        body_room.reset();
    }

    /// Until the bell rings (perhaps for nothing), `until`, or the client has gone.
    virtual boost::asio::awaitable<Woken> wait(Bell& bell,
                                               std::chrono::steady_clock::time_point until) = 0;
    /// An answer in pieces: head, chunks, then a reply without body. False: the client has gone.
    virtual boost::asio::awaitable<bool> send_head(unsigned status, std::string_view type) = 0;
    virtual boost::asio::awaitable<bool> send_chunk(std::string_view text) = 0;
};

}  // namespace atl
