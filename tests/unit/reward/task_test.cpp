#include "reward/task.hpp"

#include "reward/candidate_files.hpp"
#include "reward/task_parts.hpp"
#include "tests/unit/reward/task_fixture.hpp"

#include <gmock/gmock.h>

#include <functional>

namespace atl {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::SmallTask;

TEST(LoadTask, ReadsEveryPartInDefinitionOrder) {
    const SmallTask files;
    const TaskPtr task = files.task();
    EXPECT_EQ(task->name, "small");
    EXPECT_EQ(task->kind, "cpu_cpp");
    ASSERT_EQ(task->axes.size(), 4u);
    EXPECT_EQ(task->axes[0].name, "rows");
    EXPECT_EQ(task->axes[2].kind, Axis::Kind::constant);
    EXPECT_EQ(task->axes[2].value, 4);
    EXPECT_EQ(task->axes[3].kind, Axis::Kind::expression);
    ASSERT_EQ(task->inputs.size(), 3u);
    EXPECT_EQ(task->inputs[0].name, "x");
    EXPECT_EQ(task->inputs[1].name, "bias");
    EXPECT_TRUE(task->inputs[2].scalar);
    EXPECT_EQ(task->outputs[0].shape, (std::vector<std::string>{"rows", "cols"}));
    ASSERT_EQ(task->distributions.size(), 2u);
    EXPECT_EQ(task->distributions[1].inputs.at("x").parameters.at("step"), 2);
    EXPECT_EQ(task->tolerance.rtol, 1e-5);
    EXPECT_EQ(task->flops, "3*rows*cols");
    EXPECT_EQ(task->allowed_flags, std::vector<std::string>{"-funroll-loops"});
    ASSERT_EQ(task->workloads.size(), 6u);
    EXPECT_EQ(task->workloads[0].use, Workload::Use::verify);
    EXPECT_EQ(task->workloads[0].scalars.at("alpha"), 1.5);
    EXPECT_TRUE(task->workloads[4].hidden);
    ASSERT_EQ(task->starters.size(), 1u);
    EXPECT_EQ(task->starters[0].name, "plain");
    EXPECT_THAT(task->reference_source, HasSubstr("reference("));
    EXPECT_FALSE(task->digest.is_zero());
}

TEST(LoadTask, BindsAllAxesAndCountsElements) {
    const SmallTask files;
    const TaskPtr task = files.task();
    const auto axes = bind_axes(*task, task->workloads[0]).value();
    EXPECT_EQ(axes.at("cols"), 17);
    EXPECT_EQ(axes.at("padded"), 20);
    EXPECT_EQ(element_count(task->inputs[0], axes).value(), 51);
    EXPECT_EQ(element_count(task->inputs[2], axes).value(), 1);
}

// FlashInfer-Bench's and SOL-ExecBench's own files: no atoll block, Python reference, foreign keys.
TEST(LoadTask, LoadsDefinitionsOfOtherToolsUnchanged) {
    const testing::TemporaryFolder root;
    testing::write_text(root.path() / "gemm/definition.json", R"({
        "name": "gemm_n128_k2048", "op_type": "gemm", "description": null,
        "tags": ["status:verified"], "constraints": ["M >= 1"], "author": "someone",
        "axes": {"M": {"type": "var"}, "N": {"type": "const", "value": 128},
                 "K": {"type": "const", "value": 2048, "description": "hidden size"},
                 "KN": {"type": "expr", "expression": "K // N"}},
        "inputs": {"A": {"shape": ["M", "K"], "dtype": "float16"},
                   "B": {"shape": ["N", "K"], "dtype": "float16", "description": null},
                   "eps": {"shape": null, "dtype": "float32"}},
        "outputs": {"C": {"shape": ["M", "N"], "dtype": "float16"}},
        "reference": "import torch\n\ndef run(A, B, eps):\n    return A @ B.T\n"})");
    testing::write_text(root.path() / "gemm/workload.jsonl",
                        R"({"definition": "gemm_n128_k2048", "solution": null, "evaluation": null,)"
                        R"( "workload": {"uuid": "a2b4-11", "axes": {"M": 8}, "inputs":)"
                        R"( {"A": {"type": "random"}, "eps": {"type": "scalar", "value": 1e-6}},)"
                        R"( "tolerance": {"max_atol": 0.01, "max_rtol": 0.02,)"
                        R"( "required_matched_ratio": 0.99, "allow_negative_inf": false}}})");
    const TaskPtr task = load_task(root.path() / "gemm").value();
    EXPECT_EQ(bind_axes(*task, task->workloads[0]).value().at("KN"), 16);
    EXPECT_EQ(task->workloads[0].use, Workload::Use::measure);
    ASSERT_TRUE(task->workloads[0].tolerance.has_value());
    EXPECT_EQ(task->workloads[0].tolerance->rtol, 0.02);
    EXPECT_EQ(task->workloads[0].tolerance->matched_ratio, 0.99);
    EXPECT_EQ(task->distributions.size(), 1u);
}

