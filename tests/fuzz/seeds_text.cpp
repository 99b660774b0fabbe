#include "reward/base/error.hpp"
#include "reward/base/files.hpp"
#include "reward/task.hpp"
#include "search/config.hpp"
#include "tests/fuzz/seeds.hpp"

#include <filesystem>

namespace atl::fuzz {

namespace fs = std::filesystem;

namespace {

const fs::path k_experiments = fs::path(ATOLL_SOURCE_DIR) / "experiments";

std::string text_of(const fs::path& path) {
    return value_or_throw(read_file(path, 1 << 20));
}

SeedsOfTarget config_seeds() {
    SeedsOfTarget seeds{"config", {{"defaults", write_config(CampaignConfig{})}}};
    for (const auto& entry : fs::directory_iterator(k_experiments / "campaigns")) {
        if (entry.path().extension() == ".toml") {
            seeds.seeds[entry.path().stem()] = text_of(entry.path());
        }
    }
    return seeds;
}

SeedsOfTarget task_seeds() {
    SeedsOfTarget seeds{"task", {}};
    for (const auto& entry : fs::directory_iterator(k_experiments / "tasks")) {
        if (fs::exists(entry.path() / "definition.json")) {
            const fs::path workloads = entry.path() / "workload.jsonl";
            seeds.seeds[entry.path().filename()] =
                text_of(entry.path() / "definition.json") + "\n%%\n" +
                (fs::exists(workloads) ? text_of(workloads) : std::string());
        }
    }
    return seeds;
}

/// Pairs of starters of one task, as crossover sees them.
SeedsOfTarget source_seeds() {
    SeedsOfTarget seeds{"source", {}};
    for (const auto& entry : fs::directory_iterator(k_experiments / "tasks")) {
        if (!fs::exists(entry.path() / "definition.json")) {
            continue;
        }
        const TaskPtr task = value_or_throw(load_task(entry.path()));
        for (std::size_t i = 0; i < task->starters.size(); ++i) {
            const Starter& other = task->starters[(i + 1) % task->starters.size()];
            seeds.seeds[task->name + "-" + task->starters[i].name] =
                task->starters[i].source + std::string(1, '\0') + other.source;
        }
    }
    seeds.seeds["literals"] =
        "#include <x/*y>\n#define A(x) #x R\"d(\\\n)\" )d\" u8'\\'' 0x1.p-3'0_km\n"
        "#ifndef T\n#define T 4  // tune: 1, 2, -3, x\n#endif\n"
        "// region: a\nint a; /* \\\n*/ // b \\\n c\n// endregion: a\n%:%: <:: ->* <=> ...\n";
    seeds.seeds["other_languages"] =
        "STEPS = 100  # tune: 50, 100\n# region: r\nx = 'y'\n# endregion: r\n";
    return seeds;
}

}  // namespace

std::vector<SeedsOfTarget> text_seeds() {
    SeedsOfTarget expressions{"expression",
                              {{"work", "2*rows*cols + ceil_div(cols, 4) // 3"},
                               {"functions", "max(1, min(a, b, 3), log2(rows)) % -7"},
                               {"decimal", "1.5e3 * (n - 0.25) / -(a)"},
                               {"overflow", "9223372036854775807 * n - b // (0 - 1)"}}};
    SeedsOfTarget logs{"compile_log",
                       {{"errors",
                         "In file included from /usr/include/c++/12/vector:64,\n"
                         "                 from /job/12/candidate.cpp:3:\n"
                         "/job/12/candidate.cpp: In function 'void launch(int)':\n"
                         "/job/12/candidate.cpp:7:5: error: 'x' was not declared in this scope\n"
                         "    7 |     x = 1;\n      |     ^\n\x1b[31m\xff\n"},
                        {"limits",
                         "virtual memory exhausted: Cannot allocate memory\n"
                         "cc1plus: out of memory allocating 65536 bytes\n"
                         "g++: fatal error: Killed signal terminated program cc1plus\n"},
                        {"linker",
                         "/usr/bin/ld: /job/1/candidate.o: in function `launch':\n"
                         "candidate.cpp:(.text+0x1): undefined reference to `f()'\n"
                         "collect2: error: ld returned 1 exit status\n"}}};
    return {config_seeds(), task_seeds(), source_seeds(), std::move(expressions), std::move(logs)};
}

}  // namespace atl::fuzz
