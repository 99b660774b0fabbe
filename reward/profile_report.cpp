#include "reward/profile_report.hpp"

#include "reward/base/json_reader.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace atl {

namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 12> k_names = {
    "unknown",       "launch_overhead",         "dram_bandwidth",
    "l2_bandwidth",  "shared_memory_conflicts", "shared_memory_bandwidth",
    "compute_bound", "tensor_pipe_idle",        "few_blocks",
    "tail_effect",   "occupancy_limited",       "latency_bound"};

constexpr std::size_t k_max_word = 64;
constexpr std::size_t k_max_name = 4096;
constexpr std::size_t k_max_sentence = 4096;
constexpr std::size_t k_max_metric_name = 128;
constexpr double k_most = 1e18;
constexpr std::int64_t k_most_bytes = std::int64_t{1} << 40;
constexpr std::int64_t k_most_blocks = std::int64_t{1} << 62;
constexpr std::uint32_t k_most_threads = 1 << 16;

bool is_metric_name(std::string_view name) {
    return !name.empty() && name.size() <= k_max_metric_name &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
           });
}

json metrics_to_json(const std::map<std::string, double>& metrics) {
    json object = json::object();
    for (const auto& [name, value] : metrics) {
        object[name] = value;
    }
    return object;
}

void read_metrics(JsonReader& reader, std::map<std::string, double>& out) {
    const json* metrics = reader.object("metrics", k_most_metrics);
    if (metrics == nullptr) {
        return;
    }
    for (const auto& item : metrics->items()) {
        const Expected<double> value = number_from_json(item.value(), reader.path("metrics"));
        if (!is_metric_name(item.key()) || !value || !(*value >= 0 && *value <= k_most)) {
            return reader.fail("a metric is none");
        }
        out[item.key()] = *value;
    }
}

json footprint_to_json(const KernelFootprint& kernel) {
    return {{"kernel", kernel.kernel},
            {"launches", kernel.launches},
            {"blocks", kernel.blocks},
            {"threads_per_block", kernel.threads_per_block},
            {"registers", kernel.registers},
            {"static_shared_bytes", kernel.static_shared_bytes},
            {"dynamic_shared_bytes", kernel.dynamic_shared_bytes},
            {"local_bytes", kernel.local_bytes},
            {"spill_bytes", kernel.spill_bytes},
            {"blocks_per_multiprocessor", kernel.blocks_per_multiprocessor},
            {"occupancy", kernel.occupancy},
            {"limiter", kernel.limiter},
            {"waves", kernel.waves}};
}

void read_footprint(JsonReader& reader, KernelFootprint& kernel) {
    reader.text("kernel", kernel.kernel, k_max_name)
        .integer("launches", kernel.launches, 0, k_most_threads)
        .integer("blocks", kernel.blocks, 0, k_most_blocks)
        .integer("threads_per_block", kernel.threads_per_block, 0, k_most_threads)
        .integer("registers", kernel.registers, 0, k_most_threads)
        .integer("static_shared_bytes", kernel.static_shared_bytes, 0, k_most_bytes)
        .integer("dynamic_shared_bytes", kernel.dynamic_shared_bytes, 0, k_most_bytes)
        .integer("local_bytes", kernel.local_bytes, 0, k_most_bytes)
        .integer("spill_bytes", kernel.spill_bytes, 0, k_most_bytes)
        .integer("blocks_per_multiprocessor", kernel.blocks_per_multiprocessor, 0, k_most_threads)
        .number("occupancy", kernel.occupancy, 0, 1)
        .text("limiter", kernel.limiter, k_max_word)
        .number("waves", kernel.waves, 0, k_most);
}

json counted_to_json(const KernelCounters& counted) {
    return {{"kernel", counted.kernel},
            {"blocks", counted.blocks},
            {"threads_per_block", counted.threads_per_block},
            {"metrics", metrics_to_json(counted.metrics)}};
}

void read_counted(JsonReader& reader, KernelCounters& counted) {
    reader.text("kernel", counted.kernel, k_max_name)
        .integer("blocks", counted.blocks, 0, k_most_blocks)
        .integer("threads_per_block", counted.threads_per_block, 0, k_most_threads);
    read_metrics(reader, counted.metrics);
}

