#include "search/best_files.hpp"

#include "reward/base/files.hpp"
#include "reward/base/words.hpp"
#include "reward/compiler.hpp"
#include "reward/kinds/kind.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace atl {

namespace {

/// Of the run that confirmed it, whose verdict says "g++ 12.2.0 at /usr/bin/g++".
std::string compiler_of(const std::string& verdict_json) {
    const Expected<Verdict> verdict = parse_verdict(verdict_json);
    const std::string named = verdict && verdict->compile ? verdict->compile->compiler : "";
    const std::size_t at = named.rfind(" at /");
    return at == std::string::npos ? "g++" : shell_quoted(named.substr(at + 4));
}

std::string compile_command(const Candidate& candidate, const std::string& verdict_json) {
    std::string command = compiler_of(verdict_json);
    for (const std::string& flag : standard_flags()) {
        command += " " + flag;
    }
    for (const std::string& flag : candidate.flags) {
        command += " " + flag;
    }
    return command + " best.cpp -o best.so";
}

}  // namespace

std::string best_source(const Task& task, const Individual& individual, const Candidate& candidate,
                        const Confirmed& confirmed, const std::string& verdict_json) {
    const CandidateKind* kind = find_kind(candidate.kind);
    const std::string source =
        kind == nullptr ? candidate.source : kind->standalone_source(candidate);
    if (task.external) {
        return source;  // some other language: no comment of ours may be added
    }
    std::string text = fmt::format(
        "// Task {}, individual {} ({}, from starter {}), confirmed fitness {:.4g}.\n", task.name,
        individual.id.text(), individual.operator_name, individual.starter, confirmed.fitness);
    if (task.kind == "cpu_cpp") {
        text += "// Compile: " + compile_command(candidate, verdict_json) + "\n";
    }
    return text + source;
}

std::filesystem::path best_file(const std::filesystem::path& folder, const Task& task) {
    if (!task.external) {
        return folder / ("best" + source_extension(task.kind));
    }
    return folder /
           ("best" + std::filesystem::path(task.external->candidate_file).extension().string());
}

Status write_best_files(const std::filesystem::path& folder, const Task& task,
                        const Individual& individual, const Candidate& candidate,
                        const Confirmed& confirmed, const std::string& verdict_json) {
    ATOLL_TRY(write_file_durably(best_file(folder, task), best_source(task, individual, candidate,
                                                                      confirmed, verdict_json)));
    nlohmann::json facts;
    facts["task"] = task.name;
    facts["individual"] = individual.id.text();
    facts["operator"] = individual.operator_name;
    facts["description"] = individual.description;
    facts["starter"] = individual.starter;
    facts["tune"] = candidate.tune;
    facts["flags"] = candidate.flags;
    facts["search_fitness"] = individual.fitness;
    facts["confirmed_fitness"] = confirmed.fitness;
    if (task.kind == "cpu_cpp") {
        facts["compile"] = compile_command(candidate, verdict_json);
    }
    facts["verdict"] = nlohmann::json::parse(verdict_json, nullptr, false);
    // Descriptions come from operators and may hold any bytes.
    const auto lenient = nlohmann::json::error_handler_t::replace;
    return write_file_durably(folder / "best.json", facts.dump(2, ' ', false, lenient) + "\n");
}

Status remove_best_files(const std::filesystem::path& folder, const Task& task) {
    for (const std::filesystem::path& path : {best_file(folder, task), folder / "best.json"}) {
        std::error_code error;
        std::filesystem::remove(path, error);
        if (error) {
            return failure(ErrorCode::io, "cannot be removed: " + error.message(), path.string());
        }
    }
    return {};
}

}  // namespace atl
