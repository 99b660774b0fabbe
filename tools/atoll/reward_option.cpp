#include "tools/atoll/reward_option.hpp"

#include "reward/server/remote_address.hpp"

#include <CLI/CLI.hpp>

namespace atl {

namespace {

std::string refuse_bad_address(const std::string& url) {
    if (url.empty()) {
        return "";
    }
    const Expected<RemoteAddress> address = parse_remote_address(url);
    return address ? "" : address.error().message();
}

}  // namespace

void add_reward_option(CLI::App& verb, SessionOptions& options) {
    verb.add_option("--reward", options.reward,
                    "Instead of evaluation.reward: the server that evaluates (tcp://HOST:PORT, "
                    "tls://HOST:PORT, unix:PATH; $ATOLL_TOKEN is its token, $SSL_CERT_FILE names "
                    "authorities of its certificate); \"\": this machine")
        ->type_name("URL")
        ->check(refuse_bad_address, "", "address");
}

}  // namespace atl
