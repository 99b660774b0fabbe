#pragma once

#include "reward/compiler.hpp"
#include "reward/launch_contract.hpp"
#include "reward/verifier/messages.hpp"
#include "tests/unit/reward/jail_fixture.hpp"
#include "tests/unit/reward/task_fixture.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace atl::testing {

/// A verifier and its runner as real processes, with SmallTask loaded.
class TestVerifier {
  public:
    TestVerifier() : m_task(m_small.task()) {
        auto ends = make_socket_pair();
        WorkerOptions options;
        options.program = ATOLL_BIN_DIR "/atoll-worker";
        options.required = SandboxLevel::none;
        m_runner.emplace(value_or_throw(
            WorkerProcess::start(WorkerRole::runner, options, 1, std::move(ends->first))));
        m_verifier.emplace(value_or_throw(
            WorkerProcess::start(WorkerRole::verifier, options, 1, std::move(ends->second))));
        Frame load;
        load.type = FrameType::load_task;
        load.payload = to_json(LoadTask{m_task->folder, m_task->digest, m_task->kind});
        load.handles.push_back(build_shared_object(with_reference_entry_point(*m_task)));
        const Frame loaded = ask(std::move(load));
        if (loaded.type != FrameType::task_loaded) {
            throw std::runtime_error(parse_failed_frame(loaded).message());
        }
    }

    [[nodiscard]] const TaskPtr& task() const { return m_task; }
    WorkerProcess& runner() { return *m_runner; }
    WorkerProcess& verifier() { return *m_verifier; }

    Frame ask(Frame frame) {
        frame.request = ++m_request;
        EXPECT_TRUE(m_verifier->channel().send(frame));
        return value_or_throw(m_verifier->channel().receive(k_patience));
    }

    [[nodiscard]] EvaluateOrder order(Level level) const {
        EvaluateOrder order;
        order.task = m_task->digest;
        order.level = level;
        order.launch_timeout_s = 20;
        order.measure_seconds = 0.02;
        order.confidence = 0.05;
        order.memory_bytes = 256u << 20;
        return order;
    }

    /// `sources[0]` is the candidate, the others are the rivals named in the order.
    EvaluateReply evaluate(const std::vector<std::string>& sources, const EvaluateOrder& order) {
        Frame frame;
        frame.type = FrameType::evaluate;
        frame.payload = to_json(order);
        for (const std::string& source : sources) {
            frame.handles.push_back(
                build_shared_object(with_entry_point(*m_task, source), {"-O2"}));
        }
        const Frame reply = ask(std::move(frame));
        if (reply.type != FrameType::evaluated) {
            throw std::runtime_error(parse_failed_frame(reply).message());
        }
        EXPECT_EQ(reply.request, m_request);
        return value_or_throw(parse_evaluate_reply(reply.payload));
    }
    EvaluateReply evaluate(const std::string& source, Level level = Level::measure) {
        return evaluate({source}, order(level));
    }

  private:
    SmallTask m_small;
    TaskPtr m_task;
    std::optional<WorkerProcess> m_runner;
    std::optional<WorkerProcess> m_verifier;
    std::uint64_t m_request = 0;
};

/// A right kernel for SmallTask, with code before, inside and after it.
inline std::string small_kernel(const std::string& before, const std::string& after,
                                const std::string& globals = "") {
    return globals + R"(
static void right(const float* x, const float* bias, float alpha, float* y, int rows, int cols) {
    for (long i = 0; i < rows; ++i) {
        double sum = 0;
        for (long j = 0; j < cols; ++j) sum += x[i * cols + j];
        const double mean = sum / cols;
        for (long j = 0; j < cols; ++j)
            y[i * cols + j] = float(double(alpha) * x[i * cols + j] + bias[j] + mean);
    }
}
extern "C" void launch(const float* x, const float* bias, float alpha, float* y, int rows,
                       int cols) {
    [[maybe_unused]] const long count = long(rows) * cols;
)" + before +
           "\n    right(x, bias, alpha, y, rows, cols);\n" + after + "\n}\n";
}

}  // namespace atl::testing
