#include "mutators/operators/registry.hpp"

#include "mutators/operators/crossover.hpp"
#include "mutators/operators/tune.hpp"

#include <stdexcept>

namespace atl {

namespace {

struct Entry {
    const char* name;
    Operator (*make)(const OperatorSettings&);
};

// A new operator is one more line here.
constexpr Entry k_entries[] = {
    {"tune", [](const OperatorSettings& s) { return Operator(Tune(s.tune_strategy)); }},
    {"crossover", [](const OperatorSettings&) { return Operator(Crossover()); }},
};

}  // namespace

void declare(OperatorSettings& settings, SettingVisitor& visitor) {
    visitor.choice("tune.strategy", settings.tune_strategy, tune_strategies(),
                   "How the tune operator searches: random draws fresh values, local walks along "
                   "one value at a time, halving keeps the better half of random draws; mixed "
                   "draws one of the three for each ticket.");
}

const std::vector<std::string>& operator_names() {
    static const std::vector<std::string> names = [] {
        std::vector<std::string> list;
        for (const Entry& entry : k_entries) {
            list.emplace_back(entry.name);
        }
        return list;
    }();
    return names;
}

Operator make_operator(const std::string& name, const OperatorSettings& settings) {
    for (const Entry& entry : k_entries) {
        if (name == entry.name) {
            return entry.make(settings);
        }
    }
    throw std::logic_error("unknown operator " + name);
}

}  // namespace atl
