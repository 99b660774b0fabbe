#include "tests/unit/server/adapter_fixture.hpp"

namespace atl {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using testing::HttpAnswer;

using FlashinferBench = AdapterTest;

/// As Solution.model_dump(mode="json") of flashinfer-bench 0.1.2 writes it.
json solution(const std::string& source) {
    return {{"name", "mine"},
            {"definition", "small"},
            {"author", "me"},
            {"spec",
             {{"language", "cpp"},
              {"target_hardware", {"cpu"}},
              {"entry_point", "main.cpp::launch"},
              {"dependencies", json::array()},
              {"destination_passing_style", true},
              {"binding", nullptr}}},
            {"sources", {{{"path", "main.cpp"}, {"content", source}}}},
            {"description", nullptr}};
}

TEST_F(FlashinferBench, ASolutionIsATaskWithTraces) {
    start();
    const json begun = json_of(post("/evaluate", {{"solution", solution("int a;")}}));
    // SHA-1 of definition, language, entry point, path and content, as with_unique_name() has it.
    EXPECT_EQ(begun["normalized_solution_name"], "mine_fcc592a5");
    const std::string id = begun["task_id"];
    const json task = json_of(ask("GET", "/tasks/" + id + "?timeout=30"));
    EXPECT_EQ(task["status"], "completed");
    EXPECT_EQ(task["definition"], "small");
    EXPECT_EQ(task["solution"], begun["normalized_solution_name"]);
    EXPECT_EQ(task["error"], nullptr);
    ASSERT_EQ(task["traces"].size(), 1u);  // "large", the one that is timed and not hidden
    const json& trace = task["traces"][0];
    EXPECT_EQ(trace["workload"]["uuid"], "small.large");
    EXPECT_EQ(trace["workload"]["axes"]["rows"], 64);
    EXPECT_EQ(trace["evaluation"]["status"], "PASSED");
    EXPECT_NEAR(trace["evaluation"]["performance"]["latency_ms"].get<double>(), 1006e-6, 1e-9);
    EXPECT_GT(trace["evaluation"]["performance"]["speedup_factor"].get<double>(), 0);
    EXPECT_TRUE(trace["evaluation"]["correctness"]["max_absolute_error"].is_number());
    const json both = json_of(post("/tasks/batch", {{"task_ids", {id, id}}, {"timeout", 5}}));
    EXPECT_EQ(both.size(), 2u);
    EXPECT_EQ(both[1]["task_id"], id);
}

TEST_F(FlashinferBench, ACandidatesFaultIsATrace) {
    m_fake.outcome = [](const Candidate&) { return Outcome::wrong_result; };
    start();
    const std::string id =
        json_of(post("/evaluate", {{"solution", solution("int a;")}}))["task_id"];
    const json task = json_of(ask("GET", "/tasks/" + id + "?timeout=30"));
    EXPECT_EQ(task["status"], "completed");
    EXPECT_EQ(task["traces"][0]["evaluation"]["status"], "INCORRECT_NUMERICAL");
    EXPECT_EQ(task["traces"][0]["evaluation"]["performance"], nullptr);
    EXPECT_TRUE(task["traces"][0]["evaluation"]["correctness"].is_object());
}

TEST_F(FlashinferBench, AFaultOfOursIsAFailedTaskWithoutTraces) {
    break_workers();
    m_fake.fault_code = ErrorCode::timeout;
    start();
    const std::string id =
        json_of(post("/evaluate", {{"solution", solution("int a;")}}))["task_id"];
    const json task = json_of(ask("GET", "/tasks/" + id + "?timeout=30"));
    EXPECT_EQ(task["status"], "failed");
    EXPECT_EQ(task["traces"], nullptr);
    EXPECT_THAT(task["error"].get<std::string>(), HasSubstr("deadline"));
}

TEST_F(FlashinferBench, AFaultThatPassesIsWaitedOutAndSoIsAFullQueue) {
    m_fake.fault = [](std::uint64_t number, const Candidate&) { return number < 7; };
    m_options.jobs.jobs = 1;
    m_options.jobs.first_pause = std::chrono::milliseconds(1);
    start();
    const json first = json_of(post("/evaluate", {{"solution", solution("int a;")}}));
    const json second = json_of(post("/evaluate", {{"solution", solution("int b;")}}));
    for (const json& begun : {first, second}) {
        const std::string id = begun["task_id"];
        EXPECT_EQ(json_of(ask("GET", "/tasks/" + id + "?timeout=30"))["status"], "completed");
    }
}

TEST_F(FlashinferBench, TheSpeedupIsThereWhateverTheScore) {
    start();
    const json question = {{"solution", solution("int a;")}};
    const std::string id = json_of(post("/evaluate?score=light", question))["task_id"];
    const json task = json_of(ask("GET", "/tasks/" + id + "?timeout=30"));
    const json performance = task["traces"][0]["evaluation"]["performance"];
    EXPECT_GT(performance["speedup_factor"].get<double>(), 0);
    EXPECT_GT(performance["reference_latency_ms"].get<double>(), 0);
    // What passed must have times there: a verdict without them cannot be said.
    EXPECT_EQ(post("/evaluate?level=verify", question).status, 422);
}

TEST_F(FlashinferBench, TasksMayEndWhileAnAnswerIsWritten) {
    m_fake.manual = true;
    start();
    json ids = json::array();
    for (int i = 0; i < 60; ++i) {
        const std::string source = "int a; // " + std::to_string(i);
        ids.push_back(json_of(post("/evaluate", {{"solution", solution(source)}}))["task_id"]);
    }
    std::atomic<bool> all_done = false;
    std::thread ending([&] {
        while (!all_done) {
            m_evaluator->wait_for_pending(1, std::chrono::milliseconds(10));
            m_evaluator->finish();
        }
    });
    std::size_t done = 0;
    while (done < ids.size()) {
        done = 0;
        for (const json& task : json_of(post("/tasks/batch", {{"task_ids", ids}}))) {
            const bool completed = task["status"] == "completed";
            done += completed ? 1 : 0;
            EXPECT_EQ(task["traces"].is_array(), completed);
        }
    }
    all_done = true;
    ending.join();
}

TEST_F(FlashinferBench, APendingTaskIsRunning) {
    m_fake.manual = true;
    start();
    const std::string id =
        json_of(post("/evaluate", {{"solution", solution("int a;")}}))["task_id"];
    EXPECT_EQ(json_of(ask("GET", "/tasks/" + id))["status"], "running");
    EXPECT_EQ(ask("GET", "/tasks/j0").status, 404);
    EXPECT_EQ(ask("GET", "/tasks/" + id + "?timeout=x").status, 422);
    EXPECT_EQ(post("/tasks/batch", {{"task_ids", 1}}).status, 422);
    EXPECT_EQ(post("/tasks/batch", {{"task_ids", {"j0"}}}).status, 404);
    EXPECT_EQ(post("/tasks/batch", {{"task_ids", json::array()}}).body, "[]");
}

TEST_F(FlashinferBench, WhatCannotBeEvaluatedIsAnUnsupportedKindAndNoZero) {
    start();
    const auto refused = [&](const json& body) {
        const HttpAnswer answer = post("/evaluate", {{"solution", body}});
        EXPECT_EQ(answer.status, 422) << answer.body;
        return error_code(answer);
    };
    json body = solution("int a;");
    for (const char* language : {"python", "triton", "tilelang"}) {
        body["spec"]["language"] = language;
        EXPECT_EQ(refused(body), "unsupported_kind") << language;
    }
    body = solution("int a;");
    body["spec"]["language"] = "cuda";  // the server has a CPU alone
    EXPECT_EQ(refused(body), "unsupported_kind");
    body = solution("int a;");
    body["spec"]["entry_point"] = "main.cpp::run";
    EXPECT_EQ(refused(body), "unsupported_kind");
    body = solution("int a;");
    body["sources"].push_back({{"path", "b.hpp"}, {"content", ""}});
    EXPECT_EQ(refused(body), "unsupported_kind");
    body = solution("int a;");
    body["definition"] = "none such";
    EXPECT_EQ(refused(body), "unknown_task");
    body["name"] = "";
    EXPECT_EQ(refused(body), "invalid_request");
    EXPECT_EQ(post("/evaluate", {{"solution", solution("")}, {"workload_uuids", {"x"}}}).status,
              422);
}

TEST_F(FlashinferBench, DefinitionsAndWorkloadsAreDescribedWithoutHiddenOnes) {
    start();
    EXPECT_EQ(json_of(ask("GET", "/definitions"))[0]["name"], "small");
    const json definition = json_of(ask("GET", "/definitions/small"));
    EXPECT_EQ(definition["axes"]["rows"]["type"], "var");
    EXPECT_EQ(definition["axes"]["pad"]["value"], 4);
    EXPECT_EQ(definition["inputs"]["alpha"]["shape"], nullptr);
    const json workloads = json_of(ask("GET", "/definitions/small/workloads"));
    ASSERT_EQ(workloads.size(), 1u);
    EXPECT_EQ(json_of(ask("GET", "/workloads/small.large")), workloads[0]);
    EXPECT_EQ(ask("GET", "/workloads/small.secret_large").status, 404);
    EXPECT_EQ(ask("GET", "/definitions/none").status, 404);
    EXPECT_EQ(ask("GET", "/definitions/none/workloads").status, 404);
}

}  // namespace
}  // namespace atl
