#pragma once

#include "tools/atoll/campaign_session.hpp"

namespace CLI {
class App;
}

namespace atl {

/// --reward, of `atoll run` and `atoll resume`.
void add_reward_option(CLI::App& verb, SessionOptions& options);

}  // namespace atl
