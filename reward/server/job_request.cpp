#include "reward/server/job_request.hpp"

#include "reward/base/settings.hpp"
#include "reward/code_fence.hpp"
#include "reward/json_object.hpp"
#include "reward/kinds/kind.hpp"
#include "reward/server/adapters/task_naming.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>

namespace atl {

namespace {

constexpr std::size_t k_most_words = 64;  // of tune values, flags, scores

std::string list_of(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) {
        text += (text.empty() ? "" : ", ") + word;
    }
    return text.empty() ? "none" : text;
}

/// The nearest word, else all of them.
std::string hint_for(const std::string& word, const std::vector<std::string>& words) {
    const std::string nearest = nearest_word(word, words);
    return nearest.empty() ? "there are: " + list_of(words) : "did you mean '" + nearest + "'?";
}

/// What a model wrote may hold any bytes: they are the candidate's fault, not the client's.
std::string model_text(JsonObject& object, const char* key) {
    const nlohmann::ordered_json& value = object.raw(key);
    if (!value.is_string()) {
        object.fail(key, "a text is needed here");
        return {};
    }
    return value.get<std::string>();
}

std::map<std::string, std::string> tune_values(JsonObject tune) {
    std::map<std::string, std::string> values;
    for (const std::string& name : tune.keys(k_most_words)) {
        if (name.size() > k_longest_id) {
            tune.fail({}, "a name has " + std::to_string(name.size()) + " bytes",
                      "at most " + std::to_string(k_longest_id) + " are allowed", ErrorCode::limit);
            return {};
        }
        const nlohmann::ordered_json& value = tune.raw(name);
        if (value.is_number_integer()) {
            values[name] = value.dump();
        } else {
            values[name] = tune.required_text(name, k_longest_id);
        }
    }
    return values;
}

std::vector<std::string> unique_words(JsonObject& object, const char* key) {
    std::vector<std::string> words;
    for (std::string& word : object.texts(key, k_most_words, k_longest_id)) {
        if (std::find(words.begin(), words.end(), word) == words.end()) {
            words.push_back(std::move(word));
        }
    }
    return words;
}

std::optional<Level> level_from(const std::string& name) {
    for (const Level level : {Level::verify, Level::measure, Level::confirm}) {
        if (to_string(level) == name) {
            return level;
        }
    }
    return std::nullopt;
}

constexpr std::size_t k_most_rivals = 16;

/// {"name", "source", "tune", "flags"}, or {"name", "baseline": true} for one of the task's own.
Rival read_rival(JsonObject& object, bool& is_baseline) {
    Rival rival;
    rival.name = object.required_text("name", k_longest_id);
    is_baseline = object.boolean("baseline", false);
    if (!is_baseline) {
        rival.candidate.source = model_text(object, "source");
        rival.candidate.tune = tune_values(object.object("tune"));
        rival.candidate.flags = unique_words(object, "flags");
    }
    object.refuse_other_keys();
    return rival;
}

class Reading {
  public:
    Reading(const nlohmann::ordered_json& value, const std::string& where, const Offer& offer)
        : m_object(value, where, m_error), m_offer(offer) {}

    Answered<JobRequest> read() {
        const std::string task = m_object.required_text("task", k_longest_id);
        const std::string kind = m_object.text("kind", "", k_longest_id);
        const std::string device = m_object.text("device", "", k_longest_id);
        const bool is_reply = read_candidate();
        read_wishes();
        read_engine_wishes();
        m_object.refuse_other_keys();
        if (m_error) {
            return refuse(422, "invalid_request", *m_error);
        }
        if (Answered<void> found = find_task(task, kind, device); !found) {
            return tl::unexpected(found.error());
        }
        if (Answered<void> checked = check_scores(); !checked) {
            return tl::unexpected(checked.error());
        }
        if (Answered<void> checked = check_engine_wishes(); !checked) {
            return tl::unexpected(checked.error());
        }
        take_candidate(is_reply);
        m_request.content = content();
        return std::move(m_request);
    }

