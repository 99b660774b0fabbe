#pragma once

#include "reward/base/files.hpp"
#include "reward/base/own_program.hpp"
#include "reward/evaluator.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace atl::testing {

/// One candidate of this suite with what its first comment lines say about it.
struct ListedCandidate {
    std::string name;
    std::string source;  ///< headers of this suite inlined: they are not there in the jail
    std::set<Outcome> expected;
    Level level = Level::verify;
    /// Which of them is short ("launch", "compile"), or must be in force ("memory", "jail"); or
    /// none.
    std::string limits;
    /// > 0: no workload may be reported as faster than that (medians of raw samples).
    double at_least_us = 0;
    /// > 0: a verdict that passes must report at least so much memory of its own.
    double at_least_mib = 0;
    /// Not empty: a text that must not come out in the verdict.
    std::string never_says;
    /// Of a CUDA attack: the stage that must end it, before there is a device ("record", "compile",
    /// "check"); empty: it gets as far as a device, or may.
    std::string ends;
};

/// Among the sources; in a bundle, beside the folder of the program.
inline const std::filesystem::path k_adversarial_folder = [] {
    std::filesystem::path folder =
        std::filesystem::path(ATOLL_SOURCE_DIR) / "tests" / "adversarial";
    const Expected<std::filesystem::path> program = own_program();
    if (!std::filesystem::exists(folder) && program) {
        folder = program->parent_path().parent_path() / "tests" / "adversarial";
    }
    return folder;
}();

inline std::string text_of_file(const std::filesystem::path& path) {
    std::ifstream file(path);
    if (!file) {
        throw std::runtime_error("cannot read " + path.string());
    }
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

/// Replaces `#include "tests/adversarial/..."` by the header's text.
inline std::string with_headers_inlined(const std::string& source) {
    const std::string directive = "#include \"tests/adversarial/";
    std::stringstream lines(source);
    std::string result;
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with(directive)) {
            const std::string header =
                line.substr(directive.size(), line.find('"', directive.size()) - directive.size());
            result += with_headers_inlined(text_of_file(k_adversarial_folder / header));
        } else if (line != "#pragma once") {
            result += line + "\n";
        }
    }
    return result;
}

inline Level level_from(const std::string& name) {
    for (const Level level : {Level::verify, Level::measure, Level::confirm}) {
        if (to_string(level) == name) {
            return level;
        }
    }
    throw std::runtime_error("no level '" + name + "'");
}

inline std::set<Outcome> outcomes_from(std::string names) {
    std::replace(names.begin(), names.end(), ',', ' ');
    std::stringstream words(names);
    std::set<Outcome> outcomes;
    for (std::string word; words >> word;) {
        const auto outcome = outcome_from(word);
        if (!outcome) {
            throw std::runtime_error("no outcome '" + word + "'");
        }
        outcomes.insert(*outcome);
    }
    return outcomes;
}

inline ListedCandidate load_candidate(const std::filesystem::path& path) {
    ListedCandidate file;
    file.name = path.stem();
    const std::string text = text_of_file(path);
    file.source = with_headers_inlined(text);
    std::stringstream lines(text);
    for (std::string line; std::getline(lines, line) && line.starts_with("//");) {
        const auto colon = line.find(": ");
        const std::string key = line.substr(0, colon);
        const std::string value = colon == std::string::npos ? "" : line.substr(colon + 2);
        if (key == "// expect") {
            file.expected = outcomes_from(value);
        } else if (key == "// level") {
            file.level = level_from(value);
        } else if (key == "// limits") {
            file.limits = value;
        } else if (key == "// at_least_us") {
            file.at_least_us = std::stod(value);
        } else if (key == "// at_least_mib") {
            file.at_least_mib = std::stod(value);
        } else if (key == "// never_says") {
            file.never_says = value;
        } else if (key == "// ends") {
            file.ends = value;
        }
    }
    if (file.expected.empty()) {
        throw std::runtime_error(path.string() + " has no line '// expect: OUTCOME, ...'");
    }
    return file;
}

inline void PrintTo(const ListedCandidate& file, std::ostream* out) {
    *out << file.name;
}

/// All candidates in a folder of this suite, by name.
inline std::vector<ListedCandidate> load_candidates(const std::string& folder) {
    std::vector<ListedCandidate> files;
    for (const auto& entry : std::filesystem::directory_iterator(k_adversarial_folder / folder)) {
        files.push_back(load_candidate(entry.path()));
    }
    std::sort(files.begin(), files.end(),
              [](const ListedCandidate& a, const ListedCandidate& b) { return a.name < b.name; });
    return files;
}

}  // namespace atl::testing
