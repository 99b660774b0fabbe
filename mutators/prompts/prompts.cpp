#include "mutators/prompts/prompts.hpp"

#include "mutators/prompts/prompt_trimming.hpp"
#include "mutators/prompts/prompt_values.hpp"
#include "mutators/prompts/token_estimate.hpp"
#include "reward/base/settings.hpp"
#include "reward/base/words.hpp"

#include <kainjow/mustache.hpp>

#include <map>
#include <sstream>
#include <utility>

namespace atl {

namespace {

namespace mustache = kainjow::mustache;
namespace fs = std::filesystem;

constexpr const char* k_system = "system";

mustache::data data_of(const PromptValues& values) {
    mustache::data data;
    for (const auto& [name, text] : values.texts) {
        data.set(name, text);
    }
    for (const auto& [name, list] : values.lists) {
        mustache::data items(mustache::data::type::list);
        for (const PromptValues& one : list) {
            items.push_back(data_of(one));
        }
        data.set(name, items);
    }
    return data;
}

/// The library shows nothing for a name that there is not; this remembers the first such name.
class StrictContext final : public mustache::context<std::string> {
  public:
    explicit StrictContext(const mustache::data* data) : context(data) {}

    const mustache::data* get(const std::string& name) const override {
        const mustache::data* found = context::get(name);
        if (found == nullptr && m_missing.empty()) {
            m_missing = name;
        }
        return found;
    }
    [[nodiscard]] const std::string& missing() const { return m_missing; }

  private:
    mutable std::string m_missing;
};

/// A parsed template; rendering changes it.
class Template {
  public:
    Template(std::string name, const std::string& text)
        : m_name(std::move(name)), m_mustache(text) {
        m_mustache.set_custom_escape([](const std::string& raw) { return raw; });
    }

    [[nodiscard]] Expected<std::string> render(const PromptValues& values,
                                               const PromptFiles& files) {
        if (!m_mustache.is_valid()) {
            return failure(ErrorCode::invalid_argument, m_mustache.error_message(),
                           files.files().at(m_name).path);
        }
        const mustache::data data = data_of(values);
        StrictContext context(&data);
        std::string text = m_mustache.render(context);
        if (!context.missing().empty()) {
            return unknown_name(context.missing(), values, files);
        }
        text.resize(text.find_last_not_of(" \t\r\n") + 1);
        return text + "\n";
    }

  private:
    [[nodiscard]] tl::unexpected<Error> unknown_name(const std::string& name,
                                                     const PromptValues& values,
                                                     const PromptFiles& files) const {
        const std::set<std::string> names = names_in(values);
        if (names.contains(name)) {
            return failure(ErrorCode::invalid_argument, "'" + name + "' is not known here",
                           files.place_of(m_name, name),
                           "it belongs into a section; mutators/README.md has them");
        }
        const std::string nearest = nearest_word(name, {names.begin(), names.end()});
        return failure(
            ErrorCode::invalid_argument, "there is no variable '" + name + "'",
            files.place_of(m_name, name),
            nearest.empty() ? "mutators/README.md lists them" : "did you mean '" + nearest + "'?");
    }

    std::string m_name;
    mustache::mustache m_mustache;
};

/// Something for every name that templates can say.
PromptMaterial full_material(StepSize step) {
    const ShownProgram program{"0.0", 1, "code", "verdict", "bottleneck", {"step"}};
    return {program,
            program,
            {program},
            {program},
            {{"rule", 3}},
            {"item"},
            FailedAttempt{"reply", "fault"},
            "plan",
            OriginalProgram{"name", "cpu_cpp", "code", "contract"},
            "strategy",
            step};
}

}  // namespace

struct Prompts::Parts {
    PromptFiles files;
    PromptFacts facts;
    std::map<std::string, Template> templates = {};
    std::string system = {};

    /// Both with everything and with nothing, so that each section is looked into.
    [[nodiscard]] Status check() {
        for (auto& [name, one] : templates) {
            for (const StepSize step : {StepSize::small, StepSize::large, StepSize::none}) {
                const bool full = step != StepSize::none;
                const PromptMaterial material = full ? full_material(step) : PromptMaterial{};
                const PromptFacts all{"cuda", "task", "words", "rules", "contract", "card"};
                const PromptValues values = name == k_system ? values_of(full ? all : PromptFacts{})
                                                             : values_of(facts, material);
                ATOLL_TRY(one.render(values, files));
            }
        }
        return {};
    }
};

Prompts::Prompts(std::unique_ptr<Parts> parts) : m_parts(std::move(parts)) {}
Prompts::~Prompts() = default;
Prompts::Prompts(Prompts&&) noexcept = default;
Prompts& Prompts::operator=(Prompts&&) noexcept = default;

const PromptFacts& Prompts::facts() const {
    return m_parts->facts;
}

ShownBlocks Prompts::shows(const std::string& name) const {
    if (!m_parts->templates.contains(name)) {
        return {};
    }
    const auto has = [&](const char* variable) {
        return !m_parts->files.place_of(name, variable).empty();
    };
    return {has("exemplars"), has("inspirations"), has("memory") || has("failure_rules")};
}

const std::string& Prompts::system() const {
    return m_parts->system;
}

Expected<Prompts> Prompts::load(const fs::path& shipped, const fs::path& campaign,
                                PromptFacts facts) {
    ATOLL_TRY_ASSIGN(PromptFiles files, PromptFiles::load(shipped, campaign));
    auto parts = std::make_unique<Parts>(Parts{std::move(files), std::move(facts)});
    for (const std::string& name : parts->files.prompts()) {
        parts->templates.try_emplace(name, name, parts->files.flat(name));
    }
    const auto system = parts->templates.find(k_system);
    if (system == parts->templates.end()) {
        return failure(ErrorCode::not_found, "there is no prompt 'system'", shipped.string());
    }
    ATOLL_TRY(parts->check());
    ATOLL_TRY_ASSIGN(parts->system, system->second.render(values_of(parts->facts), parts->files));
    return Prompts(std::move(parts));
}

Expected<Prompt> Prompts::make(const std::string& name, PromptMaterial material,
                               std::size_t max_tokens) {
    const auto found = m_parts->templates.find(name);
    if (found == m_parts->templates.end() || name == k_system) {
        return failure(ErrorCode::invalid_argument, "there is no prompt '" + name + "'");
    }
    Prompt prompt;
    prompt.system = m_parts->system;
    for (;;) {
        ATOLL_TRY_ASSIGN(prompt.user,
                         found->second.render(values_of(m_parts->facts, material), m_parts->files));
        if (!is_utf8(prompt.user)) {
            return failure(ErrorCode::invalid_argument,
                           "the prompt '" + name + "' is no UTF-8: a program in it is not");
        }
        prompt.tokens = estimated_tokens(prompt.system) + estimated_tokens(prompt.user);
        if (prompt.tokens <= max_tokens) {
            return prompt;
        }
        std::optional<std::string> trimmed = trim_once(material);
        if (!trimmed) {
            return failure(ErrorCode::limit, "the prompt '" + name + "' has about " +
                                                 std::to_string(prompt.tokens) +
                                                 " tokens when all that may be left "
                                                 "out is; " +
                                                 std::to_string(max_tokens) + " are allowed");
        }
        prompt.trimmed.push_back(std::move(*trimmed));
    }
}

std::string whole_prompt(const Prompt& prompt) {
    return "[system]\n" + prompt.system + "\n[user]\n" + prompt.user;
}

}  // namespace atl
