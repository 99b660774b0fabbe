#include "mutators/regions.hpp"

#include "reward/source_text.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>

namespace atl {

namespace {

std::string_view text_of(std::string_view source, const Region& region) {
    return source.substr(region.begin, region.end - region.begin);
}

// Regions whose name stands for one place only.
std::map<std::string, Region> unique_regions(std::string_view source) {
    std::map<std::string, Region> found;
    std::map<std::string, int> times;
    for (const Region& region : marked_regions(source)) {
        found[region.name] = region;
        ++times[region.name];
    }
    std::erase_if(found, [&](const auto& item) { return times[item.first] > 1; });
    return found;
}

bool is_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

bool mentions(std::string_view text, std::string_view word) {
    for (std::size_t at = text.find(word); at != std::string_view::npos;
         at = text.find(word, at + 1)) {
        const std::size_t end = at + word.size();
        const bool begins = at == 0 || !is_word(text[at - 1]);
        if (begins && (end == text.size() || !is_word(text[end]))) {
            return true;
        }
    }
    return false;
}

std::string definition_of(const TuneMacro& macro) {
    std::string values;
    for (const std::string& value : macro.values) {
        values += (values.empty() ? "" : ", ") + value;
    }
    return "#ifndef " + macro.name + "\n#define " + macro.name + " " + macro.default_value +
           "  // tune: " + values + "\n#endif\n";
}

std::string value_in(const Candidate& candidate, const TuneMacro& macro) {
    const auto chosen = candidate.tune.find(macro.name);
    return chosen == candidate.tune.end() ? macro.default_value : chosen->second;
}

}  // namespace

RegionDigests region_digests(std::string_view source) {
    const auto unique = unique_regions(source);
    RegionDigests digests;
    for (const Region& region : marked_regions(source)) {
        if (unique.contains(region.name)) {
            digests.emplace_back(region.name,
                                 content_id(normalised_tokens(text_of(source, region))));
        }
    }
    return digests;
}

std::vector<std::string> shared_regions(const RegionDigests& base, const RegionDigests& partner) {
    std::vector<std::string> names;
    for (const auto& [name, digest] : base) {
        const auto theirs = std::find_if(partner.begin(), partner.end(),
                                         [&name = name](const auto& r) { return r.first == name; });
        if (theirs != partner.end() && theirs->second != digest) {
            names.push_back(name);
        }
    }
    return names;
}

Candidate graft_regions(const Candidate& base, const Candidate& partner,
                        const std::vector<std::string>& names) {
    const auto theirs = unique_regions(partner.source);
    Candidate child = base;
    child.source.clear();
    std::string taken;
    std::size_t copied = 0;
    for (const Region& region : marked_regions(base.source)) {
        if (std::find(names.begin(), names.end(), region.name) == names.end()) {
            continue;
        }
        const std::string_view text = text_of(partner.source, theirs.at(region.name));
        child.source += base.source.substr(copied, region.begin - copied);
        child.source += text;
        taken += text;
        copied = region.end;
    }
    child.source += base.source.substr(copied);

    std::map<std::string, TuneMacro> own;
    for (const TuneMacro& macro : tune_macros(child.source)) {
        own.emplace(macro.name, macro);
    }
    std::string definitions;
    for (const TuneMacro& macro : tune_macros(partner.source)) {
        if (!mentions(taken, macro.name)) {
            continue;
        }
        const auto defined = own.find(macro.name);
        const std::string fallback =
            defined == own.end() ? macro.default_value : defined->second.default_value;
        const std::string value = value_in(partner, macro);
        if (value == fallback) {
            child.tune.erase(macro.name);
        } else {
            child.tune[macro.name] = value;
        }
        definitions += defined == own.end() ? definition_of(macro) : "";
    }
    child.source = definitions + child.source;
    // Values of macros that went away with the old regions would only disguise equal programs.
    const std::vector<TuneMacro> left = tune_macros(child.source);
    std::erase_if(child.tune, [&](const auto& item) {
        return std::none_of(left.begin(), left.end(),
                            [&](const TuneMacro& macro) { return macro.name == item.first; });
    });
    return child;
}

}  // namespace atl