/// One way to break the small task, and what the error must say.
struct Mistake {
    std::string name;
    std::function<void(SmallTask&)> make;
    std::string message;
    ErrorCode code = ErrorCode::invalid_argument;
};

std::function<void(SmallTask&)> definition(const std::string& from, const std::string& to) {
    return [=](SmallTask& task) { task.replace("definition.json", from, to); };
}

std::function<void(SmallTask&)> workload(const std::string& from, const std::string& to) {
    return [=](SmallTask& task) { task.replace("workload.jsonl", from, to); };
}

// The same bytes, but reached by a link.
std::function<void(SmallTask&)> linked(const std::string& file) {
    return [=](SmallTask& task) {
        const std::filesystem::path moved = task.folder().parent_path() / "elsewhere";
        std::filesystem::rename(task.folder() / file, moved);
        std::filesystem::create_symlink(moved, task.folder() / file);
    };
}

std::function<void(SmallTask&)> extra_line(const std::string& line) {
    return [=](SmallTask& task) { task.append("workload.jsonl", line + "\n"); };
}

std::string mistake_name(const ::testing::TestParamInfo<Mistake>& mistake) {
    return mistake.param.name;
}

class BrokenTask : public ::testing::TestWithParam<Mistake> {};

TEST_P(BrokenTask, IsRefusedWithAClearError) {
    SmallTask files;
    ASSERT_TRUE(files.load());
    GetParam().make(files);
    const Expected<TaskPtr> task = files.load();
    ASSERT_FALSE(task);
    EXPECT_THAT(task.error().message(), HasSubstr(GetParam().message));
    EXPECT_EQ(task.error().code, GetParam().code) << task.error().message();
}

