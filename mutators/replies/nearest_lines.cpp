#include "mutators/replies/nearest_lines.hpp"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <map>
#include <set>
#include <unordered_map>

namespace atl {

namespace {

using Lines = std::vector<std::string_view>;

constexpr std::size_t k_most_repeated = 64;
constexpr std::size_t k_most_wanted = 1000;

std::set<std::string_view> words_of(std::string_view line) {
    const auto is_word = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
    };
    std::set<std::string_view> words;
    for (std::size_t i = 0; i < line.size();) {
        std::size_t end = i;
        while (end < line.size() && is_word(line[end])) {
            ++end;
        }
        if (end > i) {
            words.insert(line.substr(i, end - i));
        }
        i = end + 1;
    }
    return words;
}

std::optional<std::size_t> by_equal_lines(const Lines& wanted, const Lines& lines) {
    std::unordered_map<std::string_view, std::vector<std::size_t>> places;
    const std::size_t count = std::min(wanted.size(), k_most_wanted);
    for (std::size_t i = 0; i < count; ++i) {
        places[wanted[i]];
    }
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const auto found = places.find(lines[i]);
        if (found != places.end() && found->second.size() <= k_most_repeated) {
            found->second.push_back(i);
        }
    }
    std::map<std::size_t, std::size_t> votes;  // beginning -> lines that stand right
    for (std::size_t i = 0; i < count; ++i) {
        const std::vector<std::size_t>& of_line = places[wanted[i]];
        if (wanted[i].empty() || of_line.size() > k_most_repeated) {
            continue;
        }
        for (const std::size_t place : of_line) {
            ++votes[place - std::min(i, place)];
        }
    }
    const auto best =
        std::max_element(votes.begin(), votes.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    return best == votes.end() ? std::nullopt : std::optional(best->first);
}

std::optional<std::size_t> by_words(std::string_view wanted, const Lines& lines) {
    const std::set<std::string_view> words = words_of(wanted);
    std::optional<std::size_t> best;
    double best_share = 0;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const std::set<std::string_view> others = words_of(lines[i]);
        std::vector<std::string_view> common;
        std::set_intersection(words.begin(), words.end(), others.begin(), others.end(),
                              std::back_inserter(common));
        const double all = static_cast<double>(words.size() + others.size());
        const double share = all == 0 ? 0 : 2 * static_cast<double>(common.size()) / all;
        if (share >= 0.5 && share > best_share) {
            best = i;
            best_share = share;
        }
    }
    return best;
}

}  // namespace

std::optional<std::size_t> nearest_place(const Lines& wanted, const Lines& lines) {
    if (const auto place = by_equal_lines(wanted, lines)) {
        return place;
    }
    const auto longest = std::max_element(
        wanted.begin(), wanted.end(),
        [](std::string_view a, std::string_view b) { return a.size() < b.size(); });
    if (longest == wanted.end()) {
        return std::nullopt;
    }
    std::optional<std::size_t> place = by_words(*longest, lines);
    if (place) {
        const auto before = static_cast<std::size_t>(longest - wanted.begin());
        *place -= std::min(before, *place);
    }
    return place;
}

}  // namespace atl
