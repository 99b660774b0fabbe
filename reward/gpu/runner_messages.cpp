#include "reward/gpu/runner_messages.hpp"

#include "reward/base/frame.hpp"
#include "reward/base/json_reader.hpp"
#include "reward/cuda/plan.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <charconv>
#include <limits>

namespace atl {

namespace {

using Json = nlohmann::json;

constexpr std::size_t k_max_workloads = 1 << 20;
constexpr std::size_t k_max_donors = 256;
constexpr std::size_t k_max_generator_values = 16;
constexpr std::size_t k_max_word = 256;
constexpr std::size_t k_max_layers = 16;
constexpr std::size_t k_max_sentence = 1 << 16;
constexpr std::size_t k_seed_digits = 16;
constexpr std::uint64_t k_max_limit_ns = 3'600'000'000'000;
constexpr double k_max_ns = 1e18;

Json to_value(const std::vector<GpuTensorPlace>& places) {
    Json values = Json::array();
    for (const GpuTensorPlace& place : places) {
        values.push_back({{"buffer", place.buffer}, {"offset", place.offset}});
    }
    return values;
}

Json to_value(const InputGenerator& generator) {
    Json parameters = Json::object();
    for (const auto& [name, value] : generator.parameters) {
        parameters[name] = number_to_json(value);
    }
    return {{"kind", generator.kind}, {"parameters", std::move(parameters)}};
}

Json to_value(const std::optional<GpuFault>& fault) {
    if (!fault) {
        return nullptr;
    }
    return {{"outcome", std::string(to_string(fault->outcome))},
            {"reason", fault->reason},
            {"runner_lost", fault->runner_lost},
            {"memory_short", fault->memory_short}};
}

/// Reads each item of a list with `read(JsonReader&, Item&)`.
template <class Item, class Read>
void read_list(JsonReader& fields, const char* key, std::size_t max_items, std::vector<Item>& out,
               const Read& read) {
    const Json* items = fields.array(key, max_items);
    out.clear();
    for (std::size_t i = 0; items != nullptr && i < items->size(); ++i) {
        JsonReader inner((*items)[i], fmt::format("{}[{}]", fields.path(key), i));
        read(inner, out.emplace_back());
        if (const Status status = inner.finish(); !status) {
            fields.fail(status.error().message());
            return;
        }
    }
}

void read_places(JsonReader& fields, const char* key, std::size_t max_items,
                 std::vector<GpuTensorPlace>& out) {
    read_list(fields, key, max_items, out, [](JsonReader& inner, GpuTensorPlace& place) {
        inner.integer("buffer", place.buffer, 0, k_max_gpu_buffers - 1)
            .integer("offset", place.offset, 0, k_max_plan_buffer);
    });
}

void read_parameters(JsonReader& fields, std::map<std::string, double>& out) {
    const Json* parameters = fields.object("parameters", k_max_generator_values);
    if (parameters == nullptr) {
        return;
    }
    for (const auto& [name, value] : parameters->items()) {
        const Expected<double> number = number_from_json(value, fields.path("parameters"));
        if (!number || name.size() > k_max_word) {
            fields.fail("a parameter is no number");
            return;
        }
        out[name] = *number;
    }
}

void read_generator(JsonReader& fields, InputGenerator& out) {
    const Json* generator = fields.object("generator", 2);
    if (generator == nullptr) {
        return;
    }
    JsonReader inner(*generator, fields.path("generator"));
    inner.text("kind", out.kind, k_max_word);
    read_parameters(inner, out.parameters);
    if (const Status status = inner.finish(); !status) {
        fields.fail(status.error().message());
    }
}

void read_dtype(JsonReader& fields, DType& out) {
    std::string name;
    fields.text("dtype", name, k_max_word);
    const auto dtype = dtype_from(name);
    if (fields.ok() && !dtype) {
        fields.fail("no such dtype");
    }
    out = dtype.value_or(out);
}

/// As hexadecimal text: JSON's integers are read as signed ones.
void read_seed(JsonReader& fields, std::uint64_t& out) {
    std::string digits;
    fields.text("seed", digits, k_seed_digits);
    const char* const end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, out, 16);
    if (fields.ok() && (digits.size() != k_seed_digits || error != std::errc{} || stop != end)) {
        fields.fail("a seed is no 16 hexadecimal digits");
    }
}

void read_refill(JsonReader& fields, GpuRefill& out) {
    fields.integer("tensor", out.tensor, 0, 2 * k_max_plan_tensors - 1);
    read_generator(fields, out.generator);
    read_dtype(fields, out.dtype);
    fields.integer("stream", out.stream, 0, std::numeric_limits<std::uint32_t>::max())
        .integer("count", out.count, 0, static_cast<std::int64_t>(k_max_plan_buffer));
    read_places(fields, "donors", k_max_donors, out.donors);
}

Json to_value(const GpuTimeCall& call) {
    Json refills = Json::array();
    for (const GpuRefill& refill : call.refills) {
        refills.push_back({{"tensor", refill.tensor},
                           {"generator", to_value(refill.generator)},
                           {"dtype", to_string(refill.dtype)},
                           {"stream", refill.stream},
                           {"count", refill.count},
                           {"donors", to_value(refill.donors)}});
    }
    Json launches = Json::array();
    for (const GpuTimedLaunch& launch : call.launches) {
        launches.push_back({{"tensors", to_value(launch.tensors)},
                            {"seed", fmt::format("{:016x}", launch.seed)},
                            {"donor", launch.donor}});
    }
    return {{"call", "time"},
            {"program", call.program},
            {"workload", call.workload},
            {"refills", std::move(refills)},
            {"output_bytes", call.output_bytes},
            {"poison", call.poison},
            {"launches", std::move(launches)},
            {"cold", call.cold},
            {"made_once", call.made_once},
            {"batch", call.batch},
            {"events", call.events},
            {"limit_ns", call.limit_ns}};
}

void read_fault(JsonReader& fields, std::optional<GpuFault>& out) {
    const Json* fault = fields.object_or_null("fault", 4);
    if (fault == nullptr) {
        return;
    }
    std::string outcome;
    JsonReader inner(*fault, fields.path("fault"));
    inner.text("outcome", outcome, k_max_word)
        .text("reason", out.emplace().reason, k_max_sentence)
        .boolean("runner_lost", out->runner_lost)
        .boolean("memory_short", out->memory_short);
    const auto known = outcome_from(outcome);
    if (inner.ok() && !known) {
        inner.fail("no such outcome");
    }
    out->outcome = known.value_or(out->outcome);
    if (const Status status = inner.finish(); !status) {
        fields.fail(status.error().message());
    }
}

void read_sample(JsonReader& fields, GpuSample& out) {
    fields.number("span_ns", out.span_ns, 0, k_max_ns)
        .number("anchor_ns", out.anchor_ns, 0, k_max_ns);
    read_list(
        fields, "kernels", k_max_plan_steps, out.kernels,
        [](JsonReader& inner, GpuKernelTime& kernel) {
            inner.text("name", kernel.name, k_max_plan_name).number("ns", kernel.ns, 0, k_max_ns);
        });
}

Expected<GpuTimeCall> read_time_call(const Json& parsed, const char* name) {
    GpuTimeCall call;
    std::vector<std::int64_t> output_bytes;
    std::vector<std::int64_t> poison;
    JsonReader fields(parsed, name);
    fields.integer("program", call.program, 0, k_max_gpu_programs - 1)
        .integer("workload", call.workload, 0, k_max_workloads)
        .integers("output_bytes", output_bytes, k_max_plan_tensors, 0,
                  static_cast<std::int64_t>(k_max_plan_buffer))
        .integers("poison", poison, k_max_plan_tensors, 0, 255)
        .boolean("cold", call.cold)
        .boolean("made_once", call.made_once)
        .integer("batch", call.batch, 1, k_max_gpu_batch)
        .boolean("events", call.events)
        .integer("limit_ns", call.limit_ns, 1, k_max_limit_ns);
    read_list(fields, "refills", k_max_plan_tensors, call.refills, read_refill);
    read_list(fields, "launches", k_max_gpu_timed, call.launches,
              [](JsonReader& inner, GpuTimedLaunch& launch) {
                  read_places(inner, "tensors", 2 * k_max_plan_tensors, launch.tensors);
                  read_seed(inner, launch.seed);
                  inner.integer("donor", launch.donor, 0, k_max_donors - 1);
              });
    ATOLL_TRY(fields.finish());
    call.output_bytes.assign(output_bytes.begin(), output_bytes.end());
    call.poison.assign(poison.begin(), poison.end());
    return call;
}

}  // namespace

