#include "reward/server/adapters/adapters.hpp"
#include "tests/unit/server/adapter_fixture.hpp"

namespace atl {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using testing::HttpAnswer;

using KernelGym = AdapterTest;

json one(const std::string& id, const std::string& code) {
    return {{"task_id", id},
            {"kernel_code", code},
            {"reference_code", "# <atoll>small</atoll>\nclass Model: ..."},
            {"backend", "cuda"}};
}

TEST_F(KernelGym, ARecordedRequestIsEvaluatedAndCanBeAskedForAfterwards) {
    start();
    const HttpAnswer answer = send_recorded("kernelgym_evaluate");
    ASSERT_EQ(answer.status, 200) << answer.body;
    const json body = json_of(answer);
    EXPECT_EQ(body["task_id"], "parallel_task_000001_0a1b2c3d");
    EXPECT_EQ(body["status"], "completed");
    EXPECT_EQ(body["compiled"], true);
    EXPECT_EQ(body["correctness"], true);
    EXPECT_EQ(body["decoy_kernel"], false);
    EXPECT_GT(body["speedup"].get<double>(), 0);
    EXPECT_NEAR(body["reference_runtime"].get<double>(),
                body["speedup"].get<double>() * body["kernel_runtime"].get<double>(), 1e-12);
    EXPECT_NEAR(body["kernel_runtime"].get<double>(), 1060e-6, 1e-9);  // ms: 1000 + 60 bytes
    EXPECT_EQ(body["error_message"], nullptr);
    const json status = json_of(ask("GET", "/status/parallel_task_000001_0a1b2c3d"));
    EXPECT_EQ(status["status"], "completed");
    json results = json_of(ask("GET", "/results/parallel_task_000001_0a1b2c3d"));
    EXPECT_EQ(results["speedup"], body["speedup"]);
    EXPECT_EQ(ask("GET", "/results/other").status, 404);
    EXPECT_EQ(ask("GET", "/status/other").status, 404);
}

TEST_F(KernelGym, PythonModulesAreAnUnsupportedKindAndNoZero) {
    start();
    const HttpAnswer answer = send_recorded("kernelgym_python");
    EXPECT_EQ(answer.status, 422);
    EXPECT_EQ(error_code(answer), "unsupported_kind");
    EXPECT_THAT(answer.body, HasSubstr("unsupported candidate kind: a Python module"));
    EXPECT_THAT(answer.body, ::testing::Not(HasSubstr("correctness")));
}

TEST_F(KernelGym, ACandidatesFaultIsCompleted) {
    m_fake.outcome = [](const Candidate&) { return Outcome::compile_error; };
    start();
    const json body = json_of(post("/evaluate", one("a", "int a; // no")));
    EXPECT_EQ(body["status"], "completed");
    EXPECT_EQ(body["compiled"], false);
    EXPECT_EQ(body["correctness"], false);
    EXPECT_EQ(body["error_code"], "COMPILATION_ERROR");
    EXPECT_EQ(body["kernel_runtime"], nullptr);
    EXPECT_EQ(body["metadata"]["outcome"], "compile_error");
}

TEST_F(KernelGym, AFaultThatPassesIsWaitedOutAlsoOfWhatIsPolled) {
    m_fake.fault = [](std::uint64_t number, const Candidate&) { return number < 7; };
    m_options.jobs.first_pause = std::chrono::milliseconds(1);
    m_options.times.answer = std::chrono::milliseconds(1);
    start();
    json body = one("a", "int a; // aa");
    body["run_performance"] = false;
    EXPECT_EQ(post("/evaluate", body).status, 200);
    while (json_of(ask("GET", "/status/a"))["status"] == "processing") {
    }
    EXPECT_EQ(json_of(ask("GET", "/results/a"))["correctness"], true);
    EXPECT_EQ(m_evaluator->requests().size(), 8u);
}

TEST_F(KernelGym, TheStartersFaultIsWaitedOutToo) {
    m_fake.fault = [](std::uint64_t number, const Candidate& candidate) {
        return number < 9 && candidate.source.find("STEP") != std::string::npos;
    };
    m_options.jobs.first_pause = std::chrono::milliseconds(1);
    start();
    EXPECT_TRUE(json_of(post("/evaluate", one("a", "int a; // aa")))["speedup"].is_number());
}

TEST_F(KernelGym, WhatIsTriedAgainTakesRoomMeanwhile) {
    break_workers();
    m_options.jobs.jobs = 1;
    m_options.jobs.first_pause = std::chrono::minutes(1);
    m_options.times.answer = std::chrono::milliseconds(20);
    start();
    json body = one("a", "int a; // aa");
    body["run_performance"] = false;
    EXPECT_EQ(json_of(post("/evaluate", body))["status"], "processing");
    while (m_evaluator->requests().size() < 4) {
    }
    body["task_id"] = "b";
    EXPECT_EQ(post("/evaluate", body).status, 429);
}

TEST_F(KernelGym, AFaultOfOursIsNeitherFailedNorCompleted) {
    break_workers();
    m_options.times.answer = std::chrono::milliseconds(20);
    m_options.jobs.first_pause = std::chrono::milliseconds(1);
    start();
    json body = one("a", "int a; // aa");
    body["atoll"] = {{"task", "small"}, {"level", "verify"}, {"deadline_s", 1}};
    EXPECT_EQ(json_of(post("/evaluate", body))["status"], "processing");
    while (ask("GET", "/status/a").status == 200) {
    }
    EXPECT_EQ(ask("GET", "/status/a").status, 503);
    EXPECT_EQ(ask("GET", "/results/a").status, 503);
}

/// Faults of which other clients are told with another status (504, 500).
class KernelGymFault : public AdapterTest, public ::testing::WithParamInterface<ErrorCode> {};

TEST_P(KernelGymFault, Is503SinceEveryOtherStatusIsAPenaltyThere) {
    break_workers();
    m_fake.fault_code = GetParam();
    m_options.times.answer = std::chrono::milliseconds(20);
    start();
    const json batch = {{"batch_id", "b"}, {"tasks", {one("b", "int b; // bb")}}};
    // A missed deadline may be tried once more at the end of the 20 ms: then it is "processing".
    const HttpAnswer alone = post("/evaluate", one("a", "int a; // aa"));
    EXPECT_TRUE(alone.status == 503 || json_of(alone)["status"] == "processing") << alone.body;
    const HttpAnswer all = post("/evaluate/batch", batch);
    EXPECT_TRUE(all.status == 503 || json_of(all)["batch_status"] == "processing") << all.body;
    HttpAnswer status = ask("GET", "/status/a");
    while (status.status == 200 && json_of(status)["status"] == "processing") {
        status = ask("GET", "/status/a");
    }
    for (const HttpAnswer& answer : {status, ask("GET", "/results/a")}) {
        EXPECT_EQ(answer.status, 503) << answer.body;
        EXPECT_TRUE(answer.headers.contains("retry-after"));
    }
}

INSTANTIATE_TEST_SUITE_P(All, KernelGymFault,
                         ::testing::Values(ErrorCode::timeout, ErrorCode::invalid_argument));

TEST_F(KernelGym, TheSpeedupIsThereWhateverTheScore) {
    start();
    const json body = json_of(post("/evaluate?score=light", one("a", "int a; // aa")));
    EXPECT_TRUE(body["speedup"].is_number()) << body.dump();
    EXPECT_TRUE(body["reference_runtime"].is_number());
    EXPECT_TRUE(body["metadata"]["scores"]["light"].is_number());
}

TEST_F(KernelGym, WhatTakesLongIsProcessingAndPolled) {
    m_fake.manual = true;
    m_options.times.answer = std::chrono::milliseconds(20);
    start();
    json body = one("a", "int a; // aa");
    body["run_performance"] = false;  // level verify: one evaluation and no more
    EXPECT_EQ(json_of(post("/evaluate", body))["status"], "processing");
    EXPECT_EQ(json_of(ask("GET", "/status/a"))["status"], "processing");
    EXPECT_EQ(json_of(ask("GET", "/results/a"))["status"], "processing");
    m_evaluator->finish();
    while (json_of(ask("GET", "/status/a"))["status"] != "completed") {
    }
    EXPECT_EQ(json_of(ask("GET", "/results/a"))["correctness"], true);
}

TEST_F(KernelGym, WhoLeavesIsStillServedSinceItsClientPolls) {
    m_fake.manual = true;
    m_options.times.comes_again = std::chrono::milliseconds(1);
    start();
    json body = one("a", "int a; // aa");
    body["run_performance"] = false;
    testing::SocketClient client = http();
    client.send(testing::http_request("POST", "/evaluate", body.dump()));
    ASSERT_TRUE(m_evaluator->wait_for_pending(1));
    client.close();
    while (!has_seen_who_left()) {
    }
    EXPECT_EQ(json_of(ask("GET", "/status/a"))["status"], "processing");
    m_evaluator->finish();
    while (json_of(ask("GET", "/status/a"))["status"] != "completed") {
    }
}

TEST_F(KernelGym, AFullQueueIsWaitedOut) {
    m_fake.manual = true;
    m_options.jobs.jobs = 1;
    start();
    json body = one("a", "int a; // aa");
    body["run_performance"] = false;
    testing::SocketClient first = http();
    first.send(testing::http_request("POST", "/evaluate", body.dump()));
    ASSERT_TRUE(m_evaluator->wait_for_pending(1));
    body["task_id"] = "b";
    body["kernel_code"] = "int b; // bbb";
    testing::SocketClient second = http();
    second.send(testing::http_request("POST", "/evaluate", body.dump()));
    m_evaluator->finish();
    EXPECT_EQ(json::parse(testing::read_answer(first).body)["status"], "completed");
    ASSERT_TRUE(m_evaluator->wait_for_pending(1));
    m_evaluator->finish();
    EXPECT_EQ(json::parse(testing::read_answer(second).body)["task_id"], "b");
}

TEST_F(KernelGym, ItsCoverageRewardsFindTheCandidatesShare) {
    start();
    const json told = json_of(post("/evaluate", one("a", "int a; // aa")))["metadata"];
    EXPECT_EQ(told["num_custom_kernels"], told["num_total_kernels"]);
    EXPECT_NEAR(told["custom_kernel_cuda_time_in_profiling_us"].get<double>(), 1.012, 1e-9);
    EXPECT_EQ(told["total_kernel_run_time_in_profiling_us"],
              told["custom_kernel_cuda_time_in_profiling_us"]);
}

TEST_F(KernelGym, ABatchIsEvaluatedSideBySide) {
    m_fake.manual = true;
    start();
    json tasks = json::array();
    for (int i = 0; i < 3; ++i) {
        tasks.push_back(one("t" + std::to_string(i), "int a; // " + std::to_string(i) + "0"));
        tasks.back()["measure_performance"] = false;
    }
    testing::SocketClient client = http();
    client.send(testing::http_request("POST", "/evaluate/batch",
                                      json{{"batch_id", "b"}, {"tasks", tasks}}.dump()));
    ASSERT_TRUE(m_evaluator->wait_for_pending(3));  // before any of them has ended
    m_evaluator->finish(2);
    m_evaluator->finish(0);
    m_evaluator->finish(0);
    const json body = json::parse(testing::read_answer(client).body);
    EXPECT_EQ(body["batch_id"], "b");
    EXPECT_EQ(body["total_tasks"], 3);
    EXPECT_EQ(body["completed_tasks"], 3);
    EXPECT_EQ(body["batch_status"], "completed");
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(body["results"][static_cast<std::size_t>(i)]["task_id"], "t" + std::to_string(i));
    }
}

