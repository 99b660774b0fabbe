#include "mutators/memory/methods.hpp"

#include "reward/base/json_reader.hpp"

#include <nlohmann/json.hpp>

namespace atl {

namespace {

constexpr std::size_t k_max_table_bytes = 1 << 20;
constexpr std::size_t k_max_kinds = 16;
constexpr std::size_t k_max_methods = 32;
constexpr std::size_t k_max_method_bytes = 400;
constexpr auto k_last_bottleneck = Bottleneck::latency_bound;

}  // namespace

Expected<MethodTable> MethodTable::parse(std::string_view json) {
    ATOLL_TRY_ASSIGN(const nlohmann::json table,
                     parse_json_object(json, k_max_table_bytes, "methods"));
    MethodTable made;
    for (const auto& [name, kinds] : table.items()) {
        const std::optional<Bottleneck> bottleneck = bottleneck_from(name);
        if (!bottleneck || !kinds.is_object() || kinds.size() > k_max_kinds) {
            return failure(ErrorCode::corrupt, "there is no bottleneck '" + name + "'", "methods");
        }
        JsonReader reader(kinds, "methods." + name);
        for (const auto& item : kinds.items()) {
            reader.texts(item.key().c_str(), made.m_methods[{*bottleneck, item.key()}],
                         k_max_methods, k_max_method_bytes);
        }
        ATOLL_TRY(reader.finish());
    }
    for (int i = 0; i <= static_cast<int>(k_last_bottleneck); ++i) {
        const std::string name(to_string(static_cast<Bottleneck>(i)));
        if (!table.contains(name)) {
            return failure(ErrorCode::corrupt, "nothing for bottleneck '" + name + "'", "methods");
        }
    }
    return made;
}

const MethodTable& MethodTable::shipped() {
    static const MethodTable table = value_or_throw(parse(methods_json()));
    return table;
}

const std::vector<std::string>& MethodTable::methods(Bottleneck bottleneck,
                                                     const std::string& kind) const {
    static const std::vector<std::string> none;
    const bool of_gpu = kind == "ptx" || kind == "cubin";
    const auto found = m_methods.find({bottleneck, of_gpu ? "cuda" : kind});
    return found == m_methods.end() ? none : found->second;
}

}  // namespace atl
