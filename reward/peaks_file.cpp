#include "reward/peaks_file.hpp"

#include "reward/base/files.hpp"
#include "reward/base/hash.hpp"
#include "reward/cpu_layout.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdlib>

namespace atl {

namespace {

namespace fs = std::filesystem;

constexpr int k_version = 1;
constexpr std::uint64_t k_max_bytes = 4096;

/// No neighbour makes the best of several repetitions this many times slower: more is damage.
constexpr double k_most_above_measured = 10;

double amount(const nlohmann::json& json, const char* key, double measured) {
    const auto found = json.find(key);
    const double value = found != json.end() && found->is_number() ? found->get<double>() : 0;
    return value > 0 && value <= k_most_above_measured * measured ? value : 0;
}

/// Likewise of what is better when it is less.
double shortest(const nlohmann::json& json, const char* key, double measured) {
    const auto found = json.find(key);
    const double value = found != json.end() && found->is_number() ? found->get<double>() : 0;
    return k_most_above_measured * value >= measured && value <= k_most_above_measured * measured
               ? value
               : 0;
}

void write_peaks(const fs::path& file, const std::string& model, const DevicePeaks& peaks) {
    const nlohmann::json json = {{"version", k_version},
                                 {"cpu", model},
                                 {"flops_per_second", peaks.flops},
                                 {"bytes_per_second", peaks.bandwidth},
                                 {"clock_ns", peaks.core.clock_ns},
                                 {"issue_ratio", peaks.core.issue_ratio}};
    std::error_code ignored;
    fs::create_directories(file.parent_path(), ignored);
    const auto lenient = nlohmann::json::error_handler_t::replace;
    static_cast<void>(write_file_durably(file, json.dump(2, ' ', false, lenient) + "\n"));
}

}  // namespace

fs::path user_peaks_file() {
    const char* cache = std::getenv("XDG_CACHE_HOME");
    const char* home = std::getenv("HOME");
    fs::path folder;
    if (cache != nullptr && *cache == '/') {
        folder = cache;
    } else if (home != nullptr && *home == '/') {
        folder = fs::path(home) / ".cache";
    } else {
        return {};
    }
    return folder / "atoll" / ("peaks-" + content_id(cpu_model()).short_hex() + ".json");
}

KeptPeaks kept_peaks(const fs::path& file, const std::string& model, const DevicePeaks& measured) {
    const Expected<std::string> text = read_file(file, k_max_bytes);
    const auto json = nlohmann::json::parse(text ? *text : "", nullptr, false);
    if (!json.is_object() || json.value("version", nlohmann::json()) != k_version ||
        json.value("cpu", nlohmann::json()) != model) {
        return {};
    }
    return {amount(json, "flops_per_second", measured.flops),
            amount(json, "bytes_per_second", measured.bandwidth),
            {shortest(json, "clock_ns", measured.core.clock_ns),
             shortest(json, "issue_ratio", measured.core.issue_ratio)}};
}

DevicePeaks highest_peaks(const DevicePeaks& measured, const std::string& model,
                          const std::vector<fs::path>& files) {
    DevicePeaks highest = measured;
    std::vector<KeptPeaks> held;
    for (const fs::path& file : files) {
        held.push_back(kept_peaks(file, model, measured));
        highest.flops = std::max(highest.flops, held.back().flops);
        highest.bandwidth = std::max(highest.bandwidth, held.back().bandwidth);
        const double reference = held.back().core.clock_ns;
        highest.core.improve(held.back().core);
        highest.core.clock_ns = reference > 0 ? reference : highest.core.clock_ns;
    }
    for (std::size_t i = 0; i < files.size(); ++i) {
        DevicePeaks kept = highest;
        if (held[i].core.clock_ns > 0) {
            kept.core.clock_ns = held[i].core.clock_ns;
        }
        const bool news = held[i].flops < kept.flops || held[i].bandwidth < kept.bandwidth ||
                          held[i].core.clock_ns != kept.core.clock_ns ||
                          held[i].core.issue_ratio != kept.core.issue_ratio;
        if (!files[i].empty() && news) {
            write_peaks(files[i], model, kept);
        }
    }
    return highest;
}

}  // namespace atl
