#pragma once

#include "reward/base/hash.hpp"

#include <map>
#include <string>
#include <vector>

namespace atl {

/// One file of a candidate that is a folder.
struct CandidateFile {
    std::string path;  ///< below the folder, parts joined by '/'
    std::string content;
    bool executable = false;

    bool operator==(const CandidateFile&) const = default;
};

/// A source text for a task and a device kind, with the values chosen for its `// tune:` macros
/// and the optional compiler flags chosen from the task's allowed list.
struct Candidate {
    std::string kind = "cpu_cpp";
    std::string source;
    std::map<std::string, std::string> tune;  ///< macro name -> value, passed as -DNAME=VALUE
    std::vector<std::string> flags;           ///< sorted, unique
    /// The whole folder, sorted by path, where the candidate is one (kind "external" only; then
    /// `source` is empty). Campaigns evolve single sources: their records hold no folders.
    std::vector<CandidateFile> files = {};

    bool operator==(const Candidate&) const = default;
};

/// Identity for duplicate detection: kind, the source's token stream without comments and white
/// space where it is C++ or CUDA, else its bytes (the files' paths and contents where it is a
/// folder), tune values and flags. Two candidates with one key are the same program. A source that
/// is refused for its bytes (too large, NUL) counts as it is.
[[nodiscard]] Digest candidate_key(const Candidate& candidate);

/// The keys of all candidates of one kind and source, which is read once. Immutable.
class SourceKey {
  public:
    SourceKey(const std::string& kind, const std::string& source);
    /// candidate_key() of {kind, source, tune, flags}.
    [[nodiscard]] Digest key(const std::map<std::string, std::string>& tune,
                             const std::vector<std::string>& flags) const;

  private:
    ContentHasher m_prefix;
};

/// A source without the mark that some editors put before UTF-8. To compilers it is one only at the
/// very beginning, where the prelude stands.
[[nodiscard]] std::string without_byte_order_mark(std::string source);

inline constexpr std::size_t k_max_source_bytes = 1 << 20;

}  // namespace atl