INSTANTIATE_TEST_SUITE_P(
    Definition, BrokenTask,
    ::testing::Values(
        Mistake{"syntax", definition("\"op_type\":", "\"op_type\""),
                "definition.json: not valid JSON"},
        Mistake{"syntax_line", definition("\"op_type\":", "\"op_type\""), "line 3"},
        Mistake{"duplicate_key", definition("\"op_type\": \"test\"", "\"name\": \"other\""),
                "key 'name' stands twice"},
        Mistake{"duplicate_axis",
                definition("\"cols\": {\"type\": \"var\"}", "\"rows\": {\"type\": \"var\"}"),
                "key 'rows' stands twice"},
        Mistake{"name_missing", definition("\"name\": \"small\",", ""),
                "name: this key is missing"},
        Mistake{"near_miss", definition("\"outputs\":", "\"output\":"),
                "output: unknown key (did you mean 'outputs'?)"},
        Mistake{"bad_name", definition("\"small\"", "\"a/b\""), "cannot name a task"},
        Mistake{"newer_schema", definition("\"atoll\": {", "\"atoll\": {\"schema\": 2,"),
                "written for task schema 2", ErrorCode::too_new},
        Mistake{"unknown_key", definition("\"work\":", "\"wrk\":"), "did you mean 'work'?"},
        Mistake{"unknown_tolerance", definition("\"rtol\"", "\"rtoll\""), "atoll.tolerance.rtoll"},
        Mistake{"wrong_type", definition("\"rtol\": 1e-5", "\"rtol\": \"1e-5\""),
                "a number is needed"},
        Mistake{"negative_tolerance", definition("\"rtol\": 1e-5", "\"rtol\": -1"), "out of range"},
        Mistake{"axis_type", definition("\"type\": \"const\"", "\"type\": \"fixed\""),
                "unknown axis type 'fixed'"},
        Mistake{"axis_keyword", definition("\"pad\": {", "\"class\": {"), "axes.class"},
        Mistake{"axis_not_identifier", definition("\"bias\": {\"shape\"", "\"b-s\": {\"shape\""),
                "b-s"},
        Mistake{"name_clash", definition("\"y\": {\"shape\"", "\"rows\": {\"shape\""),
                "names two things"},
        Mistake{"unknown_axis_in_shape",
                definition("\"x\": {\"shape\": [\"rows\"", "\"x\": {\"shape\": [\"row\""),
                "did you mean 'rows'?"},
        Mistake{"self_reference", definition("ceil_div(cols, pad) * pad", "padded + 1"),
                "defined by itself"},
        Mistake{"circle",
                definition("\"pad\": {\"type\": \"const\", \"value\": 4}",
                           "\"pad\": {\"type\": \"expr\", \"expression\": \"padded + 1\"}"),
                "definition.json: axes.pad.expression: axis 'pad' is defined by a circle of"},
        Mistake{"dtype", definition("\"dtype\": \"float32\"", "\"dtype\": \"float8_e3m4\""),
                "dtype 'float8_e3m4' is not supported"},
        Mistake{"scalar_of_eight_bits",
                definition("\"shape\": null, \"dtype\": \"float32\"",
                           "\"shape\": null, \"dtype\": \"float8_e4m3fn\""),
                "a scalar cannot be of type float8_e4m3fn"},
        Mistake{"scalar_output",
                definition("\"y\": {\"shape\": [\"rows\", \"cols\"]", "\"y\": {\"shape\": null"),
                "an output cannot be a scalar"},
        Mistake{"no_outputs",
                definition("\"y\": {\"shape\": [\"rows\", \"cols\"], \"dtype\": \"float32\"}", ""),
                "no outputs"},
        Mistake{"unknown_work_axis", definition("3*rows*cols", "3*rows*colls"), "atoll.work.flops"},
        Mistake{"malformed_work", definition("3*rows*cols", "3*rows*"), "atoll.work.flops"},
        Mistake{"negative_work", definition("3*rows*cols", "-3*rows"),
                "definition.json: atoll.work.flops: \"-3*rows\" is negative for workload 'odd'"},
        Mistake{"generator", definition("\"kind\": \"ramp\"", "\"kind\": \"rammp\""),
                "did you mean 'ramp'?"},
        Mistake{"generator_parameter", definition("\"start\"", "\"strt\""),
                "did you mean 'start'?"},
        Mistake{"generator_input",
                definition("\"bias\": {\"kind\": \"normal\"}", "\"bais\": {\"kind\": \"normal\"}"),
                "did you mean 'bias'?"},
        Mistake{"generator_scalar",
                definition("\"bias\": {\"kind\": \"normal\"}", "\"alpha\": {\"kind\": \"normal\"}"),
                "has its value in the workload"},
        Mistake{"flag", definition("-funroll-loops", "-fplugin=x.so"), "-fplugin=x.so"},
        Mistake{"flag_shape", definition("-funroll-loops", "-o/etc/passwd"), "only -O"},
        Mistake{"fast_math", definition("-funroll-loops", "-ffast-math"), "fast_math is false"},
        Mistake{"external_without_kind",
                definition("\"work\":", "\"external\": {\"command\": [\"x\"]}, \"work\":"),
                "kind external"},
        Mistake{"kind", definition("\"atoll\": {", "\"atoll\": {\"kind\": \"triton\","),
                "unknown candidate kind 'triton'"},
        Mistake{"baseline_outside",
                definition("\"work\":",
                           "\"baselines\": [{\"name\": \"b\", \"file\": \"../x.cpp\"}], \"work\":"),
                "outside the task's folder"},
        Mistake{"baseline_missing",
                definition("\"work\":",
                           "\"baselines\": [{\"name\": \"b\", \"file\": \"x.cpp\"}], \"work\":"),
                "x.cpp", ErrorCode::not_found}),
    mistake_name);

