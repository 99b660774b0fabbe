#include "mutators/model/http_transfers.hpp"

#include "mutators/model/certificates.hpp"
#include "mutators/model/curl_transfer.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <curl/curl.h>

#include <map>
#include <utility>

namespace atl {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Descriptor = asio::posix::stream_descriptor;

/// libcurl's own set-up, once in a process. Never undone: other libraries use it too.
void set_up_curl() {
    static const CURLcode done = ::curl_global_init(CURL_GLOBAL_DEFAULT);
    static_cast<void>(done);  // what fails here fails at each transfer, with a reason
}

/// One of libcurl's sockets, which it opens and closes itself.
struct Watched {
    Watched(asio::io_context& io, curl_socket_t socket) : descriptor(io, socket) {}
    ~Watched() { descriptor.release(); }  // or it would be closed twice
    Watched(const Watched&) = delete;
    Watched& operator=(const Watched&) = delete;

    Descriptor descriptor;
    bool wants_read = false;
    bool wants_write = false;
    bool is_reading = false;  ///< a wait is under way
    bool is_writing = false;
};

}  // namespace

class HttpTransfers::Impl {
  public:
    Impl(asio::io_context& io, std::size_t connections)
        : m_io(io), m_timer(io), m_authorities(find_authorities()) {
        set_up_curl();
        m_multi = ::curl_multi_init();
        ::curl_multi_setopt(m_multi, CURLMOPT_SOCKETFUNCTION, &Impl::on_socket);
        ::curl_multi_setopt(m_multi, CURLMOPT_SOCKETDATA, this);
        ::curl_multi_setopt(m_multi, CURLMOPT_TIMERFUNCTION, &Impl::on_timer);
        ::curl_multi_setopt(m_multi, CURLMOPT_TIMERDATA, this);
        ::curl_multi_setopt(m_multi, CURLMOPT_MAXCONNECTS, static_cast<long>(connections));
    }
    ~Impl() {
        for (const auto& [easy, transfer] : m_transfers) {
            ::curl_multi_remove_handle(m_multi, easy);
        }
        m_transfers.clear();
        ::curl_multi_cleanup(m_multi);
    }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    std::uint64_t start(HttpPost post, Done done) {
        const std::uint64_t id = ++m_last_id;
        auto transfer =
            std::make_unique<CurlTransfer>(id, std::move(post), std::move(done), m_authorities);
        CURL* easy = transfer->easy();
        m_easy[id] = easy;
        m_transfers[easy] = std::move(transfer);
        ::curl_multi_add_handle(m_multi, easy);  // sets the timer, which does the rest
        return id;
    }

    void cancel(std::uint64_t id) {
        if (const auto found = m_easy.find(id); found != m_easy.end()) {
            static_cast<void>(take(found->second));
        }
    }

  private:
    std::unique_ptr<CurlTransfer> take(CURL* easy) {
        ::curl_multi_remove_handle(m_multi, easy);
        std::unique_ptr<CurlTransfer> transfer = std::move(m_transfers.at(easy));
        m_transfers.erase(easy);
        m_easy.erase(transfer->id());
        return transfer;
    }

    static int on_socket(CURL*, curl_socket_t socket, int what, void* self, void*) {
        static_cast<Impl*>(self)->watch(socket, what);
        return 0;
    }
    void watch(curl_socket_t socket, int what) {
        if (what == CURL_POLL_REMOVE) {
            m_watched.erase(socket);
            return;
        }
        std::shared_ptr<Watched>& watched = m_watched[socket];
        if (!watched) {
            watched = std::make_shared<Watched>(m_io, socket);
        }
        watched->wants_read = (what & CURL_POLL_IN) != 0;
        watched->wants_write = (what & CURL_POLL_OUT) != 0;
        wait_for(watched, socket);
    }

    void wait_for(const std::shared_ptr<Watched>& watched, curl_socket_t socket) {
        const std::weak_ptr<Watched> weak = watched;
        if (watched->wants_read && !watched->is_reading) {
            watched->is_reading = true;
            watched->descriptor.async_wait(
                Descriptor::wait_read, [this, weak, socket](error_code error) {
                    if (const auto still = weak.lock(); still && !error) {
                        still->is_reading = false;
                        act(socket, CURL_CSELECT_IN);
                    }
                });
        }
        if (watched->wants_write && !watched->is_writing) {
            watched->is_writing = true;
            watched->descriptor.async_wait(
                Descriptor::wait_write, [this, weak, socket](error_code error) {
                    if (const auto still = weak.lock(); still && !error) {
                        still->is_writing = false;
                        act(socket, CURL_CSELECT_OUT);
                    }
                });
        }
    }

    static int on_timer(CURLM*, long timeout_ms, void* self) {
        static_cast<Impl*>(self)->set_timer(timeout_ms);
        return 0;
    }
    void set_timer(long timeout_ms) {
        if (timeout_ms < 0) {
            m_timer.cancel();
            return;
        }
        m_timer.expires_after(std::chrono::milliseconds(timeout_ms));
        m_timer.async_wait([this](error_code error) {
            if (!error) {
                act(CURL_SOCKET_TIMEOUT, 0);
            }
        });
    }

    void act(curl_socket_t socket, int events) {
        int running = 0;
        ::curl_multi_socket_action(m_multi, socket, events, &running);
        // It says what it wants only when that changes; what was waited for has come and gone.
        if (const auto found = m_watched.find(socket); found != m_watched.end()) {
            wait_for(found->second, socket);
        }
        tell_of_ended();
    }

    void tell_of_ended() {
        std::vector<std::pair<std::unique_ptr<CurlTransfer>, CURLcode>> ended;
        int left = 0;
        while (const CURLMsg* message = ::curl_multi_info_read(m_multi, &left)) {
            if (message->msg == CURLMSG_DONE) {
                const CURLcode code = message->data.result;  // gone with the handle
                ended.emplace_back(take(message->easy_handle), code);
            }
        }
        for (auto& [transfer, code] : ended) {
            transfer->finish(code);
        }
    }

    asio::io_context& m_io;
    asio::steady_timer m_timer;
    std::string m_authorities;
    CURLM* m_multi = nullptr;
    std::uint64_t m_last_id = 0;
    std::map<curl_socket_t, std::shared_ptr<Watched>> m_watched;
    std::map<CURL*, std::unique_ptr<CurlTransfer>> m_transfers;
    std::map<std::uint64_t, CURL*> m_easy;
};

HttpTransfers::HttpTransfers(asio::io_context& io, std::size_t connections)
    : m_impl(std::make_unique<Impl>(io, connections)) {}
HttpTransfers::~HttpTransfers() = default;

std::uint64_t HttpTransfers::start(HttpPost post, Done done) {
    return m_impl->start(std::move(post), std::move(done));
}
void HttpTransfers::cancel(std::uint64_t id) {
    m_impl->cancel(id);
}

}  // namespace atl
