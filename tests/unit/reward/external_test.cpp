#include "reward/candidate_files.hpp"
#include "reward/kinds/judge_answer.hpp"
#include "reward/score.hpp"
#include "tests/unit/reward/external_fixture.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

namespace atl {
namespace {

namespace fs = std::filesystem;
using testing::ExternalTask;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::TemporaryFolder;

std::string quoted(const std::string& text) {
    std::string result = "\"";
    for (const char c : text) {
        result += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
    }
    return result + "\"";
}

TEST_F(ExternalTask, TakesScoresFeedbackAndArtefacts) {
    const Verdict verdict = answer(R"({"correct": true, "score": 2.5, "scores": {"a": 1},
        "metrics": {"b": 2}, "feedback": "good", "artefacts": {"log": "text"}, "other": []})");
    EXPECT_EQ(verdict.outcome, Outcome::passed);
    EXPECT_EQ(verdict.kind, "external");
    EXPECT_EQ(verdict.trust, "external");
    EXPECT_EQ(verdict.scores, (std::map<std::string, double>{{"score", 2.5}, {"a", 1}, {"b", 2}}));
    EXPECT_EQ(verdict.feedback, "good");
    EXPECT_EQ(verdict.artefacts.at("log"), "text");
    EXPECT_EQ(score("external", verdict, {}).value(), 2.5);
    EXPECT_EQ(parse_verdict(to_json(verdict)).value().scores, verdict.scores);
}

TEST_F(ExternalTask, TakesTimesAsAMeasurement) {
    const Verdict verdict = answer(R"({"correct": true, "times": {"small": 100, "large": 400}})");
    EXPECT_EQ(verdict.stage, Stage::measure);
    ASSERT_TRUE(verdict.measure.has_value());
    EXPECT_NEAR(public_geomean_ns(verdict).value(), 200, 1e-9);
}

TEST_F(ExternalTask, AWrongAnswerIsAVerdict) {
    const Verdict verdict = answer(R"({"correct": false, "feedback": "point 3 is outside\nmore"})");
    EXPECT_EQ(verdict.outcome, Outcome::wrong_result);
    EXPECT_EQ(verdict.reason, "point 3 is outside");
}

TEST_F(ExternalTask, ReadsTheLastLineAfterOtherOutput) {
    EXPECT_EQ(answer("loading...\n{\"a\": 1}\n{\"correct\": true, \"score\": 1}\n\n").outcome,
              Outcome::passed);
}

TEST_F(ExternalTask, MalformedAnswersAreTheJudgesFailure) {
    const std::map<std::string, std::string> answers = {
        {"", "wrote nothing"},
        {"hello", "not valid JSON"},
        {"[1, 2]", "an object"},
        {R"({"score": 1})", "correct: this key is missing"},
        {R"({"correct": 1, "score": 1})", "true or false"},
        {R"({"correct": true})", "neither score"},
        {R"({"correct": true, "score": NaN})", "not valid JSON"},
        {R"({"correct": true, "score": "nan"})", "a number is needed"},
        {R"({"correct": true, "score": null})", "a number is needed"},
        {R"({"correct": true, "score": 1e999})", "number"},
        {R"({"correct": true, "scores": {"a": "b"}})", "scores.a"},
        {R"({"correct": true, "times": {"a": 0}})", "out of range"},
        {R"({"correct": true, "score": 1, "score": 2})", "stands twice"},
        {R"({"correct": true, "score": 1, "feedback": 3})", "a text is needed"},
    };
    for (const auto& [json, message] : answers) {
        const Verdict verdict = answer(json);
        EXPECT_EQ(verdict.outcome, Outcome::evaluator_failed) << json;
        EXPECT_THAT(verdict.reason, HasSubstr(message)) << json;
        EXPECT_THAT(verdict.scores, IsEmpty()) << json;
    }
}

TEST_F(ExternalTask, LimitsEveryField) {
    const Verdict verdict =
        answer(R"({"correct": true, "score": 1, "feedback": ")" + std::string(100'000, 'f') +
               R"(", "artefacts": {"a": ")" + std::string(200'000, 'x') + "\"}}");
    EXPECT_EQ(verdict.feedback.size(), k_max_feedback_bytes);
    EXPECT_EQ(verdict.artefacts.at("a").size(), k_max_artefact_bytes);
    std::string many = R"({"correct": true, "scores": {)";
    for (int i = 0; i < 300; ++i) {
        many += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\": 1";
    }
    EXPECT_EQ(answer(many + "}}").outcome, Outcome::evaluator_failed);
    EXPECT_EQ(cut_text("a\xC3\xA9", 2), "a");
    EXPECT_EQ(cut_text("\xFF", 10), "\xEF\xBF\xBD");
}

TEST_F(ExternalTask, AFailingJudgeShowsItsErrors) {
    const Verdict verdict =
        judge(task("echo '{\"correct\": true, \"score\": 1}'; echo 'no licence' >&2; exit 3"));
    EXPECT_EQ(verdict.outcome, Outcome::evaluator_failed);
    EXPECT_THAT(verdict.reason, HasSubstr("exit status 3"));
    EXPECT_THAT(verdict.feedback, HasSubstr("no licence"));
    EXPECT_THAT(verdict.scores, IsEmpty());
    EXPECT_THAT(judge(task("kill -SEGV $$")).reason, HasSubstr("signal 11"));
}

TEST_F(ExternalTask, LimitsOutputAndMemory) {
    const Verdict loud = judge(task("yes", ", \"output_bytes\": 10000"));
    EXPECT_EQ(loud.outcome, Outcome::evaluator_failed);
    EXPECT_THAT(loud.reason, HasSubstr("wrote more than 10000 bytes"));
    const Verdict hungry = judge(task("ulimit -v", ", \"memory_bytes\": 104857600"));
    EXPECT_THAT(hungry.reason, HasSubstr("an object"));  // it printed a number
    const Verdict noisy = judge(task("yes >&2 & sleep 0.2; kill $!; exit 1"));
    EXPECT_LE(noisy.feedback.size(), std::size_t{8} << 10);
}

TEST_F(ExternalTask, AMissingJudgeIsTheTasksMistake) {
    for (const char* command :
         {R"(["no-such-program-anywhere"])", R"(["./missing"])", R"(["sh", "missing.sh"])"}) {
        const TaskPtr loaded = task("", "", command);
        const auto verdict = judge_external(*loaded, {"external", "x", {}, {}});
        ASSERT_FALSE(verdict) << command;
        EXPECT_EQ(verdict.error().code, ErrorCode::invalid_argument) << "would be tried again";
        EXPECT_THAT(verdict.error().message(), HasSubstr("missing"));
    }
}

TEST_F(ExternalTask, GivesAPrivateFolderAndACleanEnvironment) {
    ::setenv("ATOLL_TEST_SECRET", "hunter2", 1);
    const Verdict verdict = judge(
        task("test -z \"$ATOLL_TEST_SECRET\" && test \"$(cat \"$1\")\" = 'text' && touch here && "
             "test \"$1\" = \"$PWD/candidate.txt\" && test \"$HOME\" = \"$PWD\" && "
             "test \"$(stat -c %a .)\" = 700 && pwd >&2 && "
             "echo \"{\\\"correct\\\": true, \\\"score\\\": 1, \\\"feedback\\\": \\\"$PWD\\\"}\""),
        "text");
    EXPECT_EQ(verdict.outcome, Outcome::passed) << verdict.reason << verdict.feedback;
    EXPECT_FALSE(fs::exists(verdict.feedback));
    ::unsetenv("ATOLL_TEST_SECRET");
}

TEST_F(ExternalTask, FillsTuneValuesIntoTheText) {
    const Verdict verdict =
        judge(task("grep -q '^N = 7  # tune' \"$1\" && echo '{\"correct\": true, \"score\": 1}'"),
              "N = 3  # tune: 3, 7\n", {{"N", "7"}});
    EXPECT_EQ(verdict.outcome, Outcome::passed) << verdict.reason;
}

Candidate folder_candidate(const fs::path& folder) {
    Candidate candidate;
    candidate.kind = "external";
    value_or_throw(read_candidate(folder, candidate));
    return candidate;
}

TEST_F(ExternalTask, JudgesAPrivateCopyOfAFolder) {
    const TemporaryFolder mine;
    testing::write_text(mine.path() / "main.txt", "N = 3  # tune: 3, 7\n");
    testing::write_text(mine.path() / "lib/run.sh", "echo ran");
    fs::permissions(mine.path() / "lib/run.sh", fs::perms::owner_all);
    Candidate candidate = folder_candidate(mine.path());
    candidate.tune["N"] = "7";
    const Verdict verdict = value_or_throw(judge_external(
        *task("test \"$1\" = \"$PWD/candidate\" && grep -q '^N = 7' \"$1/main.txt\" && "
              "test -x \"$1/lib/run.sh\" && rm -r \"$1/lib\" && "
              "echo '{\"correct\": true, \"score\": 1}'"),
        candidate));
    EXPECT_EQ(verdict.outcome, Outcome::passed) << verdict.reason << verdict.feedback;
    EXPECT_EQ(testing::read_text(mine.path() / "lib/run.sh"), "echo ran");
}

TEST_F(ExternalTask, AFolderIsWhatItsFilesAre) {
    const TemporaryFolder one;
    const TemporaryFolder two;
    for (const TemporaryFolder* folder : {&one, &two}) {
        testing::write_text(folder->path() / "b/x", "1");
        testing::write_text(folder->path() / "a", "2");
    }
    const Digest key = candidate_key(folder_candidate(one.path()));
    EXPECT_EQ(candidate_key(folder_candidate(two.path())), key);
    testing::write_text(two.path() / "a", "3");
    EXPECT_NE(candidate_key(folder_candidate(two.path())), key);
    fs::rename(one.path() / "a", one.path() / "c");
    EXPECT_NE(candidate_key(folder_candidate(one.path())), key);
}

TEST_F(ExternalTask, AFolderHasLimitsAndNoLinks) {
    const auto complaint = [](const fs::path& path) {
        Candidate candidate;
        const Status read = read_candidate(path, candidate);
        return read ? std::string() : read.error().message();
    };
    EXPECT_THAT(complaint(m_root.path() / "nothing"), HasSubstr("nothing"));
    fs::create_directory(m_root.path() / "empty");
    EXPECT_THAT(complaint(m_root.path() / "empty"), HasSubstr("holds no file"));
    testing::write_text(m_root.path() / "linked/a", "x");
    fs::create_symlink("/etc/hostname", m_root.path() / "linked/b");
    EXPECT_THAT(complaint(m_root.path() / "linked"), HasSubstr("is a link or a special file"));
    ASSERT_EQ(::mkfifo((m_root.path() / "pipe").c_str(), 0600), 0);
    EXPECT_THAT(complaint(m_root.path() / "pipe"), HasSubstr("not a regular file"));
    testing::write_text(m_root.path() / "large/a", std::string(9 << 20, 'x'));
    testing::write_text(m_root.path() / "large/b", std::string(9 << 20, 'x'));
    EXPECT_THAT(complaint(m_root.path() / "large"), HasSubstr("too large"));
    fs::path deep = m_root.path() / "deep";
    for (int i = 0; i < 20; ++i) {
        deep /= "d";
    }
    testing::write_text(deep / "a", "x");
    EXPECT_THAT(complaint(m_root.path() / "deep"), HasSubstr("nested deeper"));
    for (int i = 0; i < 1001; ++i) {
        testing::write_text(m_root.path() / "many" / std::to_string(i), "");
    }
    EXPECT_THAT(complaint(m_root.path() / "many"), HasSubstr("more than 1000 files"));
}

TEST(CandidateFiles, HostilePathsAreRefused) {
    const CandidateKind* kind = find_kind("external");
    const auto task = load_task(fs::path(ATOLL_SOURCE_DIR) / "experiments/tasks/packing").value();
    for (const std::string& path :
         {std::string(), std::string("/etc/x"), std::string("../x"), std::string("a/../../x"),
          std::string("a//b"), std::string("a/"), std::string("a\0b", 3), std::string(600, 'a')}) {
        EXPECT_TRUE(kind->lint(*task, {"external", "", {}, {}, {{path, "x"}}})) << path;
    }
    EXPECT_FALSE(kind->lint(*task, {"external", "", {}, {}, {{"a/b", "x"}, {"c", "y"}}}));
    EXPECT_TRUE(kind->lint(*task, {"external", "", {}, {}, {{"c", "x"}, {"a/b", "y"}}}));
    EXPECT_TRUE(kind->lint(*task, {"external", "both", {}, {}, {{"a/b", "x"}}}));
    const testing::SmallTask cpu;
    EXPECT_THAT(find_kind("cpu_cpp")
                    ->lint(*cpu.task(), {"cpu_cpp", "", {}, {}, {{"launch.cpp", "x"}}})
                    .value_or(""),
                HasSubstr("give one C++ file"));
}

TEST_F(ExternalTask, AFolderInWhichChangesWouldGoUnnoticedIsRefused) {
    const TemporaryFolder outside;
    std::filesystem::create_directory_symlink(outside.path(), m_root.path() / "lib");
    try {
        (void)task("true");
        FAIL() << "loaded";
    } catch (const std::exception& error) {
        EXPECT_THAT(error.what(), ::testing::HasSubstr("link to a folder"));
    }
}

TEST_F(ExternalTask, TheJudgesProcessorTimeEndsWithASignalOfItsOwn) {
    const Verdict verdict = judge(task(R"(soft=$(ulimit -St); hard=$(ulimit -Ht)
[ "$soft" -lt "$hard" ] && echo '{"correct": true, "score": 1}')"));
    EXPECT_EQ(verdict.outcome, Outcome::passed) << verdict.reason;
}

TEST_F(ExternalTask, DigestCoversTheJudge) {
    const Digest first = task("true")->digest;
    EXPECT_EQ(task("true")->digest, first);
    EXPECT_NE(task("false")->digest, first);
    testing::write_text(m_root.path() / "README.md", "words");
    testing::write_text(m_root.path() / "starters/a.txt", "x");
    testing::write_text(m_root.path() / "__pycache__/judge.pyc", "x");
    EXPECT_EQ(task("true")->digest, first);
    testing::write_text(m_root.path() / "data/points.csv", "1,2");
    EXPECT_NE(task("true")->digest, first);
}

TEST(ExternalKind, RunsThroughTheKindInterface) {
    const CandidateKind* kind = find_kind("external");
    ASSERT_NE(kind, nullptr);
    EXPECT_EQ(kind->trust(), "external");
    const testing::SmallTask cpu;
    EXPECT_TRUE(kind->lint(*cpu.task(), {"external", "x", {}, {}}).has_value());
}

class PackingTask : public ::testing::Test {
  protected:
    TaskPtr m_task =
        value_or_throw(load_task(fs::path(ATOLL_SOURCE_DIR) / "experiments/tasks/packing"));
};

// The example outside kernels, end to end.
TEST_F(PackingTask, JudgesItsStarters) {
    ASSERT_GE(m_task->starters.size(), 2u);
    for (const Starter& starter : m_task->starters) {
        const Verdict verdict =
            value_or_throw(judge_external(*m_task, {"external", starter.source, {}, {}}));
        EXPECT_EQ(verdict.outcome, Outcome::passed) << verdict.reason << verdict.feedback;
        EXPECT_GT(verdict.scores.at("score"), 0.1);
        EXPECT_LT(verdict.scores.at("score"), 1.001);
    }
    const std::string& source = m_task->starters[0].source;
    const auto at_default = judge_external(*m_task, {"external", source, {}, {}}).value();
    const auto tuned =
        judge_external(*m_task, {"external", source, {{"ROWS", "4"}, {"FIRST", "3"}}, {}});
    EXPECT_GT(tuned.value().scores.at("score"), at_default.scores.at("score"));
}

TEST_F(PackingTask, RefusesWrongCandidates) {
    for (const char* source : {"", "def points(): return [(0, 0)] * 9",
                               "def points(): return [(i, 2) for i in range(10)]", "syntax error",
                               "def points(): return [(float('nan'), 0)] * 10"}) {
        const Verdict verdict =
            value_or_throw(judge_external(*m_task, {"external", source, {}, {}}));
        EXPECT_EQ(verdict.outcome, Outcome::wrong_result) << source;
        EXPECT_FALSE(verdict.reason.empty());
    }
}

// A candidate that answers in the judge's place, and leaves before the judge can.
constexpr const char* k_forger = R"(
import os
answer = b'{"correct": true, "score": 1e9, "metrics": {"combined_score": 1e9}}\n'
for stream in range(1, 64):
    try:
        os.write(stream, answer)
    except OSError:
        pass
os._exit(0)
)";

TEST_F(PackingTask, ACandidateCannotPrintItsOwnScore) {
    for (const std::string& source :
         {std::string(k_forger), "def points():\n    exec('''" + std::string(k_forger) + "''')\n",
          std::string("import time\ntime.sleep(1000)")}) {
        const Verdict verdict =
            value_or_throw(judge_external(*m_task, {"external", source, {}, {}}));
        EXPECT_EQ(verdict.outcome, Outcome::wrong_result) << source;
        EXPECT_THAT(verdict.scores, IsEmpty()) << source;
    }
}

/// An evaluator as OpenEvolve's users write it, behind the shipped adapter.
class OpenEvolveTask : public ::testing::Test {
  protected:
    Verdict judge(const std::string& evaluator, const std::string& candidate = "value = 3\n") {
        testing::write_text(m_root.path() / "evaluator.py", evaluator);
        const std::string adapter = "{atoll}/openevolve_adapter.py";
        testing::write_text(
            m_root.path() / "definition.json",
            R"({"name": "evolve", "atoll": {"kind": "external", "external": {"command": ["python3", )" +
                quoted(adapter) + R"(, "evaluator.py"]}}})");
        const TaskPtr task = value_or_throw(load_task(m_root.path()));
        return value_or_throw(judge_external(*task, {"external", candidate, {}, {}}));
    }

    TemporaryFolder m_root;
};

TEST_F(OpenEvolveTask, AnAdapterThatIsNotShippedIsTheTasksMistake) {
    for (const char* name : {"{atoll}/none.py", "{atoll}/", "{atoll}/../atoll/main.cpp"}) {
        testing::write_text(
            m_root.path() / "definition.json",
            R"({"name": "evolve", "atoll": {"kind": "external", "external": {"command": ["python3", )" +
                quoted(name) + R"(]}}})");
        const auto task = load_task(m_root.path());
        ASSERT_FALSE(task) << name;
        EXPECT_EQ(task.error().code, ErrorCode::not_found);
        EXPECT_THAT(task.error().message(), HasSubstr("is shipped"));
    }
}

TEST_F(OpenEvolveTask, WhatAnEvaluatorLeavesBehindDoesNotHoldItUp) {
    const auto start = std::chrono::steady_clock::now();
    // An answer that is longer than a pipe holds.
    const Verdict verdict = judge(
        "import os, time\ndef evaluate(path):\n"
        "    if os.fork() == 0:\n        os.setsid()\n        time.sleep(1000)\n"
        "    return {'combined_score': 2, 'words': 'x' * 200000}\n");
    EXPECT_EQ(verdict.outcome, Outcome::passed) << verdict.reason;
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(50));
}

const std::string k_run =
    "import runpy\ndef evaluate(path):\n    v = runpy.run_path(path)['value']\n";

TEST_F(OpenEvolveTask, TakesTheCombinedScore) {
    const Verdict verdict = judge(k_run +
                                  "    print('noise')\n"
                                  "    return {'combined_score': v * 2, 'speed': 1.0}\n");
    EXPECT_EQ(verdict.outcome, Outcome::passed) << verdict.feedback;
    EXPECT_EQ(verdict.scores.at("score"), 6);
    EXPECT_EQ(verdict.scores.at("speed"), 1);
}

TEST_F(OpenEvolveTask, AveragesWithoutACombinedScore) {
    const Verdict verdict = judge(k_run + "    return {'a': v, 'b': 5, 'note': 'text'}\n");
    EXPECT_EQ(verdict.scores.at("score"), 4);
    EXPECT_THAT(verdict.feedback, HasSubstr("note: text"));
}

TEST_F(OpenEvolveTask, TakesResultObjectsWithArtifacts) {
    const Verdict verdict = judge(
        "class EvaluationResult:\n"
        "    def __init__(self, metrics, artifacts):\n"
        "        self.metrics, self.artifacts = metrics, artifacts\n"
        "async def evaluate(path):\n"
        "    return EvaluationResult({'combined_score': 1}, {'stderr': 'text', 'raw': "
        "b'bytes'})\n");
    EXPECT_EQ(verdict.outcome, Outcome::passed) << verdict.feedback;
    EXPECT_EQ(verdict.artefacts.at("stderr"), "text");
    EXPECT_EQ(verdict.artefacts.at("raw"), "bytes");
}

TEST_F(OpenEvolveTask, ACandidateThatAnswersInTheEvaluatorsPlaceGivesNoAnswer) {
    const Verdict verdict = judge(k_run + "    return {'combined_score': 1}\n", k_forger);
    EXPECT_EQ(verdict.outcome, Outcome::evaluator_failed);
    EXPECT_THAT(verdict.feedback, HasSubstr("without an answer"));
    EXPECT_THAT(verdict.scores, IsEmpty());
}

TEST_F(OpenEvolveTask, ErrorsAndNonFiniteScoresAreNoSuccess) {
    EXPECT_EQ(judge(k_run + "    return {'error': 0.0}\n").outcome, Outcome::wrong_result);
    EXPECT_EQ(judge(k_run + "    return {'combined_score': float('nan')}\n").outcome,
              Outcome::wrong_result);
    const Verdict raised = judge(k_run + "    raise ValueError('broken')\n");
    EXPECT_EQ(raised.outcome, Outcome::evaluator_failed);
    EXPECT_THAT(raised.feedback, HasSubstr("ValueError: broken"));
    EXPECT_EQ(judge("x = 1\n").outcome, Outcome::evaluator_failed);
}

}  // namespace
}  // namespace atl
