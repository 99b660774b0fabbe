#pragma once

#include "tests/unit/server/server_fixture.hpp"

#include <string>

namespace atl {

/// Requests of trainers to a server in front of a fake evaluator that answers at once.
class AdapterTest : public ServerTest {
  protected:
    AdapterTest() { m_fake.manual = false; }

    /// What stands in tests/unit/server/recorded, sent as it is.
    testing::HttpAnswer send_recorded(const std::string& name) const {
        testing::SocketClient client = http();
        client.send(testing::read_text(std::string(ATOLL_SOURCE_DIR) +
                                       "/tests/unit/server/recorded/" + name + ".http"));
        return testing::read_answer(client);
    }
    testing::HttpAnswer post(const std::string& path, const nlohmann::json& body) const {
        return ask("POST", path, body.dump());
    }
    /// The evaluator's workers die of each candidate.
    void break_workers() {
        m_fake.fault = [](std::uint64_t, const Candidate&) { return true; };
    }
    /// Whether a request has ended since its client had gone.
    bool has_seen_who_left() const {
        return ask("GET", "/metrics").body.find("status=\"499\"") != std::string::npos;
    }
    std::string source_evaluated(std::size_t index = 0) const {
        return m_evaluator->requests().at(index).candidate.source;
    }
};

/// What a model writes around a candidate.
inline std::string reply_with(const std::string& source) {
    return "Thus:\n```cpp\n" + source + "\n```\n";
}

}  // namespace atl
