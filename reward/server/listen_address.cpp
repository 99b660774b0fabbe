#include "reward/server/listen_address.hpp"

#include <boost/asio/ip/address.hpp>

#include <charconv>

namespace atl {

namespace {

namespace ip = boost::asio::ip;

tl::unexpected<Error> refused(const std::string& text, const std::string& what) {
    return failure(ErrorCode::invalid_argument, what, "address '" + text + "'",
                   "write it as 127.0.0.1:8000, 0.0.0.0:8000 or [::1]:8000");
}

Expected<std::uint16_t> parse_port(const std::string& text, const std::string& port) {
    std::uint16_t number = 0;
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (error != std::errc() || end != port.data() + port.size()) {
        return refused(text, "the port must be a number from 0 to 65535");
    }
    return number;
}

}  // namespace

std::string ListenAddress::text() const {
    const bool v6 = host.find(':') != std::string::npos;
    return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

bool ListenAddress::is_loopback() const {
    boost::system::error_code error;
    const ip::address address = ip::make_address(host, error);
    return !error && address.is_loopback();
}

Expected<ListenAddress> parse_listen_address(const std::string& text) {
    ListenAddress address;
    const std::size_t colon = text.rfind(':');
    std::string host = colon == std::string::npos ? "localhost" : text.substr(0, colon);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
        host = host.substr(1, host.size() - 2);
    } else if (host.find(':') != std::string::npos) {
        return refused(text, "an IPv6 address needs brackets");
    }
    const std::string port = colon == std::string::npos ? text : text.substr(colon + 1);
    ATOLL_TRY_ASSIGN(address.port, parse_port(text, port));
    boost::system::error_code error;
    const ip::address parsed = ip::make_address(host == "localhost" ? "127.0.0.1" : host, error);
    if (error) {
        return refused(text, "'" + host + "' is no IP address");
    }
    address.host = parsed.to_string();
    return address;
}

}  // namespace atl
