#include "reward/verifier/messages.hpp"

#include "reward/base/frame.hpp"
#include "reward/base/json_reader.hpp"
#include "reward/verdict_json.hpp"

#include <nlohmann/json.hpp>

#include <cmath>
#include <limits>
#include <optional>

namespace atl {

namespace {

using nlohmann::json;

constexpr std::size_t k_max_rivals = k_max_frame_handles - 1;
constexpr std::size_t k_max_cores = 4096;
constexpr std::size_t k_max_workload = 1 << 20;
constexpr std::size_t k_max_reason = 64u << 10;
constexpr double k_day_s = 86'400;

std::optional<Level> level_from(std::string_view name) {
    for (const Level level : {Level::verify, Level::measure, Level::confirm}) {
        if (to_string(level) == name) {
            return level;
        }
    }
    return std::nullopt;
}

/// A number within [low, high]; NaN is outside of every range.
void ranged(JsonReader& reader, const char* key, double& out, double low, double high) {
    reader.number(key, out);
    if (reader.ok() && !(out >= low && out <= high)) {
        reader.fail(std::string(key) + " is not a number from " + std::to_string(low) + " to " +
                    std::to_string(high));
    }
}

void read_bytes(JsonReader& reader, const char* key, std::uint64_t& out) {
    std::int64_t value = 0;
    reader.integer(key, value, 0, std::numeric_limits<std::int64_t>::max());
    out = static_cast<std::uint64_t>(value);
}

void read_rivals(JsonReader& reader, EvaluateOrder& order) {
    if (const json* names = reader.array("rivals", k_max_rivals)) {
        for (const json& name : *names) {
            if (!name.is_string() || name.get_ref<const std::string&>().size() > 1024) {
                return reader.fail("rivals must be names");
            }
            order.rivals.push_back(name.get<std::string>());
        }
    }
    if (const json* trusted = reader.array("rival_trusted", k_max_rivals)) {
        for (const json& item : *trusted) {
            if (!item.is_boolean()) {
                return reader.fail("rival_trusted must be booleans");
            }
            order.rival_trusted.push_back(item.get<bool>());
        }
    }
    if (reader.ok() && order.rivals.size() != order.rival_trusted.size()) {
        reader.fail("rivals and rival_trusted differ in length");
    }
}

void read_cores(JsonReader& reader, EvaluateOrder& order) {
    if (const json* cores = reader.array("cores", k_max_cores)) {
        for (const json& core : *cores) {
            if (!core.is_number_unsigned() || core.get<std::uint64_t>() >= k_max_cores) {
                return reader.fail("cores must be core numbers");
            }
            order.cores.push_back(core.get<int>());
        }
    }
}

void read_profile_workload(JsonReader& reader, const json& object, EvaluateOrder& order) {
    constexpr const char* k_key = "profile_workload";
    if (object.contains(k_key) && object[k_key].is_null()) {
        reader.object_or_null(k_key, 0);
    } else {
        reader.integer(k_key, order.profile_workload.emplace(), 0, k_max_workload);
    }
}

}  // namespace

std::string to_json(const LoadTask& message) {
    return dump_json(
        json{{"folder", message.folder}, {"digest", message.digest.hex()}, {"kind", message.kind}});
}

Expected<LoadTask> parse_load_task(std::string_view text) {
    ATOLL_TRY_ASSIGN(const json object, parse_json_object(text, k_max_frame_bytes, "load_task"));
    LoadTask message;
    JsonReader reader(object, "load_task");
    reader.text("folder", message.folder)
        .digest("digest", message.digest)
        .text("kind", message.kind, 64);
    ATOLL_TRY(reader.finish());
    return message;
}

std::string to_json(const EvaluateOrder& message) {
    json trusted = json::array();
    for (const bool item : message.rival_trusted) {
        trusted.push_back(item);
    }
    json profiled = nullptr;
    if (message.profile_workload) {
        profiled = *message.profile_workload;
    }
    return dump_json(json{{"task", message.task.hex()},
                          {"level", to_string(message.level)},
                          {"rivals", message.rivals},
                          {"rival_trusted", std::move(trusted)},
                          {"cutoff_ns", message.cutoff_ns},
                          {"confidence", message.confidence},
                          {"measure_seconds", message.measure_seconds},
                          {"launch_timeout_s", message.launch_timeout_s},
                          {"memory_bytes", message.memory_bytes},
                          {"cores", message.cores},
                          {"peak_flops", message.peak_flops},
                          {"most_flops", message.most_flops},
                          {"peak_is_of_type", message.peak_is_of_type},
                          {"peak_bandwidth", message.peak_bandwidth},
                          {"cache_bytes", message.cache_bytes},
                          {"clock_ns", message.core.clock_ns},
                          {"issue_ratio", message.core.issue_ratio},
                          {"profile_workload", profiled},
                          {"protocol", message.protocol}});
}

Expected<EvaluateOrder> parse_evaluate_order(std::string_view text) {
    ATOLL_TRY_ASSIGN(const json object, parse_json_object(text, k_max_frame_bytes, "evaluate"));
    constexpr double k_most = 1e30;
    EvaluateOrder order;
    std::string level;
    JsonReader reader(object, "evaluate");
    reader.digest("task", order.task).text("level", level, 64);
    read_rivals(reader, order);
    ranged(reader, "cutoff_ns", order.cutoff_ns, 0, k_most);
    ranged(reader, "confidence", order.confidence, 1e-6, 1);
    ranged(reader, "measure_seconds", order.measure_seconds, 0, k_day_s);
    ranged(reader, "launch_timeout_s", order.launch_timeout_s, 1e-3, k_day_s);
    read_bytes(reader, "memory_bytes", order.memory_bytes);
    read_cores(reader, order);
    ranged(reader, "peak_flops", order.peak_flops, 0, k_most);
    ranged(reader, "most_flops", order.most_flops, 0, k_most);
    reader.boolean("peak_is_of_type", order.peak_is_of_type);
    ranged(reader, "peak_bandwidth", order.peak_bandwidth, 0, k_most);
    read_bytes(reader, "cache_bytes", order.cache_bytes);
    ranged(reader, "clock_ns", order.core.clock_ns, 0, k_most);
    ranged(reader, "issue_ratio", order.core.issue_ratio, 0, k_most);
    read_profile_workload(reader, object, order);
    reader.text("protocol", order.protocol, 64);
    ATOLL_TRY(reader.finish());
    const std::optional<Level> known = level_from(level);
    if (!known) {
        return failure(ErrorCode::corrupt, "unknown level '" + level + "'", "evaluate");
    }
    order.level = *known;
    return order;
}

std::string to_json(const EvaluateReply& message) {
    json object{{"outcome", to_string(message.outcome)},
                {"stage", to_string(message.stage)},
                {"reason", message.reason},
                {"verify", verify_to_json(message.verify)},
                {"measure", measure_to_json(message.measure)},
                {"stage_times", stage_times_to_json(message.stage_times)},
                {"noise", message.noise},
                {"device_seconds", message.device_seconds},
                {"timed_seconds", message.timed_seconds}};
    memory_to_json(message.memory_bytes, object);
    object["counters"] = nullptr;
    if (message.counters) {
        object["counters"] = counters_to_json(*message.counters);
    }
    return dump_json(object);
}

Expected<EvaluateReply> parse_evaluate_reply(std::string_view text) {
    const std::string where = "evaluated";
    ATOLL_TRY_ASSIGN(const json object, parse_json_object(text, k_max_frame_bytes, where));
    EvaluateReply reply;
    std::string outcome;
    std::string stage;
    JsonReader reader(object, where);
    reader.text("outcome", outcome, 64)
        .text("stage", stage, 64)
        .text("reason", reply.reason, k_max_reason)
        .text("noise", reply.noise, k_max_reason);
    ranged(reader, "device_seconds", reply.device_seconds, 0, k_day_s);
    ranged(reader, "timed_seconds", reply.timed_seconds, 0, k_day_s);
    read_memory(reader, object, reply.memory_bytes);
    if (const json* cases = reader.array("verify", 100'000)) {
        ATOLL_TRY_ASSIGN(reply.verify, verify_from_json(*cases, reader.path("verify")));
    }
    if (const json* measure = reader.object_or_null("measure", 100)) {
        ATOLL_TRY_ASSIGN(reply.measure, measure_from_json(*measure, reader.path("measure")));
    }
    if (const json* counters = reader.object_or_null("counters", 2)) {
        ATOLL_TRY_ASSIGN(reply.counters, counters_from_json(*counters, reader.path("counters")));
    }
    if (const json* times = reader.array("stage_times", 1000)) {
        ATOLL_TRY_ASSIGN(reply.stage_times,
                         stage_times_from_json(*times, reader.path("stage_times")));
    }
    ATOLL_TRY(reader.finish());
    const std::optional<Outcome> known_outcome = outcome_from(outcome);
    const std::optional<Stage> known_stage = stage_from(stage);
    if (!known_outcome || !known_stage) {
        return failure(ErrorCode::corrupt, "unknown outcome or stage", where);
    }
    reply.outcome = *known_outcome;
    reply.stage = *known_stage;
    return reply;
}

}  // namespace atl
