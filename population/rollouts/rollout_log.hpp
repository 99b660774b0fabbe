#pragma once

#include "reward/evaluation_log.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace atl {

/// The log of a reward server: a run folder whose journal holds a RolloutRecorded for each
/// evaluation, and whose lineage.h5 has them as tables. Records are written together and fsynced
/// once, so that many cost what one costs. A server that starts again goes on with the same folder.
///
/// When the disk is full that is said, records are told "not durable" and wait (16 MiB of them),
/// and from then on every attempt looks whether there is room again; what did not fit is lost. A
/// data set that could not be written is made later by `atoll lineage LOG rebuild`.
struct RolloutLogOptions {
    std::filesystem::path folder;
    std::string atoll_version;
    std::string devices;  ///< what they measure on, a line each
    /// What a person must be told; from threads of the log.
    std::function<void(const std::string&)> say;
};

/// Errors: a folder that holds a campaign or anything else, one that another process has, damage,
/// no space.
[[nodiscard]] Expected<std::unique_ptr<EvaluationLog>> open_rollout_log(RolloutLogOptions options);

}  // namespace atl
