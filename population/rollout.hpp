#pragma once

#include "population/tune_values.hpp"
#include "reward/base/hash.hpp"
#include "reward/outcome.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace atl {

/// One evaluation that a reward server was asked for by a trainer, as its log has it: a record of
/// the journal. Texts are content ids into the text store, zero where there is none. Names and ids
/// are a client's own words.
struct Rollout {
    std::uint64_t number = 0;  ///< 0, 1, 2... in one log
    std::string task;
    Digest task_digest;
    std::string kind;    ///< of the candidate
    std::string device;  ///< class of device
    std::string level;
    TuneValues tune;
    std::vector<std::string> flags;
    Digest source;  ///< text id
    Digest reply;   ///< text id: the model's whole reply, where that was sent
    std::string trajectory;
    std::string group;
    std::string policy_version;
    std::int64_t turn = -1;    ///< -1: not said
    Digest token_ids;          ///< text id: little-endian i32, one for each token
    Digest log_probabilities;  ///< text id: little-endian f32, one for each token
    bool fault = false;        ///< of ours: no verdict, no score, and `outcome` means nothing
    std::string reason;        ///< of the fault
    Outcome outcome = Outcome::rejected;
    Digest verdict;   ///< text id of its JSON, hidden workloads included
    Digest baseline;  ///< text id: JSON object, workload to ns, that speed-ups are against
    std::vector<std::pair<std::string, double>> scores;  ///< by preset, in the order asked for
    bool cached = false;
    std::int64_t wall_ns = 0;  ///< when it was answered, since 1970
    double seconds = 0;        ///< from its arrival to then
};

}  // namespace atl