  private:
    /// True: m_text is a whole reply.
    bool read_candidate() {
        const bool is_reply = m_object.has("reply") && !m_object.raw("reply").is_null();
        const bool is_source = m_object.has("source") && !m_object.raw("source").is_null();
        if (is_reply == is_source) {
            m_object.fail("", "exactly one of 'source' and 'reply' is needed",
                          "'source' is the candidate, 'reply' a model's reply with it in a fence");
            return false;
        }
        m_text = model_text(m_object, is_reply ? "reply" : "source");
        m_request.candidate.tune = tune_values(m_object.object("tune"));
        m_request.candidate.flags = unique_words(m_object, "flags");
        std::sort(m_request.candidate.flags.begin(), m_request.candidate.flags.end());
        return is_reply;
    }

    void read_wishes() {
        const std::string level = m_object.text("level", "measure", k_longest_id);
        if (const std::optional<Level> known = level_from(level)) {
            m_request.level = *known;
        } else {
            m_object.fail("level", "there is no level '" + level + "'",
                          hint_for(level, {"verify", "measure", "confirm"}));
        }
        m_scores_asked = m_object.has("scores");
        m_request.scores = unique_words(m_object, "scores");
        m_request.profile = m_object.boolean("profile", false);
        m_request.with_verdict = m_object.boolean("verdict", true);
        m_request.priority = static_cast<int>(
            m_object.integer("priority", 0, -k_highest_priority, k_highest_priority));
        const std::int64_t deadline =
            m_object.integer("deadline_s", 0, 1, k_longest_deadline.count());
        if (deadline > 0) {
            m_request.deadline = std::chrono::seconds(deadline);
        }
        m_request.idempotency_key = m_object.text("idempotency_key", "", k_longest_id);
        m_request.client = m_object.text("client", "", k_longest_id);
        m_request.ids.trajectory = m_object.text("trajectory_id", "", k_longest_id);
        m_request.ids.group = m_object.text("group_id", "", k_longest_id);
        m_request.ids.policy_version = policy_version();
        m_request.rollout.token_ids = numbers<std::int32_t>("token_ids");
        m_request.rollout.log_probabilities = numbers<float>("log_probabilities");
        if (!m_request.rollout.log_probabilities.empty() &&
            m_request.rollout.log_probabilities.size() != m_request.rollout.token_ids.size()) {
            m_object.fail("log_probabilities", "as many as token_ids are needed");
        }
        const std::int64_t turn = m_object.integer("turn", -1, 0, 1'000'000);
        if (turn >= 0) {
            m_request.ids.turn = turn;
        }
    }

    void read_engine_wishes() {
        m_task_digest = m_object.text("task_digest", "", k_longest_id);
        m_request.fresh = m_object.boolean("fresh", false);
        m_request.cutoff_ns = m_object.number("cutoff_ns", 0, 0, 1e18);
        for (JsonObject& object : m_object.objects("rivals", k_most_rivals)) {
            bool is_baseline = false;
            m_request.rivals.push_back(read_rival(object, is_baseline));
            m_is_baseline.push_back(is_baseline);
        }
        if (!m_request.rivals.empty() && m_request.level != Level::confirm) {
            m_object.fail("rivals", "only level confirm measures rivals");
        }
    }

    Answered<void> check_engine_wishes() {
        const Task& task = *m_request.task;
        if (!m_task_digest.empty() && m_task_digest != task.digest.hex()) {
            return refuse(422, "task_differs",
                          {ErrorCode::invalid_argument,
                           "task '" + task.name +
                               "' is another one here: its verdicts would not "
                               "be those of the client's",
                           m_object.where("task_digest"),
                           "give both the same folder, and the same version of Atoll"});
        }
        for (std::size_t i = 0; i < m_request.rivals.size(); ++i) {
            Rival& rival = m_request.rivals[i];
            rival.candidate.kind = task.kind;
            if (!m_is_baseline[i]) {
                continue;
            }
            const auto known =
                std::find_if(task.baselines.begin(), task.baselines.end(),
                             [&](const Baseline& baseline) { return baseline.name == rival.name; });
            if (known == task.baselines.end()) {
                return refuse(422, "invalid_request",
                              {ErrorCode::not_found,
                               "task '" + task.name + "' has no baseline '" + rival.name + "'",
                               m_object.where("rivals"), ""});
            }
            rival.candidate.source = known->source;
            rival.libraries = known->libraries;
        }
        return {};
    }

    /// A name, or a step's number.
    std::string policy_version() {
        if (m_object.has("policy_version") && m_object.raw("policy_version").is_number_integer()) {
            return m_object.raw("policy_version").dump();
        }
        return m_object.text("policy_version", "", k_longest_id);
    }

