#pragma once

#include "reward/scores/presets.hpp"
#include "reward/server/refusal.hpp"
#include "reward/server/served_device.hpp"
#include "reward/server/task_catalog.hpp"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace atl {

/// What a trainer wants to find again in the answer; never looked at.
struct TrajectoryIds {
    std::string trajectory;
    std::string group;
    std::optional<std::int64_t> turn;
    std::string policy_version;
};

/// What a trainer wants to find again in the log; never looked at.
struct RolloutTexts {
    std::string reply;  ///< a model's whole reply, where that was sent
    std::vector<std::int32_t> token_ids;
    std::vector<float> log_probabilities;  ///< as many, or none

    [[nodiscard]] std::size_t bytes() const {
        return reply.size() + token_ids.size() * sizeof(std::int32_t) +
               log_probabilities.size() * sizeof(float);
    }
};

/// One evaluation as a client asked for it, checked.
struct JobRequest {
    TaskPtr task;
    const ServedDevice* device = nullptr;  ///< outlives the job
    Candidate candidate;
    /// The reply held no code: then there is nothing to evaluate, and the verdict is `rejected`.
    bool no_code = false;
    Level level = Level::measure;
    bool profile = false;
    std::vector<Rival> rivals;              ///< of level confirm
    double cutoff_ns = 0;                   ///< see EvaluationRequest; 0: none
    bool fresh = false;                     ///< measured anew, whatever is known
    bool with_verdict = true;               ///< the answer holds the whole verdict
    std::vector<std::string> scores;        ///< names in `presets`, as asked, without repetition
    const ScorePresets* presets = nullptr;  ///< outlives the job
    int priority = 0;
    std::optional<std::chrono::seconds> deadline;
    /// A fault of ours that may pass is tried again until the deadline: for formats that have no
    /// word for it once an answer was promised.
    bool until_deadline = false;
    std::string idempotency_key;
    std::string client;  ///< who asks, where it says so; else its address stands for it
    TrajectoryIds ids;
    RolloutTexts rollout;
    Digest content;  ///< of all that the answer depends on

    /// Of `content` and `ids`. Made when it is asked for, which is seldom.
    [[nodiscard]] Digest digest() const;
    /// Whether a score needs the times of the task's first starter.
    [[nodiscard]] bool wants_baseline() const;
    /// What it takes of the memory that waiting jobs may take.
    [[nodiscard]] std::size_t bytes() const;
};

/// What a server has to offer. Immutable while requests are read; must outlive them.
struct Offer {
    const TaskCatalog& tasks;
    const ServedDevices& devices;
    const ScorePresets& presets;
};

inline constexpr std::chrono::seconds k_longest_deadline{86'400};
inline constexpr std::size_t k_longest_id = 256;
inline constexpr std::size_t k_most_tokens = 131'072;  ///< of one reply
inline constexpr int k_highest_priority = 100;         ///< the lowest is its negative

/// Reads {"task", "source" | "reply", "kind", "device", "tune", "flags", "level", "scores",
/// "profile", "verdict", "priority", "deadline_s", "idempotency_key", "client", "trajectory_id",
/// "group_id", "turn", "policy_version", "token_ids", "log_probabilities"} and what engines ask for
/// besides:
/// {"task_digest", "fresh", "cutoff_ns", "rivals"}; a field more is a refusal. Trainers may give
/// "name_from" in place of "task" and what else the rule of adapters/task_naming.hpp can find out.
/// `where` names the object in errors
/// ("body", "body: requests[3]"). Refusals: 422 with codes invalid_request, no_task, unknown_task,
/// unsupported_kind, unknown_score, task_differs.
[[nodiscard]] Answered<JobRequest> parse_job_request(const nlohmann::ordered_json& value,
                                                     const std::string& where, const Offer& offer);

/// Parses a body that must be one JSON value. Refusal: 400, invalid_json.
[[nodiscard]] Answered<nlohmann::ordered_json> parse_body(std::string_view text,
                                                          const std::string& where);

}  // namespace atl
