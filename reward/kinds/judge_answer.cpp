#include "reward/kinds/judge_answer.hpp"

#include "reward/json_object.hpp"

#include <nlohmann/json.hpp>

#include <string_view>

namespace atl {

namespace {

using Json = nlohmann::ordered_json;

std::string_view trimmed(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) {
        return {};
    }
    return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

Expected<Json> parse_answer(const std::string& output) {
    const std::string_view whole = trimmed(output);
    if (whole.empty()) {
        return failure(ErrorCode::corrupt, "the judge wrote nothing to standard output");
    }
    Expected<Json> answer = parse_json_strictly(whole, "the judge's answer");
    if (!answer || !answer->is_object()) {
        const std::size_t line = whole.rfind('\n');
        const std::string_view last = line == std::string_view::npos ? whole : whole.substr(line);
        answer = parse_json_strictly(trimmed(last), "the judge's last line");
    }
    return answer;
}

void read_numbers(JsonObject& answer, const char* key, std::size_t max_count, double low,
                  std::map<std::string, double>& numbers) {
    if (!answer.has(key)) {
        return;
    }
    JsonObject object = answer.object(key);
    for (const std::string& name : object.keys(max_count)) {
        if (name.empty() || name.size() > k_max_score_name_bytes) {
            object.fail({}, "a name has " + std::to_string(name.size()) + " bytes",
                        "1 to " + std::to_string(k_max_score_name_bytes) + " are allowed");
            return;
        }
        if (object.raw(name).is_null()) {
            object.fail(name, "a number is needed here, not null");
            return;
        }
        numbers[name] = object.number(name, 0, low, 1e300);
    }
}

void read_texts(JsonObject& answer, std::map<std::string, std::string>& texts) {
    if (!answer.has("artefacts")) {
        return;
    }
    JsonObject object = answer.object("artefacts");
    for (const std::string& name : object.keys(k_max_artefacts)) {
        const std::string text = object.text(name, "", std::size_t{64} << 20);
        texts[cut_text(name, k_max_score_name_bytes)] = cut_text(text, k_max_artefact_bytes);
    }
}

MeasureReport measurement(const std::map<std::string, double>& times) {
    MeasureReport report;
    report.protocol = k_external_protocol;
    for (const auto& [workload, ns] : times) {
        WorkloadTiming timing;
        timing.workload = workload;
        timing.samples_ns = {ns};
        timing.median_ns = timing.low_ns = timing.high_ns = ns;
        report.workloads.push_back(std::move(timing));
    }
    return report;
}

}  // namespace

std::string cut_text(const std::string& text, std::size_t max_bytes) {
    std::size_t size = std::min(text.size(), max_bytes);
    while (size > 0 && size < text.size() &&
           (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) {
        --size;
    }
    // Through JSON and back: bytes that are no UTF-8 become U+FFFD.
    const std::string json =
        Json(text.substr(0, size)).dump(-1, ' ', false, Json::error_handler_t::replace);
    return Json::parse(json).get<std::string>();
}

Status read_judge_answer(const std::string& output, Verdict& verdict) {
    ATOLL_TRY_ASSIGN(const Json json, parse_answer(output));
    std::optional<Error> error;
    JsonObject answer(json, "the judge's answer", error);
    if (!answer.has("correct")) {
        answer.fail("correct", "this key is missing", "true or false");
    }
    const bool correct = answer.boolean("correct", false);
    read_numbers(answer, "scores", k_max_scores, -1e300, verdict.scores);
    read_numbers(answer, "metrics", k_max_scores, -1e300, verdict.scores);
    if (answer.has("score")) {
        if (answer.raw("score").is_null()) {
            answer.fail("score", "a number is needed here, not null");
        }
        verdict.scores["score"] = answer.number("score", 0, -1e300, 1e300);
    }
    std::map<std::string, double> times;
    read_numbers(answer, "times", k_max_times, 1e-6, times);
    verdict.feedback =
        cut_text(answer.text("feedback", "", std::size_t{64} << 20), k_max_feedback_bytes);
    read_texts(answer, verdict.artefacts);
    if (correct && verdict.scores.empty() && times.empty()) {
        answer.fail({}, "neither score, scores, metrics nor times");
    }
    if (error) {
        verdict.scores.clear();
        return tl::unexpected<Error>(*error);
    }
    verdict.outcome = correct ? Outcome::passed : Outcome::wrong_result;
    if (!correct) {
        const std::string first = verdict.feedback.substr(0, verdict.feedback.find('\n'));
        verdict.reason =
            first.empty() ? "the judge says that it is not correct" : cut_text(first, 300);
    }
    if (!times.empty()) {
        verdict.measure = measurement(times);
    }
    return {};
}

}  // namespace atl
