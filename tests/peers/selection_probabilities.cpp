// What a selector of ours gives: reads {"keys": ["selector.name=weighted", ...], "entries":
// [{"fitness": 2.0, "children": 1}, ...]} (best first) and prints the probabilities as a JSON list.

#include "search/recipes.hpp"
#include "search/selectors/selector.hpp"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <exception>
#include <iostream>

int main() {
    try {
        const nlohmann::json asked = nlohmann::json::parse(std::cin);
        atl::CampaignConfig config;
        for (const std::string key : asked.at("keys")) {
            if (const atl::Status set = atl::set_key(config, key); !set) {
                std::fprintf(stderr, "%s\n", set.error().message().c_str());
                return 2;
            }
        }
        std::vector<atl::SelectorEntry> entries;
        for (const nlohmann::json& one : asked.at("entries")) {
            atl::SelectorEntry entry;
            entry.fitness = one.at("fitness");
            entry.children = one.at("children");
            entries.push_back(entry);
        }
        const nlohmann::json p = atl::make_selector(config.selector).probabilities(entries);
        std::printf("%s\n", p.dump().c_str());
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 2;
    }
}