    template <class T>
    std::vector<T> numbers(const char* key) {
        const nlohmann::ordered_json& value = m_object.raw(key);
        if (value.is_null()) {
            return {};
        }
        if (!value.is_array() || value.size() > k_most_tokens) {
            m_object.fail(key, "a list of at most " + std::to_string(k_most_tokens) +
                                   " numbers is needed here");
            return {};
        }
        std::vector<T> list;
        list.reserve(value.size());
        for (const nlohmann::ordered_json& one : value) {
            const bool is_whole = one.is_number_integer();
            const double number = one.is_number() ? one.get<double>() : std::nan("");
            if (!(std::abs(number) <= static_cast<double>(std::numeric_limits<T>::max())) ||
                (std::is_integral_v<T> && (!is_whole || number < 0))) {
                m_object.fail(key, std::is_integral_v<T>
                                       ? "token ids are integers from 0 to 2^31 - 1"
                                       : "numbers are needed here");
                return {};
            }
            list.push_back(static_cast<T>(number));
        }
        return list;
    }

    Answered<void> find_task(const std::string& task, const std::string& kind,
                             const std::string& device) {
        if (!m_offer.tasks.has(task)) {
            return refuse(422, "unknown_task",
                          {ErrorCode::not_found, "no task '" + task.substr(0, 80) + "' is served",
                           m_object.where("task"), hint_for(task, m_offer.tasks.names())});
        }
        std::vector<std::string> possible;
        for (const ServedDevice& served : m_offer.devices) {
            for (const std::string& one : served.kinds) {
                const TaskPtr found = m_offer.tasks.find(task, one);
                if (!found) {
                    continue;
                }
                possible.push_back(one + " on " + served.name);
                if ((kind.empty() || kind == one) && (device.empty() || device == served.name)) {
                    m_request.task = found;
                    m_request.device = &served;
                    return {};
                }
            }
        }
        std::string asked = kind.empty() ? "candidates" : "candidates of kind '" + kind + "'";
        asked += device.empty() ? "" : " on device '" + device + "'";
        return refuse(422, "unsupported_kind",
                      {ErrorCode::not_found, "task '" + task + "' takes no " + asked + " here",
                       m_object.where(kind.empty() ? "device" : "kind"),
                       "it takes: " + list_of(possible) + " (GET /v1/devices lists devices)"});
    }

    /// Where none are named: what the task's verdicts can be scored by.
    Answered<void> check_scores() {
        m_request.presets = &m_offer.presets;
        if (!m_scores_asked) {
            if (m_request.task->external) {
                m_request.scores = {"external"};
            } else if (m_request.level != Level::verify) {
                m_request.scores = {m_request.task->starters.empty() ? "light" : "speedup"};
            }
            return {};
        }
        for (const std::string& name : m_request.scores) {
            const ScorePreset* preset = m_offer.presets.find(name);
            if (preset == nullptr) {
                return refuse_score("unknown_score", "there is no score '" + name + "'",
                                    "there are: " + list_of(m_offer.presets.names()));
            }
            if (Answered<void> possible = check_score(*preset); !possible) {
                return possible;
            }
        }
        return {};
    }

    /// Whether verdicts of this request can be scored by it.
    Answered<void> check_score(const ScorePreset& preset) {
        const ScoreFormula& formula = *preset.formula;
        const bool external = m_request.task->external.has_value();
        if ((formula.name == std::string_view("external")) != external) {
            return refuse_score(
                "invalid_request",
                "task '" + m_request.task->name + "' has no score '" + preset.name + "'",
                external ? "its own program scores: 'external'"
                         : "'external' is for tasks that judge themselves");
        }
        if (formula.needs_times && m_request.level == Level::verify) {
            return refuse_score(
                "invalid_request",
                "the score '" + preset.name + "' needs times, and level verify has none",
                "ask for level measure, or for no scores");
        }
        if (formula.needs_baseline && m_request.task->starters.empty()) {
            return refuse_score("invalid_request",
                                "task '" + m_request.task->name +
                                    "' ships no starter that a speed-up could be measured against",
                                "ask for 'light'");
        }
        const CandidateKind* kind = find_kind(m_request.task->kind);
        if (!preset.values.counter.empty() && (kind == nullptr || !kind->has_counters())) {
            return refuse_score("invalid_request",
                                "the score '" + preset.name +
                                    "' needs counters, and candidates of "
                                    "kind '" +
                                    m_request.task->kind + "' have none",
                                "ask for another score");
        }
        if (!preset.values.counter.empty() && !m_request.profile) {
            return refuse_score("invalid_request",
                                "the score '" + preset.name + "' needs a profile",
                                "ask for \"profile\": true");
        }
        return {};
    }

