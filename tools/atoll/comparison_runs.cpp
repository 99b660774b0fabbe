#include "tools/atoll/comparison_runs.hpp"

#include "population/run_folder.hpp"
#include "population/snapshot.hpp"
#include "search/recipes.hpp"
#include "tools/atoll/campaign_session.hpp"
#include "tools/atoll/exit_codes.hpp"
#include "tools/atoll/output.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <set>

namespace atl {

namespace {

namespace fs = std::filesystem;

// Whatever a recipe says about these, a comparison would be one of evaluators.
constexpr const char* k_common[] = {"evaluation.", "confirm.", "score.", "campaign.task",
                                    "campaign.kind"};
// What a campaign's record says otherwise than the config that it was begun with.
constexpr const char* k_resolved[] = {"campaign.task",
                                      "campaign.name",
                                      "campaign.kind",
                                      "score.preset",
                                      "engine.tickets_in_flight",
                                      "stop.max_evaluations"};

template <class List>
bool begins_with_one_of(const std::string& key, const List& list) {
    return std::any_of(std::begin(list), std::end(list),
                       [&](const char* one) { return key.starts_with(one); });
}

/// A run that is there.
struct Recorded {
    CampaignConfig config;
    CampaignStarted started;
    CampaignState state;
};

/// Nothing when there is no run, or one that has recorded nothing yet.
std::optional<Recorded> recorded(const fs::path& path) {
    std::error_code ignored;
    if (!fs::exists(path / "journal", ignored)) {
        return std::nullopt;
    }
    const RunFolder folder = value_or_end(RunFolder::open_read_only(path));
    CampaignStarted started = value_or_end(read_campaign_start(folder));
    CampaignConfig config =
        value_or_end(parse_config(started.config, folder.journal().string() + " (config)"));
    LoadedRun loaded = value_or_end(load_run(folder, state_settings(config)));
    return Recorded{std::move(config), std::move(started), std::move(loaded.state)};
}

void check_same(const Recorded& run, const CampaignConfig& wanted, const fs::path& path) {
    for (const KeyDifference& key : differing_keys(run.config, wanted)) {
        if (!begins_with_one_of(key.key, k_resolved)) {
            throw CommandError(k_exit_usage, path.string() + ": holds a campaign with " + key.key +
                                                 " = " + key.first + ", this comparison wants " +
                                                 key.second +
                                                 " (give the old options, or another --output)");
        }
    }
}

class Runner {
  public:
    Runner(const ComparisonPlan& plan, const std::function<void(const ComparisonStep&)>& tell)
        : m_plan(plan), m_tell(tell) {
        m_step.of = plan.recipes.size() * static_cast<std::size_t>(plan.seeds);
    }

    int run() {
        for (std::int64_t seed = m_plan.first_seed; seed < m_plan.first_seed + m_plan.seeds;
             ++seed) {
            for (const ComparisonPlan::Entry& entry : m_plan.recipes) {
                if (const int status = one(entry, seed); status != k_exit_ok) {
                    return status;
                }
            }
        }
        return k_exit_ok;
    }

  private:
    int one(const ComparisonPlan::Entry& entry, std::int64_t seed) {
        CampaignConfig config = entry.config;
        config.campaign.seed = seed;
        const fs::path path = m_plan.run(entry, seed);
        std::optional<Recorded> before = recorded(path);
        if (before) {
            check_same(*before, config, path);
        }
        m_step = {m_step.number + 1, m_step.of, entry.name, seed, false, false, 0, 0};
        m_step.was_there = before && why_over(before->state, config).has_value();
        m_tell(m_step);
        const auto begin = std::chrono::steady_clock::now();
        const int status = m_step.was_there ? k_exit_ok : session(config, path, before.has_value());
        // One that found nothing right has no confirmed best; that is a result, too.
        if (status != k_exit_ok && status != k_exit_failed) {
            return status;
        }
        m_step.seconds =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
        const std::optional<Recorded> after = recorded(path);
        const Individual* best = after ? after->state.best() : nullptr;
        m_step.best = best == nullptr ? 0 : best->fitness;
        m_step.ended = true;
        m_tell(m_step);
        return k_exit_ok;
    }

    int session(const CampaignConfig& config, const fs::path& path, bool begun) const {
        SessionOptions options;
        options.report = false;
        options.quiet = !m_plan.show_campaigns || !can_redraw(STDOUT_FILENO);
        if (begun) {
            options.max_evaluations = config.stop.max_evaluations;
            return resume_campaign(path, options);
        }
        std::error_code error;
        fs::create_directories(path.parent_path(), error);
        return run_campaign(config, path.parent_path().filename().string(), path, options);
    }

    const ComparisonPlan& m_plan;
    const std::function<void(const ComparisonStep&)>& m_tell;
    ComparisonStep m_step;
};

}  // namespace

fs::path ComparisonPlan::run(const Entry& entry, std::int64_t seed) const {
    return folder / entry.name / ("seed-" + std::to_string(seed));
}

void make_comparable(ComparisonPlan& plan) {
    std::set<std::string> names;
    for (ComparisonPlan::Entry& entry : plan.recipes) {
        entry.config.stop = StopSettings();
        entry.config.stop.max_evaluations = static_cast<std::int64_t>(plan.budget);
        if (!names.insert(entry.name).second) {
            throw CommandError(k_exit_usage, "two recipes are called " + entry.name);
        }
        const ComparisonPlan::Entry& first = plan.recipes.front();
        for (const KeyDifference& key : differing_keys(first.config, entry.config)) {
            if (begins_with_one_of(key.key, k_common)) {
                throw CommandError(k_exit_usage,
                                   first.name + " and " + entry.name + " differ in " + key.key +
                                       " (" + key.first + ", " + key.second +
                                       "), which is no recipe's: say it for all with --set");
            }
        }
    }
}

int run_comparison(const ComparisonPlan& plan,
                   const std::function<void(const ComparisonStep&)>& tell) {
    return Runner(plan, tell).run();
}

Comparison read_comparison(const ComparisonPlan& plan) {
    Comparison comparison;
    comparison.budget = plan.budget;
    std::set<std::string> tasks;
    std::set<std::string> places;
    for (const ComparisonPlan::Entry& entry : plan.recipes) {
        ComparedRecipe recipe{entry.name, {}};
        for (std::int64_t seed = plan.first_seed; seed < plan.first_seed + plan.seeds; ++seed) {
            const fs::path path = plan.run(entry, seed);
            std::optional<Recorded> run = recorded(path);
            if (!run) {
                throw CommandError(k_exit_usage, path.string() + ": holds no campaign");
            }
            recipe.runs.push_back(compared_run(run->state, plan.budget));
            recipe.runs.back().seed = seed;
            comparison.task = fs::path(run->config.campaign.task).filename().string();
            tasks.insert(run->started.task_digest.hex());
            places.insert(run->started.device);
        }
        comparison.recipes.push_back(std::move(recipe));
    }
    if (tasks.size() > 1) {
        throw CommandError(k_exit_usage,
                           "the task changed between these campaigns: they do not "
                           "compare (begin anew in another --output)");
    }
    if (places.size() > 1) {
        comparison.notes.emplace_back("not all campaigns ran on the same device");
    }
    return comparison;
}

}  // namespace atl
