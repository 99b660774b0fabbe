#include "reward/server/refusal.hpp"

#include "reward/base/json_reader.hpp"

#include <nlohmann/json.hpp>

namespace atl {

std::string to_json(const Refusal& refusal) {
    nlohmann::json error = {{"code", refusal.code},
                            {"message", refusal.error.what},
                            {"where", refusal.error.where},
                            {"hint", refusal.error.hint}};
    if (refusal.retry_after) {
        error["retry_after_s"] = refusal.retry_after->count();
    }
    return dump_json({{"error", std::move(error)}});
}

tl::unexpected<Refusal> refuse(unsigned status, std::string code, Error error) {
    return tl::unexpected<Refusal>(Refusal{status, std::move(code), std::move(error)});
}

}  // namespace atl
