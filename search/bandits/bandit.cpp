#include "search/bandits/bandit.hpp"

#include "search/bandits/fixed.hpp"
#include "search/bandits/masked.hpp"
#include "search/bandits/thompson.hpp"
#include "search/bandits/ucb.hpp"
#include "search/config.hpp"

#include <stdexcept>

namespace atl {

namespace {

Bandit bandit_named(const BanditSettings& settings) {
    if (settings.bandit == "ucb") {
        return Bandit(UcbBandit{settings.exploration, settings.epsilon, settings.cost_weight});
    }
    if (settings.bandit == "thompson") {
        return Bandit(ThompsonBandit{settings.exploration, settings.epsilon, settings.cost_weight});
    }
    if (settings.bandit == "fixed") {
        return Bandit(FixedBandit());
    }
    throw std::logic_error("unknown bandit " + settings.bandit);
}

}  // namespace

const std::vector<std::string>& bandit_names() {
    static const std::vector<std::string> names = {"ucb", "thompson", "fixed"};
    return names;
}

Bandit make_bandit(const BanditSettings& settings) {
    Bandit bandit = bandit_named(settings);
    if (settings.mask_after == 0) {
        return bandit;
    }
    return Bandit(MaskedBandit{std::move(bandit), static_cast<std::uint64_t>(settings.mask_after)});
}

}  // namespace atl
