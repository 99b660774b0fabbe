#include "population/lineage/text_layout.hpp"
#include "tools/atoll/doctor_checks.hpp"
#include "tools/atoll/exit_codes.hpp"
#include "tools/atoll/output.hpp"
#include "tools/atoll/verbs.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>

namespace atl {

namespace {

constexpr const char* k_footer = R"(Examples:
  atoll doctor                     what this machine has, and whether Atoll can evaluate here
  atoll doctor --json              the same for scripts
  CXX=clang++-16 atoll doctor      with another compiler

Exit status: 0 ready, 3 no evaluation is possible (the last lines say what to fix).)";

using Check = DoctorSection (*)();
constexpr Check k_checks[] = {check_compilers, check_sandbox, check_devices,   check_cuda,
                              check_hdf5,      check_limits,  check_evaluation};

std::string section_text(const DoctorSection& section) {
    std::string text = section.name + "\n";
    for (const auto& [key, value] : section.facts) {
        text += "  " + key + std::string(key.size() < 28 ? 28 - key.size() : 1, ' ') +
                one_line(value, 200) + "\n";
    }
    for (const std::string& advice : section.advice) {
        text += "  note: " + printable(advice) + "\n";
    }
    return text;
}

nlohmann::json section_json(const DoctorSection& section) {
    nlohmann::json facts = nlohmann::json::array();
    for (const auto& [key, value] : section.facts) {
        facts.push_back({{"name", key}, {"value", value}});
    }
    return {{"name", section.name},
            {"facts", std::move(facts)},
            {"problems", section.problems},
            {"advice", section.advice}};
}

int run(bool json) {
    nlohmann::json sections = nlohmann::json::array();
    std::vector<std::string> problems;
    for (const Check check : k_checks) {
        const DoctorSection section = check();
        for (const std::string& problem : section.problems) {
            // What is missing keeps later checks from working too.
            if (std::find(problems.begin(), problems.end(), problem) == problems.end()) {
                problems.push_back(problem);
            }
        }
        if (json) {
            sections.push_back(section_json(section));
        } else {
            print(section_text(section));
        }
    }
    if (json) {
        const nlohmann::json object = {{"version", ATOLL_VERSION},
                                       {"ready", problems.empty()},
                                       {"sections", std::move(sections)}};
        print(object.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
    } else if (problems.empty()) {
        print("ready\n");
    } else {
        print("not ready; to fix:\n");
        for (const std::string& problem : problems) {
            print("  - " + printable(problem) + "\n");
        }
    }
    return problems.empty() ? k_exit_ok : k_exit_infrastructure;
}

}  // namespace

void add_doctor_verb(CLI::App& app, VerbContext& context) {
    CLI::App* verb = app.add_subcommand("doctor", "Say what this machine has and what is missing");
    verb->footer(k_footer);
    const auto json = std::make_shared<bool>(false);
    verb->add_flag("--json", *json, "Print one JSON object");
    verb->callback([json, &context] { context.exit_status = run(*json); });
}

}  // namespace atl
