#include "mutators/memory/shown_memory.hpp"

#include "reward/base/json_reader.hpp"

#include <nlohmann/json.hpp>

namespace atl {

namespace {

constexpr std::size_t k_max_bytes = 1 << 20;
constexpr std::size_t k_max_rules = 256;
constexpr std::size_t k_max_items = 256;
constexpr std::size_t k_max_text_bytes = 16 << 10;

}  // namespace

std::string to_json(const ShownMemory& memory) {
    if (memory.empty()) {
        return "";
    }
    nlohmann::json rules = nlohmann::json::array();
    for (const FailureRule& rule : memory.failure_rules) {
        rules.push_back({{"text", rule.text}, {"count", rule.count}});
    }
    return dump_json({{"failure_rules", rules}, {"memory", memory.items}});
}

Expected<ShownMemory> parse_shown_memory(std::string_view json) {
    ATOLL_TRY_ASSIGN(const nlohmann::json object, parse_json_object(json, k_max_bytes, "memory"));
    ShownMemory memory;
    JsonReader reader(object, "memory");
    reader.texts("memory", memory.items, k_max_items, k_max_text_bytes);
    if (const nlohmann::json* rules = reader.array("failure_rules", k_max_rules)) {
        for (const nlohmann::json& one : *rules) {
            FailureRule rule;
            JsonReader fields(one, "memory.failure_rules");
            fields.text("text", rule.text, k_max_text_bytes);
            fields.integer("count", rule.count, 1, std::uint64_t{1} << 62);
            ATOLL_TRY(fields.finish());
            memory.failure_rules.push_back(std::move(rule));
        }
    }
    ATOLL_TRY(reader.finish());
    return memory;
}

}  // namespace atl