std::string to_json(const GpuStarted& message) {
    return dump_json({{"device", message.device},
                      {"clock", message.clock},
                      {"why_events", message.why_events},
                      {"jail", std::string(to_string(message.jail))},
                      {"layers", message.layers}});
}

Expected<GpuStarted> parse_gpu_started(std::string_view json) {
    ATOLL_TRY_ASSIGN(const Json parsed, parse_json_object(json, k_max_frame_bytes, "gpu_started"));
    GpuStarted message;
    std::string jail;
    JsonReader fields(parsed, "gpu_started");
    fields.text("device", message.device, k_max_sentence)
        .text("clock", message.clock, k_max_word)
        .text("why_events", message.why_events, k_max_sentence)
        .text("jail", jail, k_max_word)
        .texts("layers", message.layers, k_max_layers, k_max_word);
    ATOLL_TRY(fields.finish());
    ATOLL_TRY_ASSIGN(message.jail, sandbox_level_from(jail));
    return message;
}

std::string to_json(const GpuBuffersCall& call) {
    return dump_json({{"call", "buffers"}, {"forget", call.forget}, {"bytes", call.bytes}});
}

std::string to_json(const GpuLoadCall& call) {
    return dump_json({{"call", "load"}, {"program", call.program}});
}

std::string to_json(const GpuPlayCall& call) {
    Json plays = Json::array();
    for (const GpuPlay& play : call.plays) {
        plays.push_back({{"workload", play.workload}, {"tensors", to_value(play.tensors)}});
    }
    return dump_json({{"call", "play"},
                      {"program", call.program},
                      {"plays", std::move(plays)},
                      {"limit_ns", call.limit_ns}});
}