INSTANTIATE_TEST_SUITE_P(
    Workload, BrokenTask,
    ::testing::Values(
        Mistake{"syntax", extra_line("{"), "workload.jsonl:7: not valid JSON"},
        Mistake{"duplicate_id", extra_line(SmallTask::line("odd", 2, 2, "verify", false)),
                "workload 'odd' stands twice"},
        Mistake{"other_definition",
                workload("\"definition\": \"small\"", "\"definition\": \"big\""),
                "the workload is of 'big'"},
        Mistake{"axis_missing", workload("\"rows\": 3, ", ""), "rows: the workload does not bind"},
        Mistake{"unknown_axis", workload("\"rows\": 3", "\"rows\": 3, \"rowz\": 1"),
                "did you mean 'rows'?"},
        Mistake{"zero_axis", workload("\"rows\": 3", "\"rows\": 0"), "out of range"},
        Mistake{"fractional_axis", workload("\"rows\": 3", "\"rows\": 3.5"),
                "an integer is needed"},
        Mistake{"huge_axis", workload("\"rows\": 3", "\"rows\": 99999999999999999999"),
                "an integer is needed"},
        Mistake{"int_overflow", workload("\"rows\": 3", "\"rows\": 2147483648"), "out of range"},
        Mistake{"absurd_allocation", workload("\"rows\": 3", "\"rows\": 2000000000"),
                "would be larger than", ErrorCode::limit},
        Mistake{"product_overflow",
                [](SmallTask& task) {
                    task.replace("workload.jsonl", "\"rows\": 3, \"cols\": 17",
                                 "\"rows\": 2147483647, \"cols\": 2147483647");
                    task.replace("definition.json", "\"x\": {\"shape\": [\"rows\", \"cols\"]",
                                 "\"x\": {\"shape\": [\"rows*cols*rows\", \"cols\"]");
                },
                "overflows"},
        Mistake{"sum_of_tensors",
                workload("\"rows\": 3, \"cols\": 17", "\"rows\": 1000, \"cols\": 900000"),
                "bytes together", ErrorCode::limit},
        Mistake{"scalar_missing",
                workload(", \"alpha\": {\"type\": \"scalar\", \"value\": 1.5}", ""),
                "a scalar input needs a value"},
        Mistake{"safetensors", workload("\"type\": \"random\"", "\"type\": \"safetensors\""),
                "input descriptor 'safetensors' is not supported"},
        Mistake{"unknown_input", workload("\"x\": {", "\"xx\": {"), "no such input"},
        Mistake{"use", workload("\"verify\"", "\"verfy\""), "unknown use 'verfy'"},
        Mistake{"unknown_key", workload("\"hidden\"", "\"hiden\""), "did you mean 'hidden'?"},
        Mistake{"none", [](SmallTask& task) { task.write("workload.jsonl", "\n"); },
                "no workloads"},
        Mistake{"no_workload_file", [](SmallTask& task) { task.remove("workload.jsonl"); },
                "workload.jsonl: this file of the task is missing", ErrorCode::not_found},
        Mistake{"definition_is_a_link", linked("definition.json"), "definition.json: is a link"},
        Mistake{"workload_file_is_a_link", linked("workload.jsonl"), "workload.jsonl: is a link"},
        Mistake{"reference_is_a_link", linked("reference.cpp"), "reference.cpp: is a link"},
        Mistake{"starter_is_a_link", linked("starters/plain.cpp"), "plain.cpp: is a link"},
        Mistake{"starters_are_a_link", linked("starters"), "starters: is a link"},
        Mistake{"link_to_nothing",
                [](SmallTask& task) {
                    task.remove("reference.cpp");
                    std::filesystem::create_symlink("nothing", task.folder() / "reference.cpp");
                },
                "reference.cpp: is a link"},
        Mistake{"baseline_behind_a_link",
                [](SmallTask& task) {
                    task.replace("definition.json", "\"distributions\": {",
                                 "\"baselines\": [{\"name\": \"b\", \"file\": "
                                 "\"linked/plain.cpp\"}], \"distributions\": {");
                    std::filesystem::create_symlink("starters", task.folder() / "linked");
                },
                "linked: is a link"},
        Mistake{"nul_in_source",
                [](SmallTask& task) {
                    task.write("starters/plain.cpp", std::string("int a;\0int b;", 13));
                },
                "NUL byte"},
        Mistake{"huge_source",
                [](SmallTask& task) { task.write("reference.cpp", std::string(2 << 20, ' ')); },
                "reference.cpp", ErrorCode::limit},
        Mistake{"huge_definition",
                [](SmallTask& task) { task.append("definition.json", std::string(2 << 20, ' ')); },
                "definition.json", ErrorCode::limit},
        Mistake{"deep_nesting", extra_line(std::string(100'000, '[') + std::string(100'000, ']')),
                "nested deeper"},
        Mistake{"definition_is_folder",
                [](SmallTask& task) {
                    task.remove("definition.json");
                    std::filesystem::create_directory(task.folder() / "definition.json");
                },
                "definition.json: is not a regular file"},
        Mistake{"definition_is_loop",
                [](SmallTask& task) {
                    task.remove("definition.json");
                    std::filesystem::create_symlink("definition.json",
                                                    task.folder() / "definition.json");
                },
                "definition.json: is a link"},
        Mistake{"folder", [](SmallTask& task) { task.remove("definition.json"); },
                "definition.json is missing", ErrorCode::not_found}),
    mistake_name);

TEST(LoadTask, AMarkBeforeUtf8IsNoPartOfASource) {
    SmallTask files;
    files.write("starters/plain.cpp", "\xEF\xBB\xBFint a;\n");
    EXPECT_EQ(files.task()->starters.front().source, "int a;\n");
    testing::write_text(files.folder() / "k.cpp", "\xEF\xBB\xBFint b;\n");
    Candidate candidate;
    ASSERT_TRUE(read_candidate(files.folder() / "k.cpp", candidate));
    EXPECT_EQ(candidate.source, "int b;\n");
    candidate.kind = "external";  // what the bytes of others mean is not known here
    ASSERT_TRUE(read_candidate(files.folder() / "k.cpp", candidate));
    EXPECT_EQ(candidate.source, "\xEF\xBB\xBFint b;\n");
}

Digest digest_after(const std::function<void(SmallTask&)>& change) {
    SmallTask files;
    change(files);
    return files.task()->digest;
}

TEST(TaskDigest, ChangesWithWhateverCanChangeAVerdict) {
    const Digest original = digest_after([](SmallTask&) {});
    EXPECT_EQ(original, digest_after([](SmallTask&) {}));
    for (const auto& change : std::vector<std::function<void(SmallTask&)>>{
             definition("\"value\": 4", "\"value\": 8"),
             definition("ceil_div(cols, pad) * pad", "cols * pad"),
             definition("\"rtol\": 1e-5", "\"rtol\": 2e-5"),
             definition("\"step\": 2", "\"step\": 3"), definition("3*rows*cols", "4*rows*cols"),
             definition("-funroll-loops", "-fno-plt"), workload("\"cols\": 17", "\"cols\": 18"),
             workload("\"value\": 1.5", "\"value\": 2.5"),
             workload("\"use\": \"verify\"", "\"use\": \"measure\""),
             [](SmallTask& task) { task.append("reference.cpp", "// changed\n"); },
             extra_line(SmallTask::line("more", 2, 2, "verify", false))}) {
        EXPECT_NE(original, digest_after(change));
    }
}

TEST(TaskDigest, IgnoresWordsStartersAndBaselines) {
    const Digest original = digest_after([](SmallTask&) {});
    EXPECT_EQ(original,
              digest_after(definition("\"op_type\": \"test\"", "\"description\": \"x\"")));
    EXPECT_EQ(original, digest_after([](SmallTask& task) {
                  task.append("starters/plain.cpp", "// changed\n");
                  task.write("starters/other.cpp", "int x;");
              }));
}

void add_cuda(SmallTask& files) {
    files.write("reference.cu", "void reference();  // of the device\n");
    files.write("starters/fast.cu", "void launch();\n");
    files.write("base.cu", "int of_cuda;\n");
    files.write("base.cpp", "int of_cpp;\n");
    files.replace("definition.json", "\"allowed_flags\"",
                  R"("baselines": [{"name": "a", "file": "base.cpp"},
                                   {"name": "b", "file": "base.cu"}], "allowed_flags")");
}

