#pragma once

#include "reward/local_evaluator.hpp"
#include "tests/support/fake_compiler.hpp"
#include "tests/support/fake_lane.hpp"
#include "tests/support/manual_clock.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <memory>
#include <string>

namespace atl {

inline TaskPtr fake_copy_task() {
    Task task;
    task.name = "copy";
    task.axes = {{"n", Axis::Kind::variable, 0, "", ""}};
    task.inputs = {{"x", DType::f32, {"n"}, false, ""}};
    task.outputs = {{"y", DType::f32, {"n"}, false, ""}};
    task.reference_source =
        "extern \"C\" void reference(const float* x, double* y, int n) { /* oracle */ }";
    task.allowed_flags = {"-funroll-loops"};
    task.digest = content_id("task");
    return std::make_shared<const Task>(std::move(task));
}

/// A local evaluator with a fake compiler, device and clock.
class LocalEvaluatorTest : public ::testing::Test {
  protected:
    using Result = std::future<EvaluationResult>;

    void make(testing::FakeLane::Behaviour behaviour = testing::FakeLane::passes) {
        auto compiler = std::make_unique<testing::FakeCompiler>();
        auto lane = std::make_unique<testing::FakeLane>(m_device, std::move(behaviour));
        m_compiler = compiler.get();
        m_lane = lane.get();
        m_compiler->on_compile = m_on_compile;
        m_parts.compiler = std::make_unique<CompileService>(std::move(compiler));
        m_parts.lanes.clear();
        m_parts.lanes.push_back(std::move(lane));
        m_parts.clock = m_clock;
        m_evaluator = std::make_unique<LocalEvaluator>(std::move(m_parts));
        m_parts = EvaluatorParts();
    }

    EvaluationRequest request(const std::string& body, Level level = Level::measure) const {
        EvaluationRequest request;
        request.task = m_task;
        request.candidate.source = "extern \"C\" void launch() { " + body + " }";
        request.level = level;
        return request;
    }
    Result submit(EvaluationRequest request) {
        auto promise = std::make_shared<std::promise<EvaluationResult>>();
        m_evaluator->submit(std::move(request), [promise](EvaluationResult result) {
            promise->set_value(std::move(result));
        });
        return promise->get_future();
    }
    EvaluationResult evaluate(EvaluationRequest request) {
        return evaluate_and_wait(*m_evaluator, std::move(request));
    }

    TaskPtr m_task = fake_copy_task();
    std::string m_device = "fake:1";
    std::shared_ptr<testing::ManualClock> m_clock = std::make_shared<testing::ManualClock>();
    std::function<void(const CompileRequest&)> m_on_compile;
    EvaluatorParts m_parts;
    testing::FakeCompiler* m_compiler = nullptr;
    testing::FakeLane* m_lane = nullptr;
    std::unique_ptr<LocalEvaluator> m_evaluator;
};

}  // namespace atl
