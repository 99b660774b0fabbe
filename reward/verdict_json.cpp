#include "reward/verdict_json.hpp"

#include "reward/base/json_reader.hpp"
#include "reward/gpu_timing_json.hpp"

#include <nlohmann/json.hpp>

namespace atl {

namespace {

using nlohmann::json;

constexpr std::size_t k_max_cases = 100'000;
constexpr std::size_t k_max_workloads = 10'000;
constexpr std::size_t k_max_samples = 1'000'000;
constexpr std::size_t k_max_rivals = 64;
constexpr std::size_t k_max_gpu_fields = 16;
constexpr const char* k_memory = "memory_bytes";
constexpr std::uint64_t k_max_memory_bytes = std::uint64_t{1} << 56;

json timing_to_json(const WorkloadTiming& timing) {
    json samples = json::array();
    for (const double sample : timing.samples_ns) {
        samples.push_back(number_to_json(sample));
    }
    json object{{"workload", timing.workload},
                {"hidden", timing.hidden},
                {"samples_ns", std::move(samples)},
                {"median_ns", number_to_json(timing.median_ns)},
                {"low_ns", number_to_json(timing.low_ns)},
                {"high_ns", number_to_json(timing.high_ns)},
                {"anchor_ratio", number_to_json(timing.anchor_ratio)},
                {"clock_ratio", number_to_json(timing.clock_ratio)},
                {"light_ns", number_to_json(timing.light_ns)},
                {"noisy", timing.noisy},
                {"reverified", timing.reverified}};
    if (timing.gpu) {
        object["gpu"] = gpu_timing_to_json(*timing.gpu);
    }
    return object;
}

Expected<WorkloadTiming> timing_from_json(const json& value, const std::string& where) {
    WorkloadTiming timing;
    JsonReader reader(value, where);
    std::int64_t reverified = 0;
    reader.text("workload", timing.workload)
        .boolean("hidden", timing.hidden)
        .number("median_ns", timing.median_ns)
        .number("low_ns", timing.low_ns)
        .number("high_ns", timing.high_ns)
        .number("anchor_ratio", timing.anchor_ratio)
        .number("light_ns", timing.light_ns)
        .boolean("noisy", timing.noisy)
        .integer("reverified", reverified, 0, 1'000'000'000);
    if (value.contains("gpu")) {  // of GPUs, since there are such facts
        reader.object("gpu", k_max_gpu_fields);
        ATOLL_TRY_ASSIGN(timing.gpu, gpu_timing_from_json(value["gpu"], where));
    }
    if (value.contains("clock_ratio")) {  // records of protocols before cpu-cold-v4 have none
        reader.number("clock_ratio", timing.clock_ratio);
    }
    if (const json* samples = reader.array("samples_ns", k_max_samples)) {
        timing.samples_ns.reserve(samples->size());
        for (const json& sample : *samples) {
            ATOLL_TRY_ASSIGN(const double number,
                             number_from_json(sample, reader.path("samples_ns")));
            timing.samples_ns.push_back(number);
        }
    }
    ATOLL_TRY(reader.finish());
    timing.reverified = static_cast<int>(reverified);
    return timing;
}

json timings_to_json(const std::vector<WorkloadTiming>& timings) {
    json array = json::array();
    for (const WorkloadTiming& timing : timings) {
        array.push_back(timing_to_json(timing));
    }
    return array;
}

Expected<std::vector<WorkloadTiming>> timings_from_json(const json& array,
                                                        const std::string& where) {
    if (!array.is_array() || array.size() > k_max_workloads) {
        return failure(ErrorCode::corrupt, "must be an array of timings", where);
    }
    std::vector<WorkloadTiming> timings;
    for (const json& item : array) {
        ATOLL_TRY_ASSIGN(WorkloadTiming timing, timing_from_json(item, where));
        timings.push_back(std::move(timing));
    }
    return timings;
}

Expected<VerifyCase> case_from_json(const json& value, const std::string& where) {
    VerifyCase report;
    JsonReader reader(value, where);
    reader.text("workload", report.workload)
        .text("distribution", report.distribution)
        .boolean("hidden", report.hidden)
        .boolean("passed", report.passed)
        .text("output", report.output)
        .number("max_abs_error", report.max_abs_error)
        .number("max_rel_error", report.max_rel_error)
        .number("matched_ratio", report.matched_ratio)
        .integer("first_bad_index", report.first_bad_index, -1, std::int64_t{1} << 40)
        .number("got", report.got)
        .number("want", report.want);
    ATOLL_TRY(reader.finish());
    return report;
}

}  // namespace

json verify_to_json(const std::vector<VerifyCase>& cases) {
    json array = json::array();
    for (const VerifyCase& report : cases) {
        array.push_back({{"workload", report.workload},
                         {"distribution", report.distribution},
                         {"hidden", report.hidden},
                         {"passed", report.passed},
                         {"output", report.output},
                         {"max_abs_error", number_to_json(report.max_abs_error)},
                         {"max_rel_error", number_to_json(report.max_rel_error)},
                         {"matched_ratio", number_to_json(report.matched_ratio)},
                         {"first_bad_index", report.first_bad_index},
                         {"got", number_to_json(report.got)},
                         {"want", number_to_json(report.want)}});
    }
    return array;
}

Expected<std::vector<VerifyCase>> verify_from_json(const json& value, const std::string& where) {
    if (!value.is_array() || value.size() > k_max_cases) {
        return failure(ErrorCode::corrupt, "must be an array of cases", where);
    }
    std::vector<VerifyCase> cases;
    for (const json& item : value) {
        ATOLL_TRY_ASSIGN(VerifyCase report, case_from_json(item, where));
        cases.push_back(std::move(report));
    }
    return cases;
}

json measure_to_json(const std::optional<MeasureReport>& report) {
    if (!report) {
        return nullptr;
    }
    json rivals = json::object();
    for (const auto& [name, timings] : report->rivals) {
        rivals[name] = timings_to_json(timings);
    }
    return json{{"protocol", report->protocol},
                {"workloads", timings_to_json(report->workloads)},
                {"rivals", std::move(rivals)}};
}

Expected<std::optional<MeasureReport>> measure_from_json(const json& value,
                                                         const std::string& where) {
    if (value.is_null()) {
        return std::optional<MeasureReport>();
    }
    MeasureReport report;
    JsonReader reader(value, where);
    reader.text("protocol", report.protocol);
    if (const json* workloads = reader.array("workloads", k_max_workloads)) {
        ATOLL_TRY_ASSIGN(report.workloads, timings_from_json(*workloads, reader.path("workloads")));
    }
    if (const json* rivals = reader.object("rivals", k_max_rivals)) {
        for (const auto& item : rivals->items()) {
            ATOLL_TRY_ASSIGN(report.rivals[item.key()],
                             timings_from_json(item.value(), reader.path("rivals")));
        }
    }
    ATOLL_TRY(reader.finish());
    return std::optional<MeasureReport>(std::move(report));
}

json stage_times_to_json(const std::vector<StageTime>& times) {
    json array = json::array();
    for (const StageTime& time : times) {
        array.push_back(
            {{"stage", to_string(time.stage)}, {"seconds", number_to_json(time.seconds)}});
    }
    return array;
}

Expected<std::vector<StageTime>> stage_times_from_json(const json& value,
                                                       const std::string& where) {
    if (!value.is_array() || value.size() > 1000) {
        return failure(ErrorCode::corrupt, "must be an array of stage times", where);
    }
    std::vector<StageTime> times;
    for (const json& item : value) {
        StageTime time;
        std::string stage;
        JsonReader reader(item, where);
        reader.text("stage", stage).number("seconds", time.seconds);
        ATOLL_TRY(reader.finish());
        const std::optional<Stage> known = stage_from(stage);
        if (!known) {
            return failure(ErrorCode::corrupt, "unknown stage '" + stage.substr(0, 64) + "'",
                           where);
        }
        time.stage = *known;
        times.push_back(time);
    }
    return times;
}

void memory_to_json(std::optional<std::uint64_t> bytes, json& object) {
    if (bytes) {
        object[k_memory] = *bytes;
    }
}

void read_memory(JsonReader& reader, const json& object, std::optional<std::uint64_t>& bytes) {
    if (object.contains(k_memory)) {
        reader.integer(k_memory, bytes.emplace(), 0, k_max_memory_bytes);
    }
}

}  // namespace atl