template <class Item, class Read>
void read_kernels(JsonReader& reader, std::size_t most, std::vector<Item>& out, Read read) {
    const json* items = reader.array("kernels", most);
    for (std::size_t i = 0; items != nullptr && i < items->size(); ++i) {
        JsonReader inner((*items)[i], fmt::format("{}[{}]", reader.path("kernels"), i));
        read(inner, out.emplace_back());
        if (const Status status = inner.finish(); !status) {
            return reader.fail(status.error().message());
        }
    }
}

void read_bottleneck(JsonReader& reader, ProfileReport& report) {
    std::string name;
    reader.text("bottleneck", name, k_max_word);
    const std::optional<Bottleneck> known = bottleneck_from(name);
    if (reader.ok() && !known) {
        reader.fail("unknown bottleneck '" + name + "'");
    }
    report.bottleneck = known.value_or(Bottleneck::unknown);
}

}  // namespace

std::string_view to_string(Bottleneck bottleneck) {
    return k_names[static_cast<std::size_t>(bottleneck)];
}

std::optional<Bottleneck> bottleneck_from(std::string_view name) {
    const auto* const found = std::find(k_names.begin(), k_names.end(), name);
    return found == k_names.end()
               ? std::nullopt
               : std::optional(static_cast<Bottleneck>(std::distance(k_names.begin(), found)));
}

json profile_to_json(const ProfileReport& report) {
    json kernels = json::array();
    for (const KernelFootprint& kernel : report.kernels) {
        kernels.push_back(footprint_to_json(kernel));
    }
    return {{"source", report.source},
            {"why_static", report.why_static},
            {"workload", report.workload},
            {"bottleneck", to_string(report.bottleneck)},
            {"sentence", report.sentence},
            {"memory_ns", report.memory_ns},
            {"compute_ns", report.compute_ns},
            {"tensor_types", report.tensor_types},
            {"kernel", report.kernel},
            {"kernel_share", report.kernel_share},
            {"occupancy", report.occupancy},
            {"occupancy_achieved",
             report.occupancy_achieved ? json(*report.occupancy_achieved) : json(nullptr)},
            {"limiter", report.limiter},
            {"metrics", metrics_to_json(report.metrics)},
            {"kernels", std::move(kernels)}};
}

Expected<ProfileReport> profile_from_json(const json& value, const std::string& where) {
    ProfileReport report;
    JsonReader reader(value, where);
    reader.text("source", report.source, k_max_word)
        .text("why_static", report.why_static, k_max_sentence)
        .text("workload", report.workload)
        .text("sentence", report.sentence, k_max_sentence)
        .number("memory_ns", report.memory_ns, 0, k_most)
        .number("compute_ns", report.compute_ns, 0, k_most)
        .boolean("tensor_types", report.tensor_types)
        .text("kernel", report.kernel, k_max_name)
        .number("kernel_share", report.kernel_share, 0, 1)
        .number("occupancy", report.occupancy, 0, 1)
        .text("limiter", report.limiter, k_max_word);
    read_bottleneck(reader, report);
    read_metrics(reader, report.metrics);
    read_kernels(reader, k_most_footprints, report.kernels, read_footprint);
    if (value.contains("occupancy_achieved") && value["occupancy_achieved"].is_null()) {
        reader.object_or_null("occupancy_achieved", 0);
    } else {
        reader.number("occupancy_achieved", report.occupancy_achieved.emplace(), 0, 1);
    }
    if (reader.ok() && report.source != "cupti" && report.source != "static") {
        reader.fail("unknown source '" + report.source + "'");
    }
    ATOLL_TRY(reader.finish());
    return report;
}

json counters_to_json(const CounterReading& reading) {
    json kernels = json::array();
    for (const KernelCounters& counted : reading.kernels) {
        kernels.push_back(counted_to_json(counted));
    }
    return {{"kernels", std::move(kernels)}, {"why_none", reading.why_none}};
}

Expected<CounterReading> counters_from_json(const json& value, const std::string& where) {
    CounterReading reading;
    JsonReader reader(value, where);
    reader.text("why_none", reading.why_none, k_max_sentence);
    read_kernels(reader, k_most_counted_launches, reading.kernels, read_counted);
    ATOLL_TRY(reader.finish());
    return reading;
}

}  // namespace atl