std::string to_json(const GpuTimeCall& call) {
    return dump_json(to_value(call));
}

std::string to_json(const GpuProfileCall& call) {
    Json value = to_value(call.launch);
    value["call"] = "profile";
    return dump_json(value);
}

std::string to_json(const GpuDone&) {
    return "{}";
}

std::string to_json(const GpuLoaded& answer) {
    return dump_json({{"leaves_heap", answer.leaves_heap}});
}

std::string to_json(const GpuPlayed& answer) {
    return dump_json({{"wall_ns", answer.wall_ns}, {"fault", to_value(answer.fault)}});
}

std::string to_json(const GpuTimed& answer) {
    Json samples = Json::array();
    for (const GpuSample& sample : answer.samples) {
        Json kernels = Json::array();
        for (const GpuKernelTime& kernel : sample.kernels) {
            kernels.push_back({{"name", kernel.name}, {"ns", kernel.ns}});
        }
        samples.push_back({{"span_ns", sample.span_ns},
                           {"anchor_ns", sample.anchor_ns},
                           {"kernels", std::move(kernels)}});
    }
    return dump_json({{"samples", std::move(samples)},
                      {"clock", answer.clock},
                      {"why_events", answer.why_events},
                      {"batch", answer.batch},
                      {"fault", to_value(answer.fault)}});
}

std::string to_json(const GpuProfiled& answer) {
    return dump_json(
        {{"counters", counters_to_json(answer.counters)}, {"fault", to_value(answer.fault)}});
}