TEST_F(KernelGym, AModuleInABatchIsRefusedAloneAndHasNoVerdict) {
    start();
    const json tasks = {one("a", "int a; // aa"), one("b", "import torch\n"),
                        one("c", "int c; // cc")};
    const HttpAnswer answer = post("/evaluate/batch", {{"batch_id", "b"}, {"tasks", tasks}});
    ASSERT_EQ(answer.status, 200) << answer.body;
    const json body = json_of(answer);
    EXPECT_EQ(body["total_tasks"], 3);
    EXPECT_EQ(body["completed_tasks"], 2);
    EXPECT_EQ(body["failed_tasks"], 1);
    ASSERT_EQ(body["results"].size(), 3u);
    EXPECT_EQ(body["results"][0]["correctness"], true);
    EXPECT_EQ(body["results"][1]["task_id"], "b");
    EXPECT_EQ(body["results"][1]["status"], "failed");
    EXPECT_EQ(body["results"][1]["correctness"], nullptr);
    EXPECT_THAT(body["results"][1]["error_message"].get<std::string>(), HasSubstr("Python"));
    EXPECT_EQ(body["results"][2]["task_id"], "c");
    EXPECT_EQ(body["results"][2]["correctness"], true);
}

TEST_F(KernelGym, WrongRequestsSayWhatIsWrong) {
    start();
    const auto where = [&](const json& body, const std::string& path = "/evaluate") {
        const HttpAnswer answer = post(path, body);
        EXPECT_EQ(answer.status, 422) << answer.body;
        return json_of(answer)["error"]["where"].get<std::string>();
    };
    json body = one("a", "int a; // aa");
    body["task_id"] = std::string(101, 'x');
    EXPECT_EQ(where(body), "body: task_id");
    body = one("a", "int a; // aa");
    body["reference_code"] = "class Model: ...";
    EXPECT_EQ(where(body), "body");
    EXPECT_EQ(where(json::object()), "body");
    body["solution"] = json::object();
    EXPECT_EQ(where(body), "body");  // both shapes at once
    EXPECT_EQ(where({{"tasks", json::array()}}, "/evaluate/batch"), "body: tasks");
    const json batch = {{"tasks", {one("a", "int a; // aa"), json::object()}}};
    EXPECT_EQ(where(batch, "/evaluate/batch"), "body: tasks[1]: kernel_code");
}

