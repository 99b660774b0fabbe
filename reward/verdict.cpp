#include "reward/verdict.hpp"

#include "reward/base/json_reader.hpp"
#include "reward/verdict_json.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <cmath>

namespace atl {

namespace {

constexpr std::array<std::string_view, 8> k_stage_names = {
    "lint", "compile", "smoke", "verify", "screen", "measure", "confirm", "profile"};

using nlohmann::json;

constexpr std::size_t k_max_cases = 100'000;
constexpr std::size_t k_max_text = 1 << 20;
constexpr std::size_t k_max_verdict_bytes = 64u << 20;
constexpr const char* k_profile = "profile";
constexpr const char* k_binary = "binary";
constexpr const char* k_code = "code";
constexpr std::size_t k_max_code_facts = 64;

json texts_to_json(const std::map<std::string, std::string>& texts) {
    json object = json::object();
    for (const auto& [name, text] : texts) {
        object[name] = text;
    }
    return object;
}

json numbers_to_json(const std::map<std::string, double>& numbers) {
    json object = json::object();
    for (const auto& [name, number] : numbers) {
        object[name] = number_to_json(number);
    }
    return object;
}

json compile_to_json(const std::optional<CompileReport>& report) {
    if (!report) {
        return nullptr;
    }
    json object = json{{"compiler", report->compiler},
                       {"flags", report->flags},
                       {"seconds", number_to_json(report->seconds)},
                       {"cached", report->cached},
                       {"binary_bytes", report->binary_bytes},
                       {"log", report->log}};
    if (!report->binary.is_zero()) {  // without, reports are those of before it was taken
        object[k_binary] = report->binary.hex();
    }
    if (!report->code.empty()) {
        object[k_code] = numbers_to_json(report->code);
    }
    return object;
}

Status read_code(JsonReader& reader, std::map<std::string, double>& code) {
    if (const json* facts = reader.object(k_code, k_max_code_facts)) {
        for (const auto& [name, value] : facts->items()) {
            ATOLL_TRY_ASSIGN(code[name], number_from_json(value, reader.path(k_code) + "." + name));
        }
    }
    return {};
}

Expected<CompileReport> compile_from_json(const json& value, const std::string& where) {
    CompileReport report;
    JsonReader reader(value, where);
    std::int64_t bytes = 0;
    reader.text("compiler", report.compiler)
        .number("seconds", report.seconds)
        .boolean("cached", report.cached)
        .integer("binary_bytes", bytes, 0, std::int64_t{1} << 40)
        .text("log", report.log, k_max_text);
    if (const json* flags = reader.array("flags", 1000)) {
        for (const json& flag : *flags) {
            if (!flag.is_string()) {
                reader.fail("flags must be texts");
                break;
            }
            report.flags.push_back(flag.get<std::string>());
        }
    }
    if (value.contains(k_binary)) {
        reader.digest(k_binary, report.binary);
    }
    if (value.contains(k_code)) {
        ATOLL_TRY(read_code(reader, report.code));
    }
    ATOLL_TRY(reader.finish());
    report.binary_bytes = static_cast<std::uint64_t>(bytes);
    return report;
}

/// The fields that are plain values.
void read_plain(JsonReader& reader, Verdict& verdict) {
    std::string outcome;
    std::string stage;
    reader.text("outcome", outcome)
        .text("stage", stage)
        .text("reason", verdict.reason, k_max_text)
        .text("kind", verdict.kind)
        .text("trust", verdict.trust)
        .text("device", verdict.device)
        .text("toolchain", verdict.toolchain)
        .digest("key", verdict.key)
        .text("feedback", verdict.feedback, 16u << 20)
        .number("queue_seconds", verdict.queue_seconds)
        .number("timed_seconds", verdict.timed_seconds)
        .boolean("from_cache", verdict.from_cache)
        .text("noise", verdict.noise, k_max_text);
    if (!reader.ok()) {
        return;
    }
    if (const std::optional<Outcome> known = outcome_from(outcome)) {
        verdict.outcome = *known;
    } else {
        reader.fail("unknown outcome '" + outcome.substr(0, 64) + "'");
    }
    if (const std::optional<Stage> known = stage_from(stage)) {
        verdict.stage = *known;
    } else {
        reader.fail("unknown stage '" + stage.substr(0, 64) + "'");
    }
}

Status read_judgement(JsonReader& reader, Verdict& verdict) {
    if (const json* scores = reader.object("scores", 10'000)) {
        for (const auto& item : scores->items()) {
            ATOLL_TRY_ASSIGN(verdict.scores[item.key()],
                             number_from_json(item.value(), reader.path("scores")));
        }
    }
    if (const json* artefacts = reader.object("artefacts", 10'000)) {
        for (const auto& item : artefacts->items()) {
            if (!item.value().is_string()) {
                return failure(ErrorCode::corrupt, "must be texts", reader.path("artefacts"));
            }
            verdict.artefacts[item.key()] = item.value().get<std::string>();
        }
    }
    return {};
}

}  // namespace

std::string_view to_string(Stage stage) {
    return k_stage_names[static_cast<std::size_t>(stage)];
}

std::optional<Stage> stage_from(std::string_view name) {
    for (std::size_t i = 0; i < k_stage_names.size(); ++i) {
        if (k_stage_names[i] == name) {
            return static_cast<Stage>(i);
        }
    }
    return std::nullopt;
}

bool is_usable_time(double time_ns) {
    return std::isfinite(time_ns) && time_ns > 0;
}

std::optional<double> public_geomean_ns(const Verdict& verdict) {
    if (!verdict.measure) {
        return std::nullopt;
    }
    double sum_of_logs = 0;
    std::size_t count = 0;
    for (const WorkloadTiming& timing : verdict.measure->workloads) {
        if (timing.hidden) {
            continue;
        }
        if (!is_usable_time(timing.median_ns)) {
            return std::nullopt;
        }
        sum_of_logs += std::log(timing.median_ns);
        ++count;
    }
    if (count == 0) {
        return std::nullopt;
    }
    return std::exp(sum_of_logs / static_cast<double>(count));
}

std::string to_json(const Verdict& verdict) {
    json object{{"version", k_verdict_version},
                {"outcome", to_string(verdict.outcome)},
                {"stage", to_string(verdict.stage)},
                {"reason", verdict.reason},
                {"kind", verdict.kind},
                {"trust", verdict.trust},
                {"device", verdict.device},
                {"toolchain", verdict.toolchain},
                {"key", verdict.key.hex()},
                {"compile", compile_to_json(verdict.compile)},
                {"verify", verify_to_json(verdict.verify)},
                {"measure", measure_to_json(verdict.measure)},
                {"scores", numbers_to_json(verdict.scores)},
                {"artefacts", texts_to_json(verdict.artefacts)},
                {"feedback", verdict.feedback},
                {"stage_times", stage_times_to_json(verdict.stage_times)},
                {"queue_seconds", number_to_json(verdict.queue_seconds)},
                {"timed_seconds", number_to_json(verdict.timed_seconds)},
                {"from_cache", verdict.from_cache},
                {"noise", verdict.noise}};
    memory_to_json(verdict.memory_bytes, object);
    if (verdict.profile) {  // without it verdicts are those of before there were profiles
        object[k_profile] = profile_to_json(*verdict.profile);
    }
    return dump_json(object);
}

Expected<Verdict> parse_verdict(std::string_view text) {
    const std::string where = "verdict";
    ATOLL_TRY_ASSIGN(const json object, parse_json_object(text, k_max_verdict_bytes, where));
    JsonReader reader(object, where);
    std::int64_t version = 0;
    reader.integer("version", version, 1, 1'000'000);
    if (reader.ok() && version > k_verdict_version) {
        return failure(ErrorCode::too_new,
                       "version " + std::to_string(version) + ", this program knows up to " +
                           std::to_string(k_verdict_version),
                       where, "use the newer Atoll that wrote it");
    }
    Verdict verdict;
    read_plain(reader, verdict);
    read_memory(reader, object, verdict.memory_bytes);
    if (const json* compile = reader.object_or_null("compile", 100)) {
        ATOLL_TRY_ASSIGN(verdict.compile, compile_from_json(*compile, reader.path("compile")));
    }
    if (const json* cases = reader.array("verify", k_max_cases)) {
        ATOLL_TRY_ASSIGN(verdict.verify, verify_from_json(*cases, reader.path("verify")));
    }
    if (const json* measure = reader.object_or_null("measure", 100)) {
        ATOLL_TRY_ASSIGN(verdict.measure, measure_from_json(*measure, reader.path("measure")));
    }
    if (object.contains(k_profile)) {
        if (const json* profile = reader.object(k_profile, 100)) {
            ATOLL_TRY_ASSIGN(verdict.profile, profile_from_json(*profile, reader.path(k_profile)));
        }
    }
    if (const json* times = reader.array("stage_times", 1000)) {
        ATOLL_TRY_ASSIGN(verdict.stage_times,
                         stage_times_from_json(*times, reader.path("stage_times")));
    }
    ATOLL_TRY(read_judgement(reader, verdict));
    ATOLL_TRY(reader.finish());
    return verdict;
}

Digest binary_of(const Verdict& verdict) {
    return verdict.compile ? verdict.compile->binary : Digest{};
}

}  // namespace atl
