#include "search/bandits/bandit.hpp"

#include "search/bandits/fixed.hpp"
#include "search/bandits/ucb.hpp"
#include "search/config.hpp"

#include <stdexcept>

namespace atl {

const std::vector<std::string>& bandit_names() {
    static const std::vector<std::string> names = {"ucb", "fixed"};
    return names;
}

Bandit make_bandit(const MixSettings& settings) {
    if (settings.bandit == "ucb") {
        return Bandit(UcbBandit{settings.exploration, settings.epsilon});
    }
    if (settings.bandit == "fixed") {
        return Bandit(FixedBandit());
    }
    throw std::logic_error("unknown bandit " + settings.bandit);
}

}  // namespace atl
