#include "reward/server/remote_address.hpp"

#include <algorithm>

namespace atl {

namespace {

tl::unexpected<Error> refused(const std::string& url, const std::string& what) {
    return failure(ErrorCode::invalid_argument, what, "address '" + url + "'",
                   "write it as tcp://HOST:PORT, tls://HOST:PORT or unix:PATH, as `atoll serve` "
                   "prints it");
}

bool is_port(const std::string& text) {
    return !text.empty() && text.size() <= 5 &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Expected<RemoteAddress> parse_remote_address(const std::string& url) {
    RemoteAddress address;
    if (url.starts_with("unix:")) {
        address.way = RemoteAddress::Way::unix_socket;
        address.path = url.substr(5);
        if (address.path.empty()) {
            return refused(url, "it names no socket");
        }
        return address;
    }
    if (url.starts_with("http://") || url.starts_with("https://")) {
        return refused(url, "campaigns speak the line protocol: start the server with --tcp too");
    }
    const bool is_tls = url.starts_with("tls://");
    if (!is_tls && !url.starts_with("tcp://")) {
        return refused(url, "this is no address of a server");
    }
    address.way = is_tls ? RemoteAddress::Way::tls : RemoteAddress::Way::tcp;
    const std::string place = url.substr(6);
    const std::size_t colon = place.rfind(':');
    if (colon == std::string::npos || !is_port(place.substr(colon + 1))) {
        return refused(url, "it names no port");
    }
    address.port = place.substr(colon + 1);
    address.host = place.substr(0, colon);
    if (address.host.starts_with('[') && address.host.ends_with(']')) {
        address.host = address.host.substr(1, address.host.size() - 2);
    }
    if (address.host.empty()) {
        return refused(url, "it names no host");
    }
    return address;
}

}  // namespace atl
