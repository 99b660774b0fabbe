#include "reward/candidate.hpp"

#include "reward/source_text.hpp"

namespace atl {

Digest candidate_key(const Candidate& candidate) {
    ContentHasher hasher;
    hasher.field("candidate 1").field(candidate.kind);
    // Only C++ is known to mean the same with other white space; Python does not.
    hasher.field(candidate.kind == "external" ? candidate.source
                                              : normalised_tokens(candidate.source));
    hasher.field(std::uint64_t{candidate.tune.size()});
    for (const auto& [name, value] : candidate.tune) {
        hasher.field(name).field(value);
    }
    hasher.field(std::uint64_t{candidate.flags.size()});
    for (const std::string& flag : candidate.flags) {
        hasher.field(flag);
    }
    return hasher.finish();
}

}  // namespace atl
