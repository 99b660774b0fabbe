#include "reward/candidate.hpp"

#include "reward/source_text.hpp"

namespace atl {

Digest candidate_key(const Candidate& candidate) {
    ContentHasher hasher;
    if (candidate.files.empty()) {
        hasher.field("candidate 1").field(candidate.kind);
        // Only C++ is known to mean the same with other white space; Python does not.
        hasher.field(candidate.kind == "external" ? candidate.source
                                                  : normalised_tokens(candidate.source));
    } else {
        hasher.field("candidate folder 1").field(candidate.kind);
        hasher.field(std::uint64_t{candidate.files.size()});
        for (const CandidateFile& file : candidate.files) {
            hasher.field(file.path).field(file.content).field(std::uint64_t{file.executable});
        }
    }
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
