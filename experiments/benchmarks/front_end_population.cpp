#include "experiments/benchmarks/front_end_population.hpp"

#include "reward/base/files.hpp"
#include "reward/source_text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <string_view>

namespace population {

namespace {

constexpr std::array<std::string_view, 9> k_small{
    "cross_entropy", "embedding_gather", "gemv_fp16", "gemv_int8", "layer_norm",
    "matmul",        "rmsnorm_residual", "softmax",   "transpose"};

template <class Wanted>
std::vector<Source> starters_of(const Wanted& wanted) {
    std::vector<Source> sources;
    for (const std::filesystem::path& folder : atl::list_tasks()) {
        const std::string name = folder.filename().string();
        if (!exists(folder / "reference.cu") || !wanted(name)) {
            continue;
        }
        const auto task = atl::load_task(folder, "cuda");
        if (!task) {
            std::fprintf(stderr, "%s\n", task.error().message().c_str());
            continue;
        }
        for (const atl::Starter& starter : (*task)->starters) {
            sources.push_back({*task, name + "/" + starter.name, starter.source});
        }
    }
    return sources;
}

}  // namespace

std::vector<Source> small_tasks() {
    return starters_of([](const std::string& name) {
        return std::find(k_small.begin(), k_small.end(), name) != k_small.end();
    });
}

std::vector<Source> all_tasks() {
    return starters_of([](const std::string&) { return true; });
}

std::vector<Source> one_task(const std::string& name) {
    return starters_of([&](const std::string& one) { return one == name; });
}

std::vector<Source> files_of(const std::filesystem::path& folder) {
    constexpr std::size_t k_most_bytes = std::size_t{1} << 20U;
    const std::vector<Source> starters = one_task("softmax");
    std::vector<Source> sources;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (starters.empty() || entry.path().extension() != ".cu") {
            continue;
        }
        if (auto text = atl::read_file(entry.path(), k_most_bytes)) {
            sources.push_back(
                {starters.front().task, entry.path().stem().string(), std::move(*text)});
        }
    }
    std::sort(sources.begin(), sources.end(),
              [](const Source& a, const Source& b) { return a.name < b.name; });
    return sources;
}

std::map<std::string, std::string> tune_of(const Source& source, std::size_t number) {
    std::map<std::string, std::string> tune;
    for (const atl::TuneMacro& macro : atl::tune_macros(source.text)) {
        tune[macro.name] = macro.values[number % macro.values.size()];
        number /= macro.values.size();
    }
    return tune;
}

}  // namespace population
