#include "reward/server/server_options.hpp"

#include <sys/un.h>

namespace atl {

namespace {

Status check_address(const std::optional<ListenAddress>& address, const ServerOptions& options) {
    if (address && !address->is_loopback() && !options.token) {
        return failure(ErrorCode::invalid_argument,
                       "other machines can reach this address, and no token is set",
                       address->text(),
                       "name one with --token-file FILE or $" + std::string(k_token_variable) +
                           ", or listen on 127.0.0.1");
    }
    return {};
}

}  // namespace

Status check_server_options(const ServerOptions& options) {
    if (!options.http && !options.tcp && options.unix_path.empty()) {
        return failure(ErrorCode::invalid_argument, "there is nothing to listen on", "server",
                       "give --http, --tcp or --unix");
    }
    if (options.unix_path.string().size() >= sizeof(sockaddr_un::sun_path)) {
        return failure(ErrorCode::invalid_argument, "the path of the socket is too long",
                       options.unix_path.string(),
                       "at most " + std::to_string(sizeof(sockaddr_un::sun_path) - 1) + " bytes");
    }
    ATOLL_TRY(check_address(options.http, options));
    return check_address(options.tcp, options);
}

}  // namespace atl
