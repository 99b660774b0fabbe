#include "mutators/knobs.hpp"

#include "reward/source_text.hpp"

#include <algorithm>

namespace atl {

namespace {

std::string flag_group(const std::string& flag) {
    return flag.substr(0, flag.find('='));
}

std::size_t index_of(const Knob& knob, const std::string& value) {
    const auto place = std::find(knob.values.begin(), knob.values.end(), value);
    return place == knob.values.end() ? knob.default_index
                                      : static_cast<std::size_t>(place - knob.values.begin());
}

std::string change_of(const Knob& knob, const std::string& from, const std::string& to) {
    if (knob.kind == Knob::Kind::macro) {
        return knob.name + " " + from + " -> " + to;
    }
    if (to.empty()) {
        return from + " off";
    }
    return from.empty() ? to + " on" : from + " -> " + to;
}

}  // namespace

std::vector<Knob> knobs_of(const Task& task, std::string_view source) {
    std::vector<Knob> knobs;
    for (const TuneMacro& macro : tune_macros(source)) {
        Knob knob{Knob::Kind::macro, macro.name, macro.values, 0};
        const auto place = std::find(knob.values.begin(), knob.values.end(), macro.default_value);
        if (place == knob.values.end()) {
            knob.values.insert(knob.values.begin(), macro.default_value);
        } else {
            knob.default_index = static_cast<std::size_t>(place - knob.values.begin());
        }
        if (knob.values.size() > 1) {
            knobs.push_back(std::move(knob));
        }
    }
    const std::size_t macros = knobs.size();
    for (const std::string& flag : task.allowed_flags) {
        const auto place =
            std::find_if(knobs.begin() + static_cast<std::ptrdiff_t>(macros), knobs.end(),
                         [&](const Knob& knob) { return knob.name == flag_group(flag); });
        if (place == knobs.end()) {
            knobs.push_back({Knob::Kind::flag, flag_group(flag), {"", flag}, 0});
        } else {
            place->values.push_back(flag);
        }
    }
    return knobs;
}

KnobSetting setting_of(const std::vector<Knob>& knobs, const Candidate& candidate) {
    KnobSetting setting;
    for (const Knob& knob : knobs) {
        std::size_t index = knob.default_index;
        if (knob.kind == Knob::Kind::macro) {
            const auto chosen = candidate.tune.find(knob.name);
            index = chosen == candidate.tune.end() ? index : index_of(knob, chosen->second);
        } else {
            for (const std::string& flag : candidate.flags) {
                index = std::max(index, index_of(knob, flag));
            }
        }
        setting.push_back(index);
    }
    return setting;
}

Candidate with_setting(const std::vector<Knob>& knobs, const KnobSetting& setting,
                       Candidate candidate) {
    for (std::size_t i = 0; i < knobs.size(); ++i) {
        const Knob& knob = knobs[i];
        const std::string& value = knob.values[setting[i]];
        if (knob.kind == Knob::Kind::flag) {
            std::erase_if(candidate.flags,
                          [&](const std::string& f) { return flag_group(f) == knob.name; });
            if (!value.empty()) {
                candidate.flags.push_back(value);
            }
        } else if (setting[i] == knob.default_index) {
            candidate.tune.erase(knob.name);
        } else {
            candidate.tune[knob.name] = value;
        }
    }
    std::sort(candidate.flags.begin(), candidate.flags.end());
    candidate.flags.erase(std::unique(candidate.flags.begin(), candidate.flags.end()),
                          candidate.flags.end());
    return candidate;
}

std::string describe_change(const std::vector<Knob>& knobs, const KnobSetting& from,
                            const KnobSetting& to) {
    std::string text;
    for (std::size_t i = 0; i < knobs.size(); ++i) {
        if (from[i] != to[i]) {
            text += text.empty() ? "" : ", ";
            text += change_of(knobs[i], knobs[i].values[from[i]], knobs[i].values[to[i]]);
        }
    }
    return text.empty() ? "nothing" : text;
}

}  // namespace atl