TEST_F(KernelGym, HealthHasTheKeysOfBothClients) {
    start();
    const json body = json_of(ask("GET", "/health"));
    EXPECT_EQ(body["status"], "healthy");
    for (const char* key : {"timestamp", "gpu_status", "queue_status", "memory_usage",
                            "active_tasks", "total_processed", "uptime", "queue_size"}) {
        EXPECT_TRUE(body.contains(key)) << key;
    }
    EXPECT_EQ(body["workers"][0], (json{{"device", "cpu"}, {"healthy", true}}));
}

TEST(PythonModule, IsToldFromCppAndCuda) {
    EXPECT_TRUE(is_python_module("import torch\n"));
    EXPECT_TRUE(is_python_module("# x\nfrom torch import nn"));
    EXPECT_TRUE(is_python_module("class ModelNew(nn.Module):\r\n    pass"));
    EXPECT_TRUE(is_python_module("@triton.jit\ndef kernel(x):\n    pass"));
    EXPECT_FALSE(is_python_module("#include <cmath>\nclass A : public B {\n};\n"));
    EXPECT_FALSE(is_python_module("import std;\n"));
    EXPECT_FALSE(is_python_module("// from here\nvoid launch() {}\n"));
    EXPECT_FALSE(is_python_module(""));
    EXPECT_FALSE(is_python_module("/*\nimport of the K tile overlaps\n*/\nint a;\n"));
    EXPECT_FALSE(is_python_module("int a; /* two\nfrom there import that */\n"));
    EXPECT_FALSE(is_python_module("class Tile :\n    public Base {};\n"));
    EXPECT_FALSE(is_python_module("#include <cmath>\nR\"(\nimport torch\n)\";\n"));
    EXPECT_FALSE(is_python_module("// class ModelNew\nextern \"C\" void launch();\nimport x\n"));
    EXPECT_TRUE(is_python_module("# /* no comment\nimport torch\n"));
    EXPECT_TRUE(is_python_module("/* a */\nimport torch\n"));
    EXPECT_TRUE(is_python_module("class ModelNew:\n    pass\n"));
    EXPECT_TRUE(is_python_module("import torch\nsource = \"\"\"\n#include <cmath>\n\"\"\"\n"));
}

}  // namespace
}  // namespace atl
