// A verifier on the simulated device, with this process in the lane's place: what it asks for, and
// what happens when a runner that it is done with goes on.

#include "reward/gpu/gpu_verifier_role.hpp"

#include "reward/device_lane.hpp"
#include "reward/gpu/runner_client.hpp"
#include "reward/gpu/runner_messages.hpp"
#include "reward/worker_calls.hpp"
#include "reward/worker_process.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/cuda/judged_task.hpp"
#include "tests/unit/cuda/simulated_support_kernels.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace atl {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::k_right;

constexpr std::chrono::milliseconds k_patience{60'000};
constexpr const char* k_writes_for_ever = "for (volatile bool on = true; on;) y[0] = 1e9f;";
constexpr const char* k_faults = "*reinterpret_cast<volatile char*>(16) = 1;";

class GpuVerifierRoleTest : public ::testing::Test {
  protected:
    struct Runner {
        WorkerProcess process;
        FileHandle verifier_end;  ///< kept: what hangs does not see that the verifier lets go of it
        [[nodiscard]] std::string proc(const std::string& name) {
            return "/proc/" + std::to_string(process.process().pid()) + "/" + name;
        }
    };

    GpuVerifierRoleTest() {
        std::filesystem::copy_file(ATOLL_SIMULATED_DRIVER, m_driver);
        m_verifier.emplace(
            value_or_throw(WorkerProcess::start(WorkerRole::gpu_verifier, options(), 1)));
        open_device(*m_verifier);
    }

    WorkerOptions options() const {
        WorkerOptions options;
        options.program = ATOLL_BIN_DIR "/atoll-worker";
        options.driver = m_driver;
        return options;
    }
    static void open_device(WorkerProcess& worker) {
        static const std::string support = testing::simulated_support_cubin();
        Frame frame;
        frame.type = FrameType::gpu_start;
        frame.generation = 1;
        frame.handles.push_back(value_or_throw(memory_file_of(support)));
        value_or_throw(worker.channel().send(frame));
        const Frame answer = value_or_throw(worker.channel().receive(k_patience));
        EXPECT_EQ(answer.type, FrameType::gpu_started)
            << (answer.type == FrameType::failed ? parse_failed_frame(answer).message() : "");
    }
    Runner start_runner() {
        auto ends = value_or_throw(make_socket_pair());
        WorkerProcess process = value_or_throw(
            WorkerProcess::start(WorkerRole::gpu_runner, options(), 1, std::move(ends.first)));
        open_device(process);
        return {std::move(process), std::move(ends.second)};
    }
    /// As the lane does: all but the last one have ended then.
    void hand_over(const Frame& question, Frame& answer) {
        end_all_but(1);
        if (m_ahead && question.payload == k_takes_over) {
            m_mapped_ahead = memory_of(*m_ahead);
            m_runners.push_back(std::move(*m_ahead));
        } else {
            m_runners.push_back(start_runner());
            answer.handles.push_back(
                value_or_throw(duplicate_handle(m_runners.back().verifier_end)));
        }
        m_ahead.reset();
    }
    void give_ahead(Frame& answer) {
        if (m_has_spare) {
            m_ahead.emplace(start_runner());
            answer.handles.push_back(value_or_throw(duplicate_handle(m_ahead->verifier_end)));
        }
    }
    void end_all_but(std::size_t last) {
        if (m_runners.size() > last) {
            m_runners.erase(m_runners.begin(), m_runners.end() - static_cast<long>(last));
        }
    }
    Runner& serving() { return m_runners.back(); }

    void answer_question(const Frame& question) {
        Frame answer;
        answer.type = question.type;
        answer.request = question.request;
        answer.generation = 1;
        if (question.type == FrameType::may_measure) {
            end_all_but(1);
            answer.payload = m_quiet_answer;
            std::filesystem::remove(m_driver + ".full");
            std::filesystem::remove(m_driver + ".busy");
            m_questions.push_back(question.payload == k_former_ended ? "ended?" : "quiet?");
        } else if (question.payload == k_ahead) {
            give_ahead(answer);
            m_questions.push_back("ahead");
        } else {
            hand_over(question, answer);
            m_questions.push_back(answer.handles.empty() ? "takes over" : "new_runner");
        }
        value_or_throw(m_verifier->channel().send(answer));
    }
    Frame ask(Frame frame) {
        frame.request = ++m_request;
        frame.generation = 1;
        value_or_throw(m_verifier->channel().send(frame));
        while (true) {
            Frame reply = value_or_throw(m_verifier->channel().receive(k_patience));
            if (reply.type != FrameType::new_runner && reply.type != FrameType::may_measure) {
                return reply;
            }
            answer_question(reply);
        }
    }
    EvaluateReply judge(const std::string& body, Level level = Level::verify) {
        return evaluate(m_judged, m_judged.package(body), level);
    }
    /// Of what writes to its output for ever.
    Outcome judge_hang(Level level = Level::verify) {
        m_limit_s = 0.5;
        const EvaluateReply reply = judge(k_writes_for_ever, level);
        m_limit_s = k_ample_s;
        return reply.outcome;
    }
    /// Of what is right, and takes for each launch of those that `when` says so long that they take
    /// more together than half of what one of them may.
    Outcome judge_slow(Level level = Level::verify, const std::string& when = "true") {
        m_limit_s = 2;
        const EvaluateReply reply =
            judge(std::string(k_right) + "if (" + when + ") usleep(150000);", level);
        m_limit_s = k_ample_s;
        return reply.outcome;
    }
    EvaluateReply evaluate(const testing::JudgedTask& judged, FileHandle package,
                           Level level = Level::verify, const std::string& rival = "") {
        DeviceOrder order;
        order.task = judged.task();
        order.oracle = m_oracle;
        order.binaries = {std::make_shared<const FileHandle>(std::move(package))};
        order.evaluate.task = judged.task()->digest;
        order.evaluate.level = level;
        order.evaluate.launch_timeout_s = m_limit_s;
        order.evaluate.measure_seconds = 0.02;
        if (!rival.empty()) {
            order.evaluate.rivals = {"rival"};
            order.evaluate.rival_trusted = {false};
            order.binaries.push_back(std::make_shared<const FileHandle>(judged.package(rival)));
        }
        m_questions.clear();
        EXPECT_EQ(ask(value_or_throw(load_task_frame(order))).type, FrameType::task_loaded);
        const Frame reply = ask(value_or_throw(evaluate_frame(order, order.evaluate)));
        EXPECT_EQ(reply.type, FrameType::evaluated)
            << (reply.type == FrameType::failed ? parse_failed_frame(reply).message() : "");
        return value_or_throw(parse_evaluate_reply(reply.payload));
    }

    /// Which memory of the device the runner maps: numbers of its files.
    static std::set<std::string> memory_of(Runner& runner) {
        std::ifstream maps(runner.proc("maps"));
        std::set<std::string> found;
        for (std::string line; std::getline(maps, line);) {
            if (line.find("device memory") != std::string::npos) {
                std::istringstream words(line);
                std::string addresses, rights, offset, device, number;
                words >> addresses >> rights >> offset >> device >> number;
                found.insert(number);
            }
        }
        return found;
    }
    static std::set<std::string> both(const std::set<std::string>& a,
                                      const std::set<std::string>& b) {
        std::set<std::string> common;
        std::set_intersection(a.begin(), a.end(), b.begin(), b.end(),
                              std::inserter(common, common.end()));
        return common;
    }

    const testing::TemporaryFolder m_folder;
    const std::string m_driver = (m_folder.path() / "driver.so").string();
    testing::JudgedTask m_judged;
    /// Of all tasks here: they do not differ in what is computed.
    const std::shared_ptr<const FileHandle> m_oracle =
        std::make_shared<const FileHandle>(m_judged.reference());
    static constexpr double k_ample_s = 20;
    double m_limit_s = k_ample_s;   ///< of a launch
    bool m_has_spare = true;        ///< to give ahead
    std::optional<Runner> m_ahead;  ///< that was given
    std::set<std::string> m_mapped_ahead;
    std::vector<Runner> m_runners;
    std::optional<WorkerProcess> m_verifier;
    std::vector<std::string> m_questions;  ///< of the last judge()
    std::string m_quiet_answer;
    std::uint64_t m_request = 0;
};

TEST_F(GpuVerifierRoleTest, WhatHangsReachesNothingOfThoseBehindIt) {
    m_has_spare = false;
    EXPECT_EQ(judge_hang(), Outcome::timeout);
    EXPECT_THAT(m_questions, ElementsAre("new_runner", "ahead", "new_runner"))
        << "and nobody waits";
    ASSERT_EQ(m_runners.size(), 2u);
    Runner& hung = m_runners.front();
    for (int round = 0; round < 5; ++round) {
        const EvaluateReply reply = judge(k_right);
        EXPECT_EQ(reply.outcome, Outcome::passed) << reply.reason;
    }
    EXPECT_FALSE(hung.process.process().wait(std::chrono::milliseconds(0))) << "it writes still";
    EXPECT_THAT(both(memory_of(hung), memory_of(serving())), IsEmpty());
    EXPECT_EQ(memory_of(hung).size(), memory_of(serving()).size());
}

TEST_F(GpuVerifierRoleTest, WhenAHangIsOneTheNextRunnerHasItsBuffersAlready) {
    EXPECT_EQ(judge_hang(), Outcome::timeout);
    EXPECT_THAT(m_questions, ElementsAre("new_runner", "ahead", "takes over"));
    ASSERT_EQ(m_runners.size(), 2u);
    EXPECT_EQ(m_mapped_ahead.size(), memory_of(m_runners.front()).size());
    EXPECT_EQ(memory_of(serving()), m_mapped_ahead);
    EXPECT_THAT(both(memory_of(m_runners.front()), memory_of(serving())), IsEmpty());
    EXPECT_EQ(judge(k_right).outcome, Outcome::passed);
    EXPECT_FALSE(m_runners.front().process.process().wait(std::chrono::milliseconds(0)))
        << "it writes still";
    EXPECT_EQ(judge_hang(), Outcome::timeout);
    EXPECT_THAT(m_questions, ElementsAre("ahead", "takes over"));
    EXPECT_EQ(judge(k_right).outcome, Outcome::passed);
}

TEST_F(GpuVerifierRoleTest, WhatWasPreparedForAHangThatWasNoneWaitsForTheNext) {
    EXPECT_EQ(judge_slow(), Outcome::passed);
    EXPECT_THAT(m_questions, ElementsAre("new_runner", "ahead"));
    EXPECT_EQ(judge_slow(), Outcome::passed);
    EXPECT_THAT(m_questions, IsEmpty());
    const std::set<std::string> home = memory_of(serving());
    EXPECT_EQ(judge_hang(), Outcome::timeout);
    EXPECT_THAT(m_questions, ElementsAre("takes over"));
    EXPECT_THAT(both(memory_of(serving()), home), IsEmpty());
    EXPECT_EQ(judge(k_right).outcome, Outcome::passed);
}

TEST_F(GpuVerifierRoleTest, WhatWasPreparedTakesOverAfterAFaultToo) {
    EXPECT_EQ(judge_slow(), Outcome::passed);
    const std::set<std::string> home = memory_of(serving());
    EXPECT_EQ(judge(k_faults).outcome, Outcome::memory_fault);
    EXPECT_THAT(m_questions, ElementsAre("takes over"));
    EXPECT_EQ(memory_of(serving()), home);
    EXPECT_EQ(judge(k_right, Level::measure).outcome, Outcome::passed);
}

TEST_F(GpuVerifierRoleTest, WhatWasPreparedTakesNoMemoryWhileTimesAreTaken) {
    EXPECT_EQ(judge_slow(Level::measure, "rows != 64"), Outcome::passed);
    EXPECT_THAT(m_questions, ElementsAre("new_runner", "ahead", "quiet?"));
    ASSERT_TRUE(m_ahead);
    EXPECT_THAT(memory_of(*m_ahead), IsEmpty());
    EXPECT_EQ(judge(k_right, Level::confirm).outcome, Outcome::passed);
    EXPECT_FALSE(m_ahead) << "a confirmation begins with it";
    EXPECT_EQ(judge_slow(Level::confirm, "rows != 64 && rows != 48"), Outcome::passed);
    ASSERT_TRUE(m_ahead);
    EXPECT_THAT(memory_of(*m_ahead), IsEmpty());
    EXPECT_EQ(judge_hang(Level::confirm), Outcome::timeout);
    EXPECT_EQ(judge(k_right).outcome, Outcome::passed);
}

TEST_F(GpuVerifierRoleTest, WhatWasGivenAheadMayEndBeforeItIsNeeded) {
    EXPECT_EQ(judge_slow(), Outcome::passed);
    m_ahead.reset();
    EXPECT_EQ(judge_hang(), Outcome::timeout);
    EXPECT_THAT(m_questions, ElementsAre("new_runner"));
    EXPECT_EQ(judge(k_right).outcome, Outcome::passed);
}

TEST_F(GpuVerifierRoleTest, TimesAreTakenInTheBuffersOfTheBeginning) {
    EXPECT_EQ(judge(k_right, Level::measure).outcome, Outcome::passed);
    const std::set<std::string> home = memory_of(serving());
    EXPECT_EQ(judge_hang(), Outcome::timeout);
    EXPECT_NE(memory_of(serving()), home);
    const EvaluateReply reply = judge(k_right, Level::measure);
    EXPECT_EQ(reply.outcome, Outcome::passed) << reply.reason;
    EXPECT_EQ(memory_of(serving()), home);
    EXPECT_EQ(m_runners.size(), 1u) << "it was asked whether the device is quiet";
}

TEST_F(GpuVerifierRoleTest, HangsInARowTakeTurnsWithTwoSetsOfBuffers) {
    std::vector<std::set<std::string>> memory;
    for (int round = 0; round < 3; ++round) {
        EXPECT_EQ(judge_hang(), Outcome::timeout);
        EXPECT_LE(m_runners.size(), 2u);
        memory.push_back(memory_of(serving()));
        EXPECT_EQ(judge(k_right).outcome, Outcome::passed);
    }
    EXPECT_THAT(both(memory[0], memory[1]), IsEmpty());
    EXPECT_EQ(memory[0], memory[2]);
}

TEST_F(GpuVerifierRoleTest, WithoutRoomForOtherBuffersItWaitsForTheEndOfWhatHangs) {
    EXPECT_EQ(judge(k_right).outcome, Outcome::passed);
    const std::set<std::string> home = memory_of(serving());
    std::ofstream(m_driver + ".crowded") << "1";
    EXPECT_EQ(judge_hang(), Outcome::timeout);
    EXPECT_THAT(m_questions, ElementsAre("new_runner", "ended?")) << "nothing can be prepared";
    EXPECT_EQ(m_runners.size(), 1u);
    EXPECT_EQ(memory_of(serving()), home);
    EXPECT_EQ(judge(k_right).outcome, Outcome::passed);
}

TEST_F(GpuVerifierRoleTest, AFaultStopsAllOfItsProcessAndTheBuffersStay) {
    EXPECT_EQ(judge(k_right).outcome, Outcome::passed);
    const std::set<std::string> home = memory_of(serving());
    EXPECT_EQ(judge(k_faults).outcome, Outcome::memory_fault);
    EXPECT_THAT(m_questions, ElementsAre("new_runner"));
    EXPECT_EQ(memory_of(serving()), home);
}

TEST_F(GpuVerifierRoleTest, AsksWhetherItIsQuietOnceForEachRunnerThatComes) {
    const auto questions = [this](const std::string& body) {
        judge(body, Level::measure);
        return m_questions;
    };
    EXPECT_THAT(questions(k_right), ElementsAre("new_runner", "quiet?"));
    EXPECT_THAT(questions(k_right), IsEmpty());
    EXPECT_THAT(questions(k_faults), ElementsAre("new_runner"));
    m_quiet_answer = k_no_spare;
    EXPECT_THAT(questions(k_right), ElementsAre("quiet?"));
    EXPECT_THAT(questions(k_right), ElementsAre("quiet?")) << "one may be starting";
    m_quiet_answer = "";
    EXPECT_THAT(questions(k_right), ElementsAre("quiet?"));
    EXPECT_THAT(questions(k_right), IsEmpty());
}

// Whoever hung has ended, and the task is at home, before the first time is taken.
TEST_F(GpuVerifierRoleTest, ARivalThatHangsBeforeTimesAreTakenDisturbsNoneOfThem) {
    m_has_spare = false;
    m_limit_s = 0.5;
    const EvaluateReply reply =
        evaluate(m_judged, m_judged.package(k_right), Level::confirm, k_writes_for_ever);
    EXPECT_EQ(reply.outcome, Outcome::passed) << reply.reason;
    EXPECT_THAT(m_questions, ElementsAre("new_runner", "ahead", "new_runner", "quiet?"));
    EXPECT_EQ(m_runners.size(), 1u);
}

TEST_F(GpuVerifierRoleTest, MemoryOfARunnerThatEndsIsWaitedFor) {
    EXPECT_EQ(judge(k_right).outcome, Outcome::passed);
    EXPECT_EQ(judge(k_faults).outcome, Outcome::memory_fault);
    std::ofstream(m_driver + ".full") << "1";
    EXPECT_EQ(judge(k_right, Level::confirm).outcome, Outcome::passed);
    EXPECT_THAT(m_questions, ::testing::Contains("quiet?"));
}

TEST_F(GpuVerifierRoleTest, WhatWasPreparedForAHangGivesWayToACandidatesMemory) {
    EXPECT_EQ(judge(k_right, Level::measure).outcome, Outcome::passed);
    std::ofstream(m_driver + ".busy") << "1";
    m_has_spare = false;
    m_limit_s = 0.5;  // memory is waited for longer than half of it
    EXPECT_EQ(judge(k_right).outcome, Outcome::launch_error);
    EXPECT_THAT(m_questions, ElementsAre("ahead", "ahead")) << "it was judged twice";
    std::filesystem::remove(m_driver + ".busy");
    m_limit_s = k_ample_s;
    EXPECT_EQ(judge(k_right).outcome, Outcome::passed);
}

/// Two tasks with buffers on the device, of which the second one was used last.
class TwoTasks : public GpuVerifierRoleTest {
  protected:
    void SetUp() override {
        m_first_memory = memory_with(m_first);
        m_second_memory = memory_with(m_second);
        EXPECT_THAT(both(m_first_memory, m_second_memory), IsEmpty());
    }
    /// What is mapped when a right candidate is judged.
    std::set<std::string> memory_with(const testing::JudgedTask& judged) {
        const EvaluateReply reply = evaluate(judged, judged.package(k_right));
        EXPECT_EQ(reply.outcome, Outcome::passed) << reply.reason;
        return memory_of(serving());
    }
    const testing::JudgedTask& m_first = m_judged;
    testing::JudgedTask m_second{"void reference() { /* another */ }\n"};
    std::set<std::string> m_first_memory;
    std::set<std::string> m_second_memory;
};

TEST_F(TwoTasks, WhoCannotBeLaunchedCostsNobodyElseTheirBuffers) {
    GpuPackage package = value_or_throw(read_gpu_package(m_second.package(k_right)));
    for (auto& [workload, plan] : package.plans) {
        std::get<PlanLaunch>(plan.steps[0].what).kernel = "absent";
    }
    const EvaluateReply reply = evaluate(m_second, value_or_throw(write_gpu_package(package)));
    EXPECT_EQ(reply.outcome, Outcome::launch_error) << reply.reason;
    EXPECT_THAT(m_questions, IsEmpty()) << "nor is it judged again";
    EXPECT_EQ(memory_with(m_first), m_first_memory);
    EXPECT_EQ(memory_with(m_second), m_second_memory);
}

TEST_F(TwoTasks, WhoFindsNoMemoryIsJudgedAgainWithoutTheOthers) {
    std::ofstream(m_driver + ".busy") << "1";
    const EvaluateReply reply = evaluate(m_second, m_second.package(k_right));
    EXPECT_EQ(reply.outcome, Outcome::passed) << reply.reason;
    EXPECT_THAT(m_questions, ElementsAre("quiet?")) << "before it is judged again";
    EXPECT_EQ(memory_with(m_second), m_second_memory);
    EXPECT_THAT(both(memory_with(m_first), m_first_memory), IsEmpty()) << "made anew";
}

TEST_F(TwoTasks, WhoWantsMoreMemoryThanThereIsCostsNobodyElseTheirBuffers) {
    GpuPackage package = value_or_throw(read_gpu_package(m_second.package(k_right)));
    for (auto& [workload, plan] : package.plans) {
        plan.scratch = {std::uint64_t{200} << 30};
    }
    const EvaluateReply reply = evaluate(m_second, value_or_throw(write_gpu_package(package)));
    EXPECT_EQ(reply.outcome, Outcome::launch_error);
    EXPECT_THAT(reply.reason, ::testing::HasSubstr("do not fit"));
    EXPECT_THAT(m_questions, IsEmpty()) << "nor is it judged again";
    EXPECT_EQ(memory_with(m_first), m_first_memory);
    EXPECT_EQ(memory_with(m_second), m_second_memory);
}

// Each for itself would fit.
TEST_F(TwoTasks, LocalMemoryOfKernelsIsPartOfWhatACandidateWants) {
    const std::uint64_t gib = std::uint64_t{1} << 30;
    const auto judge_with = [&](std::vector<std::uint64_t> scratch) {
        GpuPackage package = value_or_throw(read_gpu_package(m_second.package(k_right)));
        for (auto& [workload, plan] : package.plans) {
            plan.scratch = scratch;
        }
        package.local_bytes = 139 * gib;
        std::ofstream(m_driver + ".busy") << "1";
        const EvaluateReply reply = evaluate(m_second, value_or_throw(write_gpu_package(package)));
        std::filesystem::remove(m_driver + ".busy");
        return reply.outcome;
    };
    EXPECT_EQ(judge_with({3 * gib}), Outcome::launch_error);
    EXPECT_THAT(m_questions, IsEmpty()) << "it is not judged again";
    EXPECT_EQ(memory_with(m_first), m_first_memory);
    EXPECT_EQ(judge_with({}), Outcome::passed);
    EXPECT_THAT(m_questions, ElementsAre("quiet?"));
    EXPECT_THAT(both(memory_with(m_first), m_first_memory), IsEmpty());
}

/// Two tasks on a device of which they may keep, all together, so many times what a runner maps of
/// one of them.
class SmallDevice : public TwoTasks {
  protected:
    void SetUp() override {}
    void make_device(double times) {
        memory_with(m_first);
        const auto mapped = static_cast<double>(bytes_of(serving()));
        m_runners.clear();
        std::ofstream(m_driver + ".memory") << "";  // its size is the device's
        std::filesystem::resize_file(m_driver + ".memory",
                                     static_cast<std::uintmax_t>(4 * times * mapped));
        m_verifier.emplace(
            value_or_throw(WorkerProcess::start(WorkerRole::gpu_verifier, options(), 1)));
        open_device(*m_verifier);
        TwoTasks::SetUp();
    }
    static std::uint64_t bytes_of(Runner& runner) {
        std::ifstream maps(runner.proc("maps"));
        std::uint64_t bytes = 0;
        for (std::string line; std::getline(maps, line);) {
            unsigned long begin = 0;
            unsigned long end = 0;
            if (line.find("device memory") != std::string::npos &&
                std::sscanf(line.c_str(), "%lx-%lx", &begin, &end) == 2) {
                bytes += end - begin;
            }
        }
        return bytes;
    }
};

TEST_F(SmallDevice, TasksThatTakeMoreThanTheirShareTogetherLoseTheirBuffersInTurns) {
    make_device(1.9);
    EXPECT_EQ(memory_with(m_second), m_second_memory) << "the one in use stays";
    const std::set<std::string> first = memory_with(m_first);
    EXPECT_THAT(both(first, m_first_memory), IsEmpty());
    EXPECT_EQ(memory_with(m_first), first);
    EXPECT_THAT(both(memory_with(m_second), m_second_memory), IsEmpty());
}

TEST_F(SmallDevice, TheSecondSetOfBuffersOfAHangCostsNobodyElseTheirs) {
    make_device(2.9);
    m_limit_s = 0.5;
    EXPECT_EQ(evaluate(m_second, m_second.package(k_writes_for_ever)).outcome, Outcome::timeout);
    m_limit_s = k_ample_s;
    EXPECT_THAT(both(memory_with(m_second), m_second_memory), IsEmpty()) << "it has two sets";
    EXPECT_EQ(memory_with(m_first), m_first_memory);
}

TEST_F(GpuVerifierRoleTest, OfMoreThanSixteenTasksTheOneUsedLongestAgoLosesItsBuffers) {
    const FileHandle package = m_judged.package(k_right);
    const auto memory_with = [&](const testing::JudgedTask& judged) {
        EXPECT_EQ(evaluate(judged, value_or_throw(duplicate_handle(package))).outcome,
                  Outcome::passed);
        return memory_of(serving());
    };
    std::vector<std::unique_ptr<testing::JudgedTask>> tasks;
    std::vector<std::set<std::string>> memory;
    for (int i = 0; i < 16; ++i) {
        tasks.push_back(std::make_unique<testing::JudgedTask>("// " + std::to_string(i)));
        memory.push_back(memory_with(*tasks.back()));
    }
    EXPECT_EQ(memory_with(*tasks[0]), memory[0]) << "now the second is the oldest";
    memory_with(m_judged);
    EXPECT_EQ(memory_with(*tasks[0]), memory[0]);
    EXPECT_EQ(memory_with(*tasks[2]), memory[2]);
    EXPECT_THAT(both(memory_with(*tasks[1]), memory[1]), IsEmpty());
}

// A confirmation has buffers of its own, for which there may be no room until others give way.
TEST_F(TwoTasks, OurOwnWantOfMemoryIsNoFailureWhileOthersCanGiveWay) {
    std::ofstream(m_driver + ".full") << "1";
    const EvaluateReply reply = evaluate(m_second, m_second.package(k_right), Level::confirm);
    EXPECT_EQ(reply.outcome, Outcome::passed) << reply.reason;
    EXPECT_THAT(both(memory_with(m_first), m_first_memory), IsEmpty());
}

}  // namespace
}  // namespace atl
