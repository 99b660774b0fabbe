#include "tests/puzzles/recipe_campaign.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace atl::testing {

namespace {

constexpr const char* k_genes[] = {"a", "b"};
constexpr int k_highest = 40;

// Programs of different height have different length: grids look at it.
std::string line_of(const std::string& gene, int value) {
    const int padding = gene == "salt" ? 0 : 4 * value;
    return fmt::format("int {} = {};  //{}", gene, value, std::string(padding, '-'));
}

Genome edited(Genome genome, const ChatCall& call) {
    const std::string& prompt = call.request.messages.back().content;
    const std::string hash = content_id(prompt + std::to_string(call.candidate)).hex();
    const unsigned long draw = std::strtoul(hash.substr(0, 8).c_str(), nullptr, 16);
    int& gene = genome[k_genes[draw % 2]];
    gene = std::clamp(gene + (draw / 2 % 4 == 0 ? -1 : 1), 0, k_highest);
    genome["salt"] = static_cast<int>(draw / 8 % 100'000'000);
    return genome;
}

std::string blocks_between(const Genome& before, const Genome& after) {
    std::string text;
    for (const auto& [gene, value] : after) {
        if (value != before.at(gene)) {
            text += fmt::format("<<<<<<< SEARCH\n{}\n=======\n{}\n>>>>>>> REPLACE\n",
                                line_of(gene, before.at(gene)), line_of(gene, value));
        }
    }
    return text;
}

double height(const Candidate& candidate) {
    const Genome genome = read_genome(candidate.source);
    return std::pow(1.05, genome.at("a") + genome.at("b"));
}

TaskPtr ladder_task() {
    auto task = std::make_shared<Task>();
    task->name = "ladder";
    task->folder = "ladder";
    task->starters = {{"low", ladder_program({{"a", 0}, {"b", 0}, {"salt", 0}})},
                      {"other", ladder_program({{"a", 1}, {"b", 0}, {"salt", 0}}) + "int tail;\n"}};
    Workload workload;
    workload.id = "w0";
    task->workloads = {workload};
    return task;
}

CampaignConfig config_of(const std::string& recipe, std::int64_t evaluations,
                         const std::vector<std::string>& keys) {
    CampaignConfig config;
    const auto loaded = load_recipe(recipe);
    EXPECT_TRUE(loaded) << loaded.error().message();
    const Status read = loaded ? read_over(config, *loaded) : Status();
    EXPECT_TRUE(read) << read.error().message();
    config.campaign.task = "ladder";
    config.campaign.seed = 3;
    config.engine.commit_order = "ticket";
    config.engine.tickets_in_flight = 2;
    config.confirm.min_gain = 100;
    config.stop.max_evaluations = evaluations;
    for (const std::string& key : keys) {
        const Status set = set_key(config, key);
        EXPECT_TRUE(set) << set.error().message();
    }
    return config;
}

FakeEvaluatorOptions ladder_evaluator() {
    FakeEvaluatorOptions options;
    options.time_ns = [](const Candidate& candidate) { return 1e6 / height(candidate); };
    options.outcome = [](const Candidate& candidate) {
        return read_genome(candidate.source).at("salt") % 5 == 1 ? Outcome::wrong_result
                                                                 : Outcome::passed;
    };
    return options;
}

}  // namespace

std::string ladder_program(const Genome& genome) {
    std::string source;
    for (const auto& [gene, value] : genome) {
        source +=
            fmt::format("// region: {0}\n{1}\n// endregion: {0}\n", gene, line_of(gene, value));
    }
    return source;
}

Genome last_shown(const std::string& prompt) {
    Genome genome;
    for (const char* gene : {"a", "b", "salt"}) {
        const std::string begin = std::string("\nint ") + gene + " = ";
        const std::size_t at = prompt.rfind(begin);
        genome[gene] = at == std::string::npos ? 0 : std::atoi(prompt.c_str() + at + begin.size());
    }
    return genome;
}

namespace {

/// What a model answers who makes `after` of `before`, the program shown last: search/replace
/// blocks or a whole program, as the prompt asks.
ChatReply reply_for(const ChatCall& call, const Genome& before, const Genome& after) {
    const std::string& prompt = call.request.messages.back().content;
    const std::string said =
        "Change: moves a gene\nMechanism of the first: a\nMechanism of the other: b\nBridge: "
        "none\n";
    if (prompt.find("<<<<<<< SEARCH") != std::string::npos) {
        return fake_reply(said + blocks_between(before, after));
    }
    return fake_reply(said + "```cpp\n" + ladder_program(after) + "```\n");
}

}  // namespace

Expected<ChatReply> small_edit(const ChatCall& call) {
    const Genome before = last_shown(call.request.messages.back().content);
    return reply_for(call, before, edited(before, call));
}

RecipeCampaign::RecipeCampaign(const std::string& recipe, std::int64_t evaluations,
                               const std::vector<std::string>& keys)
    : ModelCampaign(small_config()) {
    const std::vector<ModelSettings> one = config.models;
    config = config_of(recipe, evaluations, keys);
    config.models = one;
    config.models.push_back(one.front());
    config.models.back().name = "other";
    task = ladder_task();
    ModelOperatorOptions options;
    options.budget.prompt_tokens = static_cast<std::size_t>(config.asking.prompt_tokens);
    options.budget.retries = static_cast<int>(config.asking.retries);
    options.budget.repairs = static_cast<int>(config.asking.repairs);
    auto made = campaign_operators(*task, options);
    EXPECT_TRUE(made) << made.error().message();
    operators = std::move(*made);
    m_model = std::make_unique<InstantModel>([this](const ChatCall& call) {
        {
            const std::lock_guard lock(m_mutex);
            heard.push_back(call.request.messages.back().content);
        }
        return answer(call);
    });
    model = m_model.get();
    EXPECT_TRUE(check_config(config, recipe));
}

bool RecipeCampaign::solves(double fitness) {
    config.stop.target_fitness = fitness;
    const auto report = run(ladder_evaluator());
    EXPECT_TRUE(report) << report.error().message();
    return report->state.best() != nullptr && report->state.best()->fitness >= fitness;
}

EngineReport RecipeCampaign::play() {
    auto report = run(ladder_evaluator());
    EXPECT_TRUE(report) << report.error().message();
    EXPECT_FALSE(report->fault);
    EXPECT_GE(report->state.evaluations(), static_cast<std::uint64_t>(config.stop.max_evaluations))
        << report->reason;
    auto reader = JournalReader::open(path() / "journal");
    std::vector<Event> events;
    EXPECT_TRUE((*reader)->for_each(0, [&](const JournalReader::Entry& entry) {
        events.push_back(entry.event);
        return Status();
    }));
    const auto replay = replay_decisions(events, **reader, config, task, operators);
    EXPECT_TRUE(replay) << replay.error().message();
    EXPECT_THAT(replay->differences, ::testing::IsEmpty());
    return std::move(*report);
}

std::vector<TicketIssued> RecipeCampaign::asked() const {
    std::vector<TicketIssued> tickets;
    for (TicketIssued& ticket : all<TicketIssued>()) {
        if (!ticket.model.empty()) {
            tickets.push_back(std::move(ticket));
        }
    }
    return tickets;
}

std::size_t count_role(const TicketIssued& ticket, ParentRole role) {
    return static_cast<std::size_t>(
        std::count_if(ticket.parents.begin(), ticket.parents.end(),
                      [role](const Parent& parent) { return parent.role == role; }));
}

}  // namespace atl::testing