namespace {

Expected<GpuBuffersCall> read_buffers_call(const Json& parsed) {
    GpuBuffersCall call;
    std::vector<std::int64_t> bytes;
    JsonReader fields(parsed, "buffers");
    fields.boolean("forget", call.forget)
        .integers("bytes", bytes, k_max_frame_handles, 1,
                  static_cast<std::int64_t>(k_max_plan_buffer));
    ATOLL_TRY(fields.finish());
    call.bytes.assign(bytes.begin(), bytes.end());
    return call;
}

Expected<GpuLoadCall> read_load_call(const Json& parsed) {
    GpuLoadCall call;
    JsonReader fields(parsed, "load");
    fields.integer("program", call.program, 0, k_max_gpu_programs - 1);
    ATOLL_TRY(fields.finish());
    return call;
}

Expected<GpuPlayCall> read_play_call(const Json& parsed) {
    GpuPlayCall call;
    JsonReader fields(parsed, "play");
    fields.integer("program", call.program, 0, k_max_gpu_programs - 1)
        .integer("limit_ns", call.limit_ns, 1, k_max_limit_ns);
    read_list(fields, "plays", k_max_gpu_plays, call.plays, [](JsonReader& inner, GpuPlay& play) {
        inner.integer("workload", play.workload, 0, k_max_workloads);
        read_places(inner, "tensors", 2 * k_max_plan_tensors, play.tensors);
    });
    ATOLL_TRY(fields.finish());
    return call;
}

Expected<GpuProfileCall> read_profile_call(const Json& parsed) {
    GpuProfileCall call;
    ATOLL_TRY_ASSIGN(call.launch, read_time_call(parsed, "profile"));
    if (call.launch.launches.size() != 1) {
        return failure(ErrorCode::corrupt, "one launch is profiled", "profile");
    }
    return call;
}

template <class Call>
Expected<GpuCall> as_call(Expected<Call> call) {
    return std::move(call).map([](Call&& read) { return GpuCall(std::move(read)); });
}

}  // namespace

Expected<GpuCall> parse_gpu_call(std::string_view json) {
    ATOLL_TRY_ASSIGN(Json parsed, parse_json_object(json, k_max_frame_bytes, "gpu_call"));
    const auto found = parsed.find("call");
    const std::string name =
        found != parsed.end() && found->is_string() ? found->get<std::string>() : "";
    parsed.erase("call");
    if (name == "buffers") {
        return as_call(read_buffers_call(parsed));
    }
    if (name == "load") {
        return as_call(read_load_call(parsed));
    }
    if (name == "play") {
        return as_call(read_play_call(parsed));
    }
    if (name == "time") {
        return as_call(read_time_call(parsed, "time"));
    }
    if (name == "profile") {
        return as_call(read_profile_call(parsed));
    }
    return failure(ErrorCode::corrupt, "it asks for nothing that is known", "gpu_call");
}

Expected<GpuLoaded> parse_gpu_loaded(std::string_view json) {
    ATOLL_TRY_ASSIGN(const Json parsed, parse_json_object(json, k_max_frame_bytes, "loaded"));
    GpuLoaded answer;
    JsonReader fields(parsed, "loaded");
    fields.boolean("leaves_heap", answer.leaves_heap);
    ATOLL_TRY(fields.finish());
    return answer;
}

Expected<GpuPlayed> parse_gpu_played(std::string_view json) {
    ATOLL_TRY_ASSIGN(const Json parsed, parse_json_object(json, k_max_frame_bytes, "played"));
    GpuPlayed answer;
    JsonReader fields(parsed, "played");
    fields.numbers("wall_ns", answer.wall_ns, k_max_gpu_plays);
    read_fault(fields, answer.fault);
    ATOLL_TRY(fields.finish());
    return answer;
}

Expected<GpuTimed> parse_gpu_timed(std::string_view json) {
    ATOLL_TRY_ASSIGN(const Json parsed, parse_json_object(json, k_max_frame_bytes, "timed"));
    GpuTimed answer;
    JsonReader fields(parsed, "timed");
    read_list(fields, "samples", k_max_gpu_timed, answer.samples, read_sample);
    fields.text("clock", answer.clock, k_max_word)
        .text("why_events", answer.why_events, k_max_sentence)
        .integer("batch", answer.batch, 1, k_max_gpu_batch);
    read_fault(fields, answer.fault);
    ATOLL_TRY(fields.finish());
    return answer;
}

Expected<GpuProfiled> parse_gpu_profiled(std::string_view json) {
    ATOLL_TRY_ASSIGN(const Json parsed, parse_json_object(json, k_max_frame_bytes, "profiled"));
    GpuProfiled answer;
    JsonReader fields(parsed, "profiled");
    if (const Json* counters = fields.object("counters", 2)) {
        ATOLL_TRY_ASSIGN(answer.counters, counters_from_json(*counters, fields.path("counters")));
    }
    read_fault(fields, answer.fault);
    ATOLL_TRY(fields.finish());
    return answer;
}

}  // namespace atl
