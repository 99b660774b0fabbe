#include "mutators/memory/exemplars.hpp"

#include <cmath>
#include <map>

namespace atl {

namespace {

struct Bucket {
    std::vector<std::size_t> places;
    double mean = 0;
};

/// By score, the lowest first.
std::vector<Bucket> buckets_of(std::span<const ArchiveEntry> entries,
                               const std::vector<std::size_t>& places, double width) {
    std::map<double, Bucket> buckets;
    for (const std::size_t place : places) {
        const double number = std::floor(std::log(entries[place].fitness) / std::log1p(width));
        buckets[number].places.push_back(place);
    }
    std::vector<Bucket> all;
    for (auto& [number, bucket] : buckets) {
        double sum = 0;
        for (const std::size_t place : bucket.places) {
            sum += entries[place].fitness / entries.front().fitness;
        }
        bucket.mean = sum / static_cast<double>(bucket.places.size());
        all.push_back(std::move(bucket));
    }
    return all;
}

std::vector<ShownChoice> contrastive(const MemorySettings& settings,
                                     std::span<const ArchiveEntry> entries,
                                     const std::vector<std::size_t>& places, CounterRng& rng) {
    std::vector<Bucket> buckets = buckets_of(entries, places, settings.bucket_width);
    std::vector<ShownChoice> choices;
    while (!buckets.empty() && choices.size() < static_cast<std::size_t>(settings.exemplar_count)) {
        std::vector<double> weights;
        double sum = 0;
        for (const Bucket& bucket : buckets) {
            // Less the highest mean, which changes no probability, so that no weight overflows.
            weights.push_back(std::exp((bucket.mean - buckets.back().mean) / settings.temperature));
            sum += weights.back();
        }
        const std::size_t drawn = rng.weighted(weights);
        const std::vector<std::size_t>& equal = buckets[drawn].places;
        const auto count = static_cast<double>(equal.size());
        choices.push_back({equal[rng.below(equal.size())], weights[drawn] / sum / count});
        buckets.erase(buckets.begin() + static_cast<std::ptrdiff_t>(drawn));
    }
    return choices;
}

}  // namespace

std::vector<ShownChoice> choose_exemplars(const MemorySettings& settings,
                                          std::span<const ArchiveEntry> entries,
                                          std::span<const IndividualId> taken, CounterRng& rng) {
    const std::vector<std::size_t> places = places_left(entries, taken);
    if (settings.exemplars == "contrastive") {
        return contrastive(settings, entries, places, rng);
    }
    std::vector<ShownChoice> choices;
    if (settings.exemplars == "top_k") {
        for (const std::size_t place : places) {
            if (choices.size() < static_cast<std::size_t>(settings.exemplar_count)) {
                choices.push_back({place, 1});
            }
        }
    }
    return choices;
}

const std::vector<std::string>& exemplar_names() {
    static const std::vector<std::string> names = {"none", "top_k", "contrastive"};
    return names;
}

}  // namespace atl
