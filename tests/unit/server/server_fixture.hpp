#pragma once

#include "reward/server/server.hpp"
#include "tests/support/fake_evaluator.hpp"
#include "tests/support/socket_client.hpp"
#include "tests/unit/reward/task_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace atl {

/// A real server on sockets of this machine, in front of a fake evaluator. Where nothing else is
/// said, the evaluator is "manual": it answers when the test says so.
class ServerTest : public ::testing::Test {
  protected:
    ServerTest() {
        m_fake.manual = true;
        m_options.http = ListenAddress{"127.0.0.1", 0};
        m_options.tcp = ListenAddress{"127.0.0.1", 0};
        m_options.unix_path = m_folder.path() / "socket";
        m_options.times.drain = std::chrono::milliseconds(100);  // what tests leave pending
    }
    ~ServerTest() override { stop(); }

    void start() {
        TaskCatalog tasks;
        const auto task = std::make_shared<Task>(*m_task.task());
        task->kind = m_kind;
        tasks.add(task);
        ServedDevices devices(1);
        devices[0].name = "cpu";
        devices[0].kinds = {m_kind};
        auto evaluator = std::make_unique<testing::FakeEvaluator>(m_fake);
        m_evaluator = evaluator.get();
        devices[0].evaluator = std::move(evaluator);
        m_server = value_or_throw(Server::open(m_options, std::move(tasks), std::move(devices)));
        m_addresses = m_server->addresses();
        m_thread = std::thread([this] { m_complete = m_server->run(); });
    }
    /// Waits for the drain; true when all was answered.
    bool stop() {
        if (m_thread.joinable()) {
            m_server->stop();
            m_thread.join();
        }
        return m_complete;
    }

    testing::SocketClient http() const { return testing::SocketClient::to(m_addresses.at(0)); }
    testing::SocketClient tcp() const { return testing::SocketClient::to(m_addresses.at(1)); }
    testing::SocketClient unix_socket() const {
        return testing::SocketClient::to(m_addresses.at(2));
    }
    testing::HttpAnswer ask(const std::string& method, const std::string& target,
                            const std::string& body = "", const std::string& headers = "") const {
        testing::SocketClient client = http();
        return testing::exchange(client, method, target, body, headers);
    }
    /// A request for level verify, so that one evaluation and nothing else is made of it.
    static nlohmann::json request(const std::string& source = "int a;") {
        return {{"task", "small"}, {"source", source}, {"level", "verify"}};
    }
    static nlohmann::json json_of(const testing::HttpAnswer& answer) {
        return nlohmann::json::parse(answer.body);
    }
    static std::string error_code(const testing::HttpAnswer& answer) {
        return json_of(answer).at("error").at("code");
    }
    /// Waits until the last request that the evaluator got is cancelled; false after a minute.
    bool wait_for_cancel() const {
        for (int i = 0; i < 6000; ++i) {
            const auto requests = m_evaluator->requests();
            if (!requests.empty() && requests.back().cancel.stop_requested()) {
                return true;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        return false;
    }

    testing::SmallTask m_task;
    std::string m_kind = "cpu_cpp";
    testing::TemporaryFolder m_folder;
    testing::FakeEvaluatorOptions m_fake;
    ServerOptions m_options;
    testing::FakeEvaluator* m_evaluator = nullptr;
    std::vector<std::string> m_addresses;

  private:
    std::unique_ptr<Server> m_server;
    std::thread m_thread;
    std::atomic<bool> m_complete = false;
};

}  // namespace atl
