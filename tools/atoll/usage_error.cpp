#include "tools/atoll/usage_error.hpp"

#include "population/lineage/text_layout.hpp"
#include "reward/base/settings.hpp"
#include "reward/task.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>

namespace atl {

namespace {

// The verb, or the verb's question, at which parsing ended; and how to type it.
const CLI::App& deepest(const CLI::App& app, std::string& typed) {
    const CLI::App* at = &app;
    for (auto parsed = at->get_subcommands(); !parsed.empty(); parsed = at->get_subcommands()) {
        at = parsed.back();
        typed += " " + at->get_name();
    }
    return *at;
}

std::vector<std::string> verbs_of(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
        names.push_back(verb->get_name());
    }
    return names;
}

std::vector<std::string> options_of(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::Option* option : app.get_options()) {
        for (const std::string& name : option->get_lnames()) {
            names.push_back("--" + name);
        }
    }
    return names;
}

// "atoll lineage RUN": what stands before a command of `app` when all is typed.
std::string typed_before_commands(const CLI::App& app, const std::string& before) {
    std::string typed = before.empty() ? "atoll" : before + " " + app.get_name();
    for (const CLI::Option* option : app.get_options()) {
        if (option->get_positional() && option->get_required()) {
            typed += " " + option->get_name(true);
        }
    }
    return typed;
}

// CLI11 takes the first word after a verb that needs one for it, even if it is a command: the
// `show` of `lineage show --help`.
const CLI::App* taken_for_an_argument(const CLI::App& app) {
    for (const CLI::Option* option : app.get_options()) {
        if (!option->get_positional() || option->empty()) {
            continue;
        }
        for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
            if (verb->get_name() == option->results().front()) {
                return verb;
            }
        }
    }
    return nullptr;
}

std::string suggestion(const std::string& word, const std::vector<std::string>& known) {
    const std::string nearest = nearest_word(word, known);
    return nearest.empty() ? "" : "; did you mean '" + nearest + "'?";
}

}  // namespace

std::string usage_error(const CLI::App& app, const CLI::ParseError& error) {
    std::string typed = "atoll";
    const CLI::App& at = deepest(app, typed);
    const std::string help = " (`" + typed + " --help`)";
    const std::vector<std::string> rest = app.remaining(true);
    const std::vector<std::string> verbs = verbs_of(at);
    if (!rest.empty()) {
        const std::string word = one_line(rest.front(), 60);
        if (word.starts_with('-')) {
            const std::string name = word.substr(0, word.find('='));
            return typed + ": there is no option '" + name + "'" +
                   suggestion(name, options_of(at)) + help;
        }
        if (!verbs.empty()) {
            return typed + ": there is no command '" + word + "'" + suggestion(word, verbs) + help;
        }
        return typed + ": '" + word + "' is one word too many" + help;
    }
    if (!verbs.empty() && at.get_require_subcommand_min() > 0) {
        std::string known;
        for (const std::string& verb : verbs) {
            known += (known.empty() ? "" : ", ") + verb;
        }
        return typed + ": which command? One of: " + known + help;
    }
    return typed + ": " + one_line(error.what(), 300) + help;
}

std::string help_text(const CLI::App& app) {
    const CLI::App* at = &app;
    std::string before;
    for (auto parsed = at->get_subcommands(); !parsed.empty(); parsed = at->get_subcommands()) {
        before = typed_before_commands(*at, before);
        at = parsed.back();
    }
    if (const CLI::App* meant = taken_for_an_argument(*at)) {
        before = typed_before_commands(*at, before);
        at = meant;
    }
    return at->help(before);
}

std::string refuse_bad_number(const std::string& text) {
    double value = 0;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = end.ec == std::errc() && end.ptr == text.data() + text.size();
    return whole && std::isfinite(value) && value >= 0
               ? ""
               : "must be a number at least 0, not '" + one_line(text, 40) + "'";
}

std::string refuse_bad_count(const std::string& text) {
    std::int64_t value = 0;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = end.ec == std::errc() && end.ptr == text.data() + text.size();
    return whole && value >= 0
               ? ""
               : "must be a whole number at least 0, not '" + one_line(text, 40) + "'";
}

std::string refuse_unknown_kind(const std::string& text) {
    const std::vector<std::string>& kinds = launched_kinds();
    if (std::find(kinds.begin(), kinds.end(), text) != kinds.end()) {
        return "";
    }
    const std::string nearest = nearest_word(text, kinds);
    return "must be " + launched_kinds_text() + ", not '" + printable(text) + "'" +
           (nearest.empty() ? "" : " (did you mean " + nearest + "?)");
}

}  // namespace atl
