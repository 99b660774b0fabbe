#include "search/selectors/clusters.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace atl {

namespace {

std::vector<double> softmax(std::vector<double> logits) {
    const double largest = *std::max_element(logits.begin(), logits.end());
    double sum = 0;
    for (double& logit : logits) {
        logit = std::exp(logit - largest);
        sum += logit;
    }
    for (double& value : logits) {
        value /= sum;
    }
    return logits;
}

}  // namespace

std::vector<std::size_t> ClusterSelector::clusters(std::span<const SelectorEntry> entries) const {
    const auto bin = [this](double value) {
        return value > 0 ? std::floor(std::log(value) / std::log1p(width)) : value;
    };
    std::map<std::vector<double>, std::size_t> known;
    std::vector<std::size_t> numbers;
    for (const SelectorEntry& entry : entries) {
        std::vector<double> signature = {bin(entry.fitness)};
        for (const double measure : entry.measures) {
            signature.push_back(bin(measure));
        }
        numbers.push_back(known.emplace(std::move(signature), known.size()).first->second);
    }
    return numbers;
}

std::vector<double> ClusterSelector::probabilities(std::span<const SelectorEntry> entries,
                                                   const SelectionFacts& facts) const {
    const std::vector<std::size_t> cluster_of = clusters(entries);
    std::vector<std::vector<std::size_t>> members;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        members.resize(std::max(members.size(), cluster_of[i] + 1));
        members[cluster_of[i]].push_back(i);
    }
    const auto cycle = static_cast<std::uint64_t>(period);
    const double t = temperature *
                     (1 - static_cast<double>(facts.programs % cycle) / static_cast<double>(cycle));
    std::vector<double> scores;
    for (const std::vector<std::size_t>& cluster : members) {
        // Entries come best first. The difference stays finite, or is no chance at all.
        scores.push_back((entries[cluster.front()].fitness - entries.front().fitness) / t);
    }
    const std::vector<double> of_cluster = softmax(std::move(scores));
    std::vector<double> p(entries.size());
    for (std::size_t c = 0; c < members.size(); ++c) {
        double shortest = std::numeric_limits<double>::infinity();
        double longest = 0;
        for (const std::size_t i : members[c]) {
            shortest = std::min(shortest, static_cast<double>(entries[i].length));
            longest = std::max(longest, static_cast<double>(entries[i].length));
        }
        std::vector<double> logits;
        for (const std::size_t i : members[c]) {
            logits.push_back(-(static_cast<double>(entries[i].length) - shortest) /
                             (longest + 1e-6));
        }
        const std::vector<double> inside = softmax(std::move(logits));
        for (std::size_t k = 0; k < members[c].size(); ++k) {
            p[members[c][k]] = of_cluster[c] * inside[k];
        }
    }
    return p;
}

}  // namespace atl