TEST(TaskKind, ATaskIsLoadedWithTheSourcesOfOneKind) {
    SmallTask files;
    add_cuda(files);
    const TaskPtr own = files.task();
    const TaskPtr cpu = load_task(files.folder(), "cpu_cpp").value();
    const TaskPtr cuda = load_task(files.folder(), "cuda").value();
    EXPECT_EQ(own->digest, cpu->digest);
    EXPECT_NE(own->digest, cuda->digest);
    EXPECT_EQ(own->kind, "cpu_cpp");
    ASSERT_EQ(own->starters.size(), 1u);
    EXPECT_EQ(own->starters[0].name, "plain");
    ASSERT_EQ(own->baselines.size(), 1u);
    EXPECT_EQ(own->baselines[0].source, "int of_cpp;\n");
    EXPECT_EQ(reference_file(*own).filename(), "reference.cpp");
    EXPECT_EQ(cuda->kind, "cuda");
    EXPECT_THAT(cuda->reference_source, HasSubstr("of the device"));
    ASSERT_EQ(cuda->starters.size(), 1u);
    EXPECT_EQ(cuda->starters[0].name, "fast");
    ASSERT_EQ(cuda->baselines.size(), 1u);
    EXPECT_EQ(cuda->baselines[0].source, "int of_cuda;\n");
    EXPECT_THAT(cuda->allowed_flags, Contains("--maxrregcount=64"));
    EXPECT_THAT(cuda->allowed_flags, Not(Contains("-funroll-loops")));
    EXPECT_THAT(cuda->allowed_flags, Not(Contains("--use_fast_math")));
    EXPECT_TRUE(load_task(files.folder(), "ptx").value()->allowed_flags.empty());
    EXPECT_EQ(reference_file(*cuda).filename(), "reference.cu");
    EXPECT_EQ(cuda->workloads.size(), own->workloads.size());
}

