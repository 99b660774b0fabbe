#include "reward/workers/messages.hpp"

#include "reward/base/frame.hpp"
#include "reward/base/json_reader.hpp"

#include <nlohmann/json.hpp>

#include <limits>

namespace atl {

namespace {

using Json = nlohmann::json;

constexpr std::size_t k_max_launches = 1 << 16;
constexpr std::size_t k_max_tensors = 256;
constexpr std::size_t k_max_cores = 4096;
constexpr std::uint64_t k_page_bytes = 4096;
constexpr std::uint64_t k_max_map_bytes = 1ull << 42;
constexpr double k_max_cpu_seconds = 1e7;
constexpr std::size_t k_max_call_bytes = 64;

void parse_mappings(JsonReader& fields, StartRun& message) {
    const Json* items = fields.array("mappings", k_max_frame_handles);
    for (std::size_t i = 0; items != nullptr && i < items->size(); ++i) {
        StartRun::Mapping& mapping = message.mappings.emplace_back();
        JsonReader inner((*items)[i], "mapping");
        inner
            .integer("handle", mapping.handle, 2,
                     static_cast<std::uint32_t>(k_max_frame_handles) - 1)
            .integer("map_bytes", mapping.map_bytes, k_page_bytes, k_max_map_bytes);
        if (mapping.map_bytes % k_page_bytes != 0) {
            inner.fail("map_bytes is not a multiple of the page size");
        }
        if (Status status = inner.finish(); !status) {
            fields.fail(status.error().message());
            return;
        }
    }
}

Status parse_launch(const Json& item, const StartRun& message, StartRun::LaunchArguments& launch) {
    JsonReader fields(item, "launch");
    fields.numbers("scalars", launch.scalars, k_max_tensors)
        .integers("axes", launch.axes, k_max_tensors, std::numeric_limits<std::int64_t>::min(),
                  std::numeric_limits<std::int64_t>::max());
    const Json* items = fields.array("tensors", k_max_tensors);
    for (std::size_t i = 0; items != nullptr && i < items->size(); ++i) {
        StartRun::TensorPlace& place = launch.tensors.emplace_back();
        JsonReader inner((*items)[i], "tensor");
        inner.integer("mapping", place.mapping, 0, static_cast<std::uint32_t>(k_max_frame_handles));
        inner.integer("offset", place.offset, 0, k_max_map_bytes);
        ATOLL_TRY(inner.finish());
        if (place.mapping >= message.mappings.size() ||
            place.offset > message.mappings[place.mapping].map_bytes) {
            inner.fail("a tensor lies outside its mapping");
        }
        ATOLL_TRY(inner.finish());
    }
    return fields.finish();
}

}  // namespace

std::string to_json(const StartRun& message) {
    Json mappings = Json::array();
    for (const StartRun::Mapping& mapping : message.mappings) {
        mappings.push_back({{"handle", mapping.handle}, {"map_bytes", mapping.map_bytes}});
    }
    Json launches = Json::array();
    for (const StartRun::LaunchArguments& launch : message.launches) {
        Json tensors = Json::array();
        for (const StartRun::TensorPlace& place : launch.tensors) {
            tensors.push_back({{"mapping", place.mapping}, {"offset", place.offset}});
        }
        launches.push_back(
            {{"tensors", std::move(tensors)}, {"scalars", launch.scalars}, {"axes", launch.axes}});
    }
    return Json{{"mappings", std::move(mappings)},
                {"launches", std::move(launches)},
                {"cores", message.cores},
                {"memory_bytes", message.memory_bytes},
                {"cpu_seconds", message.cpu_seconds},
                {"trusted", message.trusted},
                {"fresh_variables", message.fresh_variables}}
        .dump();
}

Expected<StartRun> parse_start_run(std::string_view json) {
    const Json parsed = Json::parse(json, nullptr, false);
    StartRun message;
    JsonReader fields(parsed, "start_run");
    parse_mappings(fields, message);
    std::vector<std::int64_t> cores;
    fields.integers("cores", cores, k_max_cores, 0, k_max_cores - 1)
        .integer("memory_bytes", message.memory_bytes, 0, k_max_map_bytes)
        .number("cpu_seconds", message.cpu_seconds, 0, k_max_cpu_seconds)
        .boolean("trusted", message.trusted)
        .boolean("fresh_variables", message.fresh_variables);
    const Json* launches = fields.array("launches", k_max_launches);
    for (std::size_t i = 0; launches != nullptr && i < launches->size(); ++i) {
        ATOLL_TRY(parse_launch((*launches)[i], message, message.launches.emplace_back()));
    }
    ATOLL_TRY(fields.finish());
    message.cores.assign(cores.begin(), cores.end());
    return message;
}

std::string to_json(const RunEnded& message) {
    return Json{{"signalled", message.signalled},
                {"status", message.status},
                {"peak_rss_bytes", message.peak_rss_bytes},
                {"cpu_seconds", message.cpu_seconds},
                {"refused_call", message.refused_call}}
        .dump();
}

Expected<RunEnded> parse_run_ended(std::string_view json) {
    const Json parsed = Json::parse(json, nullptr, false);
    RunEnded message;
    JsonReader fields(parsed, "run_ended");
    fields.boolean("signalled", message.signalled)
        .integer("status", message.status, 0, 255)
        .integer("peak_rss_bytes", message.peak_rss_bytes, 0,
                 std::numeric_limits<std::uint64_t>::max())
        .number("cpu_seconds", message.cpu_seconds, 0, 1e12)
        .text("refused_call", message.refused_call, k_max_call_bytes);
    ATOLL_TRY(fields.finish());
    return message;
}

}  // namespace atl
