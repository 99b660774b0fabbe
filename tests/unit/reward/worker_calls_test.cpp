#include "reward/worker_calls.hpp"

#include "tests/support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace atl {
namespace {

/// A worker that answers questions. The first one to be started hears no question, so that asking
/// it fails as if it had died, and ends a while later.
constexpr const char* k_worker = R"(#!/usr/bin/env python3
import os, socket, struct, sys, time

HEADER = "<4sHHQIIQH6x"
READY, COMPILED = 1, 3
generation = int(sys.argv[sys.argv.index("--generation") + 1])
channel = socket.socket(fileno=3)

def send(kind, request, payload):
    header = struct.pack(HEADER, b"ATFR", 1, kind, request, generation, len(payload), 0, 0)
    channel.sendall(header + payload)

first = not os.path.exists("FOLDER/started")
open("FOLDER/started", "w").close()
if first:
    channel.shutdown(socket.SHUT_RD)
send(READY, 0, b'{"level": "none", "layers": []}')
if first:
    time.sleep(0.5)
    sys.exit(0)
while True:
    header = channel.recv(40, socket.MSG_WAITALL)
    if len(header) < 40:
        break
    _, _, _, request, _, bytes_behind, _, _ = struct.unpack(HEADER, header)
    channel.recv(bytes_behind, socket.MSG_WAITALL)
    send(COMPILED, request, b"answered")
)";

class WorkerCallsTest : public ::testing::Test {
  protected:
    WorkerCallsTest() {
        std::string script = k_worker;
        const std::string mark = "FOLDER";
        for (auto at = script.find(mark); at != std::string::npos; at = script.find(mark)) {
            script.replace(at, mark.size(), m_folder.path().string());
        }
        m_options.program = (m_folder.path() / "worker").string();
        std::ofstream(m_options.program) << script;
        std::filesystem::permissions(m_options.program, std::filesystem::perms::owner_all);
    }
    const testing::TemporaryFolder m_folder;
    WorkerOptions m_options;
};

TEST_F(WorkerCallsTest, AQuestionThatADyingWorkerDoesNotTakeIsForTheNextOne) {
    WorkerCalls calls(WorkerRole::compiler, m_options);
    value_or_throw(calls.start());
    for (int question = 0; question < 2; ++question) {
        Frame frame;
        frame.type = FrameType::compile;
        frame.payload = "a question";
        const Expected<Frame> answer = calls.ask(frame, 30, {});
        ASSERT_TRUE(answer) << answer.error().message();
        EXPECT_EQ(answer->payload, "answered");
    }
    EXPECT_EQ(calls.restarts(), 1u);
}

}  // namespace
}  // namespace atl