TEST(TaskKind, OffersFastArithmeticToDeviceCodeWhereTheTaskAllowsIt) {
    SmallTask files;
    files.write("reference.cu", "void reference();\n");
    files.replace("definition.json", "\"allowed_flags\"",
                  R"("precision": {"fast_math": true}, "allowed_flags")");
    EXPECT_THAT(load_task(files.folder(), "cuda").value()->allowed_flags,
                Contains("--use_fast_math"));
}

// Campaigns of old are resumed under the digest that they began with.
TEST(TaskKind, SourcesOfOneKindAreNotInTheDigestOfAnother) {
    const SmallTask plain;
    SmallTask both;
    both.write("reference.cu", "void reference();\n");
    EXPECT_EQ(plain.task()->digest, both.task()->digest);
    const Digest before = load_task(both.folder(), "cuda").value()->digest;
    both.append("reference.cpp", "// changed\n");
    EXPECT_EQ(load_task(both.folder(), "cuda").value()->digest, before);
    both.append("reference.cu", "// changed\n");
    EXPECT_NE(load_task(both.folder(), "cuda").value()->digest, before);
}

TEST(TaskKind, WhatTheTuneOperatorMayChooseForDeviceCodeIsNotInTheDigest) {
    SmallTask files;
    files.write("reference.cu", "void reference();\n");
    Task task = *load_task(files.folder(), "cuda").value();
    task.allowed_flags.clear();
    EXPECT_EQ(value_or_throw(task_digest(task)), task.digest);
    Task of_the_host = *load_task(files.folder(), "cpu_cpp").value();
    of_the_host.allowed_flags.clear();
    EXPECT_NE(value_or_throw(task_digest(of_the_host)), of_the_host.digest);
}