    tl::unexpected<Refusal> refuse_score(const char* code, std::string what, std::string hint) {
        return refuse(422, code,
                      {ErrorCode::invalid_argument, std::move(what), m_object.where("scores"),
                       std::move(hint)});
    }

    void take_candidate(bool is_reply) {
        m_request.candidate.kind = m_request.task->kind;
        if (!is_reply) {
            m_request.candidate.source = std::move(m_text);
            return;
        }
        std::optional<std::string> code = code_in_reply(m_text, m_request.candidate.kind).code;
        m_request.rollout.reply = std::move(m_text);
        m_request.no_code = !code.has_value();
        m_request.candidate.source = std::move(code).value_or(std::string());
    }

    Digest content() const {
        ContentHasher hasher;
        hasher.field(m_request.task->digest).field(m_request.device->name);
        hasher.field(m_request.candidate.kind).field(m_request.candidate.source);
        hasher.field(m_request.candidate.tune.size());
        for (const auto& [name, value] : m_request.candidate.tune) {
            hasher.field(name).field(value);
        }
        hasher.field(m_request.candidate.flags.size());
        for (const std::string& flag : m_request.candidate.flags) {
            hasher.field(flag);
        }
        for (const std::string& name : m_request.scores) {
            hasher.field(name);
        }
        hasher.field(to_string(m_request.level)).field(m_request.profile ? 1 : 0);
        hasher.field(m_request.with_verdict ? 1 : 0);
        hasher.field(m_request.fresh ? 1 : 0)
            .field(std::bit_cast<std::uint64_t>(m_request.cutoff_ns));
        hasher.field(m_request.rivals.size());
        for (const Rival& rival : m_request.rivals) {
            hasher.field(rival.name).field(candidate_key(rival.candidate));
        }
        return hasher.field(m_request.no_code ? 1 : 0).finish();
    }

    std::optional<Error> m_error;
    JsonObject m_object;
    const Offer& m_offer;
    JobRequest m_request;
    std::string m_text;
    bool m_scores_asked = false;
    std::string m_task_digest;
    std::vector<bool> m_is_baseline;  // of the rivals
};

}  // namespace

Digest JobRequest::digest() const {
    ContentHasher hasher;
    hasher.field(content).field(ids.trajectory).field(ids.group);
    hasher.field(static_cast<std::uint64_t>(ids.turn.value_or(-1))).field(ids.policy_version);
    return hasher.finish();
}

bool JobRequest::wants_baseline() const {
    return std::any_of(scores.begin(), scores.end(), [&](const std::string& name) {
        return presets->find(name)->formula->needs_baseline;
    });
}

std::size_t JobRequest::bytes() const {
    std::size_t sum = candidate.source.size() + rollout.bytes();
    for (const auto& [name, value] : candidate.tune) {
        sum += name.size() + value.size();
    }
    for (const std::string& flag : candidate.flags) {
        sum += flag.size();
    }
    for (const Rival& rival : rivals) {
        sum += rival.candidate.source.size();
    }
    return sum;
}

Answered<JobRequest> parse_job_request(const nlohmann::ordered_json& value,
                                       const std::string& where, const Offer& offer) {
    if (!value.is_object() || !value.contains("name_from")) {
        return Reading(value, where, offer).read();
    }
    const Answered<nlohmann::ordered_json> named = with_task_named(value, where);
    if (!named) {
        return tl::unexpected(named.error());
    }
    return Reading(*named, where, offer).read();
}

Answered<nlohmann::ordered_json> parse_body(std::string_view text, const std::string& where) {
    Expected<nlohmann::ordered_json> value = parse_json_strictly(text, where);
    if (!value) {
        return refuse(400, "invalid_json", value.error());
    }
    return std::move(*value);
}

}  // namespace atl
