#pragma once

#include "reward/base/error.hpp"
#include "search/config.hpp"
#include "tools/atoll/progress.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>

namespace atl {

/// What the command line may say about a campaign besides its config.
struct SessionOptions {
    std::optional<std::int64_t> max_evaluations;
    std::optional<double> seconds;
    std::optional<std::int64_t> seed;  ///< new campaigns only
    std::optional<std::string> kind;   ///< likewise
    std::optional<std::string> reward;
    bool plan = false;  ///< print what it will take instead; new campaigns only
    bool json = false;
    bool quiet = false;
    bool report = true;  ///< false: no notes on the config and no report at the end
};

/// Starts a campaign in `output` (empty: runs/NAME-TIME) or goes on with one, on this thread, until
/// it ends. Returns the exit status; throws CommandError for what ends the command. `where` is what
/// messages call the config.
[[nodiscard]] int run_campaign(CampaignConfig config, const std::string& where,
                               const std::filesystem::path& output, const SessionOptions& options);
[[nodiscard]] int resume_campaign(const std::filesystem::path& run, const SessionOptions& options);

/// Why nothing is left to do for the campaign in this state, under the limits of `config`; nothing
/// when a session would go on with it.
[[nodiscard]] std::optional<std::string> why_over(const CampaignState& state,
                                                  const CampaignConfig& config);

/// Ends the command with what run_campaign() would refuse at once; makes and starts nothing.
void check_before_run(CampaignConfig config, const std::string& where);

/// An error that ended the campaign in `run`. That of a full disk, which is mended from outside,
/// names the command that goes on afterwards.
[[nodiscard]] Error with_way_on(Error error, const std::filesystem::path& run);

}  // namespace atl