std::string refusal(const std::filesystem::path& folder, const std::string& kind) {
    const Expected<TaskPtr> task = load_task(folder, kind);
    return task ? "loaded" : task.error().message();
}

TEST(TaskKind, AKindThatTheTaskDoesNotHaveIsRefused) {
    const SmallTask files;
    EXPECT_THAT(refusal(files.folder(), "cuda"),
                HasSubstr("task small has no reference.cu, which kind cuda needs"));
    EXPECT_THAT(refusal(files.folder(), "cudda"),
                HasSubstr("unknown kind of candidates 'cudda' (did you mean 'cuda'?)"));
    EXPECT_THAT(refusal(files.folder(), "external"), HasSubstr("use cpu_cpp or cuda"));
    const auto packing = std::filesystem::path(ATOLL_SOURCE_DIR) / "experiments/tasks/packing";
    for (const char* kind : {"cuda", "cpu_cpp"}) {
        EXPECT_THAT(refusal(packing, kind),
                    HasSubstr("no candidates of kind " + std::string(kind)));
    }
    EXPECT_EQ(refusal(packing, "external"), "loaded") << "its own, said aloud";
}

TEST(TaskKind, IsKnownFromAFilesName) {
    EXPECT_EQ(kind_of_file("a/b.cu"), "cuda");
    EXPECT_EQ(kind_of_file("b.cpp"), "cpu_cpp");
    EXPECT_EQ(kind_of_file("b.cc"), "cpu_cpp");
    EXPECT_EQ(kind_of_file("b.cxx"), "cpu_cpp");
    EXPECT_EQ(kind_of_file("cu"), "");
    EXPECT_EQ(kind_of_file("b.py"), "");
}

TEST(FindTask, FindsByPathOrNameAndSuggests) {
    const SmallTask files;
    EXPECT_EQ(find_task(files.folder().string()).value(), files.folder());
    // What is wrong with its definition is for load_task() to say.
    const testing::TemporaryFolder odd;
    std::filesystem::create_directory(odd.path() / "definition.json");
    EXPECT_EQ(find_task(odd.path().string()).value(), odd.path());
    ::setenv("ATOLL_TASKS", files.folder().parent_path().c_str(), 1);
    EXPECT_EQ(find_task("small").value(), files.folder());
    const auto wrong = find_task("smal");
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().code, ErrorCode::not_found);
    EXPECT_THAT(wrong.error().message(), HasSubstr("did you mean 'small'?"));
    ::unsetenv("ATOLL_TASKS");
    EXPECT_FALSE(find_task("/nowhere/at/all"));
}

}  // namespace
}  // namespace atl
