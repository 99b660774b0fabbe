#include "reward/base/settings.hpp"

#include <algorithm>
#include <numeric>

namespace atl {

namespace {

// Longer words are cut: keys and names are short, and a hostile file must not cost quadratic time.
constexpr std::size_t k_max_word = 128;

// Optimal string alignment: insertions, deletions, substitutions, swaps of neighbours.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1);
    std::vector<std::size_t> last(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(last.begin(), last.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + change});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = std::min(row[j], before[j - 2] + 1);
            }
        }
        std::swap(before, last);
        std::swap(last, row);
    }
    return last[b.size()];
}

}  // namespace

std::string nearest_word(std::string_view word, const std::vector<std::string>& candidates) {
    const std::string_view cut = word.substr(0, k_max_word);
    const std::size_t allowed = std::max<std::size_t>(1, std::min<std::size_t>(4, cut.size() / 3));
    std::size_t best = allowed + 1;
    std::string nearest;
    for (const std::string& candidate : candidates) {
        const std::size_t distance =
            edit_distance(cut, std::string_view(candidate).substr(0, k_max_word));
        if (distance < best) {
            best = distance;
            nearest = candidate;
        }
    }
    return nearest;
}

}  // namespace atl
