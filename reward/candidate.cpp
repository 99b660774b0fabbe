#include "reward/candidate.hpp"

#include "reward/source_text.hpp"

namespace atl {

namespace {

Digest finish(ContentHasher hasher, const std::map<std::string, std::string>& tune,
              const std::vector<std::string>& flags) {
    hasher.field(std::uint64_t{tune.size()});
    for (const auto& [name, value] : tune) {
        hasher.field(name).field(value);
    }
    hasher.field(std::uint64_t{flags.size()});
    for (const std::string& flag : flags) {
        hasher.field(flag);
    }
    return hasher.finish();
}

}  // namespace

SourceKey::SourceKey(const std::string& kind, const std::string& source) {
    m_prefix.field("candidate 1").field(kind);
    // Only C++ is known to mean the same with other white space; Python does not, and PTX has its
    // plan in a comment. What is refused
    // for its bytes must not share its verdict with the same tokens in other bytes.
    const bool bytes_count = kind == "external" || kind == "ptx" || kind == "cubin" ||
                             source.size() > k_max_source_bytes ||
                             source.find('\0') != std::string::npos;
    m_prefix.field(bytes_count ? source : normalised_tokens(source));
}

Digest SourceKey::key(const std::map<std::string, std::string>& tune,
                      const std::vector<std::string>& flags) const {
    return finish(m_prefix, tune, flags);
}

Digest candidate_key(const Candidate& candidate) {
    if (candidate.files.empty()) {
        return SourceKey(candidate.kind, candidate.source).key(candidate.tune, candidate.flags);
    }
    ContentHasher hasher;
    hasher.field("candidate folder 1").field(candidate.kind);
    hasher.field(std::uint64_t{candidate.files.size()});
    for (const CandidateFile& file : candidate.files) {
        hasher.field(file.path).field(file.content).field(std::uint64_t{file.executable});
    }
    return finish(std::move(hasher), candidate.tune, candidate.flags);
}

std::string without_byte_order_mark(std::string source) {
    constexpr std::string_view k_mark = "\xEF\xBB\xBF";
    return source.starts_with(k_mark) ? source.substr(k_mark.size()) : source;
}

}  // namespace atl
