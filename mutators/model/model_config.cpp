#include "mutators/model/model_config.hpp"

#include <limits>
#include <utility>

namespace atl {

namespace {

using Prices = std::vector<std::pair<std::string, double>>;

Prices as_table(const std::optional<Price>& price) {
    if (!price) {
        return {};
    }
    Prices table = {{"prompt", price->prompt}};
    if (price->cached) {
        table.emplace_back("cached", *price->cached);
    }
    table.emplace_back("completion", price->completion);
    return table;
}

/// What is missing is no number, which no price may be.
std::optional<Price> as_price(const Prices& table) {
    if (table.empty()) {
        return std::nullopt;
    }
    constexpr double k_missing = std::numeric_limits<double>::quiet_NaN();
    Price price{k_missing, {}, k_missing};
    for (const auto& [name, value] : table) {
        if (name == "cached") {
            price.cached = value;
        } else {
            (name == "prompt" ? price.prompt : price.completion) = value;
        }
    }
    return price;
}

void declare_integer(SettingVisitor& v, const std::string& key, int& value, std::int64_t high,
                     const char* meaning) {
    std::int64_t wide = value;
    v.integer(key, wide, {1, high}, meaning);
    value = static_cast<int>(wide);
}

void declare_one(ModelSettings& s, SettingVisitor& v) {
    const std::string table = "models." + s.name + ".";
    v.text(table + "url", s.url,
           "Where the endpoint is, before /chat/completions: \"https://HOST/v1\". No user, "
           "password or key in it.");
    v.text(table + "model", s.model, "The endpoint's name of the model; empty: NAME.");
    v.text(table + "key_env", s.key_env,
           "Environment variable that holds the key; empty: none. The key itself stands in no "
           "config.");
    v.text(table + "key_file", s.key_file,
           "File (mode 600) that holds the key, instead of key_env.");
    v.choice(table + "max_tokens_field", s.max_tokens_field,
             {"max_tokens", "max_completion_tokens"},
             "How the endpoint calls the limit of a reply; OpenAI's newer models want the second.");
    v.real(table + "timeout_s", s.timeout_s, {0.001, 86'400},
           "Seconds for one attempt, from connecting to the last byte.");
    declare_integer(v, table + "attempts", s.attempts, 100,
                    "How often a request is tried before it is an error.");
    declare_integer(v, table + "in_flight", s.in_flight, 4096, "Requests at a time.");
    v.real(table + "requests_per_minute", s.requests_per_minute, {0, 1e9}, "Rate limit; 0: none.");
    v.real(table + "tokens_per_minute", s.tokens_per_minute, {0, 1e12},
           "Rate limit, prompt and completion together; 0: none.");
    Prices price = as_table(s.price);
    v.weights(table + "price", price, {"prompt", "cached", "completion"},
              "What a million tokens cost: prompt and completion, and cached ones where they cost "
              "less. Without it costs are told as unknown.");
    s.price = as_price(price);
}

}  // namespace

Expected<std::vector<ModelSettings>> named_models(const std::string& toml_text,
                                                  const std::string& file_name) {
    ATOLL_TRY_ASSIGN(const std::vector<std::string> names,
                     named_tables(toml_text, "models", k_max_models, file_name));
    std::vector<ModelSettings> models;
    for (const std::string& name : names) {
        models.emplace_back().name = name;
    }
    return models;
}

void declare(std::vector<ModelSettings>& models, SettingVisitor& visitor) {
    for (ModelSettings& model : models) {
        declare_one(model, visitor);
    }
}

}  // namespace atl
