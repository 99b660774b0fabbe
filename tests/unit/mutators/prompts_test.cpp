#include "mutators/prompts/prompts.hpp"

#include "mutators/prompts/hardware_card.hpp"
#include "mutators/prompts/prompt_files.hpp"
#include "mutators/prompts/prompt_trimming.hpp"
#include "mutators/prompts/prompt_values.hpp"
#include "mutators/prompts/token_estimate.hpp"
#include "reward/kinds/kind.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace atl {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using testing::TemporaryFolder;

const fs::path k_shipped = ATOLL_SOURCE_DIR "/mutators/prompts/templates";
const fs::path k_golden = ATOLL_SOURCE_DIR "/tests/unit/mutators/golden";

constexpr std::size_t k_plenty = 1 << 20;

void write(const fs::path& path, const std::string& text) {
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
}

std::string read(const fs::path& path) {
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

PromptFacts facts() {
    return {"cuda",
            "scale",
            "y = 2 x, for each element.",
            "Axes\n  n            set by the workload\n",
            "One .cu file with a function launch().\n",
            "- Some device: 132 multiprocessors\n"};
}

ShownProgram program(const std::string& id, double score, const std::string& verdict = "") {
    return {id, score, "// program " + id + "\nint x = {{n}} < 2 & \"3\";\n", verdict, ""};
}

PromptMaterial material() {
    PromptMaterial all;
    all.parent = program("7.0", 1.5, "Outcome: passed.\nTime per launch:\n- large: 2.00 us\n");
    all.parent.bottleneck = "The memory is busy 91 % of the time.";
    all.partner = program("8.1", 1.25, "Outcome: passed.\n");
    all.exemplars = {program("3.0", 2.5), program("1.0", 0.75), program("2.0", 1)};
    all.inspirations = {program("4.0", 1.125), program("5.0", 0.5)};
    all.failure_rules = {{"You cannot read from the host.", 3}, {"No two launchers.", 12}};
    all.memory = {"Wide loads helped twice.", "Unrolling did not."};
    all.parent.steps = {"starter rows as shipped", "patch of 0.0: wide loads"};
    all.partner->steps = {"starter warps as shipped"};
    all.plan = "Wider loads,\nof 16 bytes.";
    all.original = {"loops", "cpu_cpp", "int loops;\n",
                    "One .cpp file with a function launch().\n"};
    return all;
}

Prompts shipped() {
    return value_or_throw(Prompts::load(k_shipped, {}, facts()));
}

Error error_of(const fs::path& campaign) {
    const auto prompts = Prompts::load(k_shipped, campaign, facts());
    EXPECT_FALSE(prompts.has_value());
    return prompts ? Error{} : prompts.error();
}

/// With ATOLL_WRITE_GOLDEN set, the files are written instead: look at the difference.
void expect_golden(const std::string& name, const std::string& text) {
    const fs::path file = k_golden / (name + ".txt");
    if (std::getenv("ATOLL_WRITE_GOLDEN") != nullptr) {
        write(file, text);
    }
    EXPECT_EQ(text, read(file))
        << "if this is meant, set ATOLL_WRITE_GOLDEN and run the test again";
}

TEST(Prompts, EachIsAsItWasLookedAt) {
    Prompts prompts = shipped();
    const auto files = value_or_throw(PromptFiles::load(k_shipped, {}));
    for (const std::string& name : files.prompts()) {
        if (name == "system") {
            continue;
        }
        const Prompt prompt = value_or_throw(prompts.make(name, material(), k_plenty));
        expect_golden("system", prompt.system);
        expect_golden(name, prompt.user);
        EXPECT_THAT(prompt.trimmed, IsEmpty());
        PromptMaterial again = material();
        again.attempt = FailedAttempt{"```cuda\nint a;\n", "Its closing fence is missing."};
        expect_golden(name + "_again", value_or_throw(prompts.make(name, again, k_plenty)).user);
        PromptMaterial bare;
        bare.parent = program("7.0", 1.5);
        for (const StepSize step : {StepSize::small, StepSize::large}) {
            PromptMaterial told = bare;
            told.strategy = "Use shared memory.\n";
            told.step = step;
            expect_golden(name + "_" + to_string(step) + "_step",
                          value_or_throw(prompts.make(name, told, k_plenty)).user);
        }
        expect_golden(name + "_bare", value_or_throw(prompts.make(name, bare, k_plenty)).user);
    }
}

TEST(Prompts, BeginAlikeWhateverTheyShow) {
    Prompts prompts = shipped();
    const Prompt rewrite = value_or_throw(prompts.make("rewrite", material(), k_plenty));
    PromptMaterial bare;
    bare.parent = program("9.0", 3);
    const Prompt patch = value_or_throw(prompts.make("patch", bare, k_plenty));
    EXPECT_EQ(rewrite.system, patch.system);
    for (const char* shared : {"# The task: scale", "y = 2 x", "One .cu file", "132 multi"}) {
        EXPECT_THAT(rewrite.system, HasSubstr(shared));
        EXPECT_THAT(rewrite.user, Not(HasSubstr(shared)));
    }
    // A second try goes on where the first ended, so its prefix is kept as well.
    PromptMaterial again = material();
    again.attempt = FailedAttempt{"x", "y"};
    EXPECT_THAT(value_or_throw(prompts.make("rewrite", again, k_plenty)).user,
                StartsWith(rewrite.user));
    EXPECT_EQ(whole_prompt(rewrite), "[system]\n" + rewrite.system + "\n[user]\n" + rewrite.user);
}

TEST(Prompts, TheContractIsThatOfTheKind) {
    Task task;
    task.name = "small";
    task.kind = "cuda";
    task.description = "words";
    const PromptFacts made = prompt_facts(task, "- card\n");
    EXPECT_EQ(made.contract, find_kind("cuda")->contract(task));
    const Prompt prompt = value_or_throw(
        value_or_throw(Prompts::load(k_shipped, {}, made)).make("rewrite", material(), k_plenty));
    EXPECT_THAT(prompt.system, HasSubstr("Every element of every output must be written"));
    EXPECT_THAT(prompt.system, HasSubstr("Tolerance\n"));
    EXPECT_THAT(prompt.system, HasSubstr("- card\n"));
}

TEST(Prompts, TextsAreNeverTemplatesAndNothingIsEscaped) {
    Prompts prompts = shipped();
    const Prompt prompt = value_or_throw(prompts.make("rewrite", material(), k_plenty));
    EXPECT_THAT(prompt.user, HasSubstr("int x = {{n}} < 2 & \"3\";\n"));
    PromptMaterial fences = material();
    fences.parent.source = "/*\n````\n*/";
    EXPECT_THAT(value_or_throw(prompts.make("rewrite", fences, k_plenty)).user,
                HasSubstr("`````cuda\n/*\n````\n*/\n`````\n"));
}

TEST(Prompts, ExemplarsGoFromTheLowestScoreToTheHighestAsTheirTitleSays) {
    Prompts prompts = shipped();
    const std::string user = value_or_throw(prompts.make("rewrite", material(), k_plenty)).user;
    const std::size_t title = user.find("from the lowest to the highest");
    EXPECT_LT(title, user.find("Program 1.0, score 0.75"));
    EXPECT_LT(user.find("Program 1.0, score 0.75"), user.find("Program 2.0, score 1\n"));
    EXPECT_LT(user.find("Program 2.0, score 1\n"), user.find("Program 3.0, score 2.5"));
    EXPECT_LT(user.find("No two launchers. (12 times)"), user.find("from the host. (3 times)"));
}

TEST(Prompts, AreMadeOnlyOfWhatThereIs) {
    Prompts prompts = shipped();
    EXPECT_THAT(prompts.make("rewriet", material(), k_plenty).error().what,
                HasSubstr("no prompt 'rewriet'"));
    EXPECT_FALSE(prompts.make("system", material(), k_plenty).has_value());
}

TEST(Prompts, AreUtf8) {
    Prompts prompts = shipped();
    PromptMaterial bytes = material();
    bytes.parent.source = "// \xff\n";
    EXPECT_THAT(prompts.make("rewrite", bytes, k_plenty).error().what, HasSubstr("no UTF-8"));
}

TEST(PromptFiles, ThoseOfTheProjectAreFoundFromTheProgram) {
    const auto found = find_shipped_prompts();
    ASSERT_TRUE(found.has_value());
    EXPECT_TRUE(fs::equivalent(*found, k_shipped));
}

TEST(PromptFiles, ACampaignsFilesTakeThePlaceOfTheShippedOnes) {
    TemporaryFolder folder;
    write(folder.path() / "rewrite.mustache", "{{> parent}}\n{{> house_rules}}\nGo.\n");
    write(folder.path() / "blocks/house_rules.mustache", "No tabs for {{task_name}}.\n");
    write(folder.path() / "blocks/hardware.mustache", "A secret device.\n");
    write(folder.path() / "README.md", "notes");
    Prompts prompts = value_or_throw(Prompts::load(k_shipped, folder.path(), facts()));
    const Prompt prompt = value_or_throw(prompts.make("rewrite", material(), k_plenty));
    EXPECT_THAT(prompt.user, HasSubstr("No tabs for scale.\nGo.\n"));
    EXPECT_THAT(prompt.system, HasSubstr("A secret device."));
    EXPECT_THAT(value_or_throw(prompts.make("patch", material(), k_plenty)).user,
                HasSubstr("SEARCH"));
}

TEST(PromptFiles, MistakesAreErrorsWithFileAndLine) {
    const auto where = [](const std::string& name, const std::string& text) {
        TemporaryFolder folder;
        write(folder.path() / name, text);
        const Error error = error_of(folder.path());
        return error.message().substr(std::min(error.message().find(name), error.message().size()));
    };
    EXPECT_THAT(
        where("rewrite.mustache", "a\n{{> parant}}\n"),
        StartsWith("rewrite.mustache:2: there is no block 'parant' (did you mean 'parent'"));
    EXPECT_THAT(where("rewrite.mustache", "a\nb\n{{task_nam}}"),
                StartsWith("rewrite.mustache:3: there is no variable 'task_nam' (did you mean "
                           "'task_name'"));
    EXPECT_THAT(where("blocks/parent.mustache", "{{#parent}}\n{{scores}}\n{{/parent}}"),
                StartsWith("blocks/parent.mustache:2: there is no variable 'scores'"));
    EXPECT_THAT(where("rewrite.mustache", "\n{{score}}"),
                StartsWith("rewrite.mustache:2: 'score' is not known here"));
    EXPECT_THAT(where("rewrite.mustache", "{{^partner}}\n{{partners}}{{/partner}}"),
                StartsWith("rewrite.mustache:2: there is no variable"));
    EXPECT_THAT(where("rewrite.mustache", "\n{{#memory}}\n"),
                StartsWith("rewrite.mustache:2: the section 'memory' does not end"));
    EXPECT_THAT(where("rewrite.mustache", "{{#memory}}{{/exemplars}}"),
                StartsWith("rewrite.mustache:1: {{/exemplars}} ends no section"));
    EXPECT_THAT(where("rewrite.mustache", "\n\n{{task_name"),
                StartsWith("rewrite.mustache:3: a tag does not end"));
    EXPECT_THAT(where("rewrite.mustache", "{{=<% %>=}}"),
                StartsWith("rewrite.mustache:1: '=<% %>=' is no name"));
    EXPECT_THAT(where("blocks/program.mustache", "{{> bottleneck}}\n{{> program}}"),
                StartsWith("blocks/program.mustache:2: the block 'program' would show itself"));
    EXPECT_THAT(where("rewriet.mustache", "a"),
                StartsWith("rewriet.mustache: there is no prompt 'rewriet' (did you mean"));
    EXPECT_THAT(where("blocks/hardwear.mustache", "a"),
                StartsWith("blocks/hardwear.mustache: no prompt shows this block"));
    EXPECT_THAT(where("rewrite.txt", "a"), StartsWith("rewrite.txt: not a prompt"));
    EXPECT_THAT(where("rewrite.mustache", "\xff"), StartsWith("rewrite.mustache: a prompt must"));
    EXPECT_FALSE(where("rewrite.mustache", std::string(k_max_prompt_file_bytes + 1, 'a')).empty());
}

TEST(PromptFiles, BlocksThatMultiplyHaveALimit) {
    TemporaryFolder folder;
    std::string many;
    for (int i = 0; i < 4000; ++i) {
        many += "{{> b}}";
    }
    write(folder.path() / "rewrite.mustache", "{{> a}}");
    write(folder.path() / "blocks/a.mustache", many);
    write(folder.path() / "blocks/b.mustache", std::string(1000, 'b'));
    EXPECT_THAT(error_of(folder.path()).what, HasSubstr("longer than"));
}

TEST(TemplateTags, LinesThatHoldOneTagOnlyLeaveNothing) {
    const auto plain = [](const std::string& text) {
        return without_standalone_lines(text, value_or_throw(template_tags(text, "x")));
    };
    EXPECT_EQ(plain("a\n  {{#s}} \nb\n{{/s}}\n{{! why }}\nc {{> d}}\n{{e}}\n{{> f}}"),
              "a\n{{#s}}b\n{{/s}}{{! why }}c {{> d}}\n{{e}}\n{{> f}}");
}

TEST(Trimming, LeavesOutInTheStatedOrder) {
    PromptMaterial all = material();
    all.attempt = FailedAttempt{"reply", "fault"};
    all.parent.verdict = std::string(1000, 'v');
    std::vector<std::string> steps;
    while (const auto step = trim_once(all)) {
        steps.push_back(*step);
    }
    EXPECT_THAT(steps, ElementsAre("inspiration 5.0", "inspiration 4.0", "memory item 2",
                                   "memory item 1", "exemplar 2.0", "exemplar 1.0", "exemplar 3.0",
                                   "failure rule \"You cannot read from the host.\"",
                                   "failure rule \"No two launchers.\"", "the failed reply",
                                   "the partner's verdict", "the end of the parent's verdict"));
    EXPECT_EQ(all.parent.verdict.size(), 600u);
    EXPECT_EQ(all.parent.source, material().parent.source);
    EXPECT_EQ(all.partner->source, material().partner->source);
    EXPECT_EQ(all.attempt->fault, "fault");
}

TEST(Trimming, GoesOnlyAsFarAsItMust) {
    Prompts prompts = shipped();
    const Prompt whole = value_or_throw(prompts.make("rewrite", material(), k_plenty));
    const Prompt same = value_or_throw(prompts.make("rewrite", material(), whole.tokens));
    EXPECT_EQ(same.user, whole.user);
    const Prompt less = value_or_throw(prompts.make("rewrite", material(), whole.tokens - 1));
    EXPECT_THAT(less.trimmed, ElementsAre("inspiration 5.0"));
    EXPECT_LT(less.tokens, whole.tokens);
    EXPECT_THAT(less.user, Not(HasSubstr("program 5.0")));
    EXPECT_THAT(less.user, HasSubstr("program 4.0"));
    PromptMaterial bare;
    bare.parent = material().parent;
    const Prompt least = value_or_throw(prompts.make("rewrite", bare, k_plenty));
    const Prompt cut = value_or_throw(prompts.make("rewrite", material(), least.tokens));
    EXPECT_EQ(cut.user, least.user);
    EXPECT_EQ(cut.trimmed.size(), 9u);
}

TEST(Trimming, WhatCannotFitIsAnError) {
    Prompts prompts = shipped();
    const auto prompt = prompts.make("rewrite", material(), 100);
    ASSERT_FALSE(prompt.has_value());
    EXPECT_EQ(prompt.error().code, ErrorCode::limit);
    EXPECT_THAT(prompt.error().what, HasSubstr("100 are allowed"));
}

TEST(TokenEstimate, IsAThirdOfTheBytes) {
    EXPECT_EQ(estimated_tokens(""), 0u);
    EXPECT_EQ(estimated_tokens("a"), 1u);
    EXPECT_EQ(estimated_tokens("abc"), 1u);
    EXPECT_EQ(estimated_tokens("abcd"), 2u);
}

TEST(HardwareCard, SaysWhatIsKnownOfADevice) {
    DeviceLimits h200 = device_limits_of("sm_90a").value();
    const std::string card = hardware_card(h200, gpu_peaks_of(h200));
    for (const char* fact :
         {"132 multiprocessors, architecture sm_90a", "FP32 without tensor cores 67",
          "FP16 or BF16 tensor cores 989", "Memory: 4800 GB/s",
          "L2 cache:", "2048 threads, 32 blocks, 65536 registers, 228 KiB",
          "48 KiB of shared memory (up to 227", "A cluster: 8 blocks, up to 16"}) {
        EXPECT_THAT(card, HasSubstr(fact));
    }
    h200.l2_bytes = 0;
    EXPECT_THAT(hardware_card(h200, GpuPeaks{}), Not(HasSubstr("L2")));
    EXPECT_THAT(hardware_card(h200, GpuPeaks{}), Not(HasSubstr("Memory")));
    EXPECT_EQ(hardware_card("Some CPU", {2.5e10, 1.25e10, 32 << 20, {}, "AVX2 with FMA"}),
              "- One core of Some CPU; a candidate runs on this core alone\n"
              "- Peak rate: 25 * 10^9 single-precision operations per second (AVX2 with FMA)\n"
              "- Memory: 12.5 GB/s read by one core\n- Last-level cache: 32 MiB\n");
}

}  // namespace
}  // namespace atl
