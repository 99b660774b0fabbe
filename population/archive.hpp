#pragma once

#include "population/individual.hpp"

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace atl {

/// What an archive knows of a member. Everything a replacement rule may look at is here, so that
/// archives need no access to texts.
struct ArchiveEntry {
    IndividualId id;
    Digest key;
    double fitness = 0;
    std::string starter;
    std::vector<std::uint32_t>
        features;  ///< sorted hashes of (structure, tune choices), for distance
    std::vector<double> measures = {};  ///< Individual::measures
};

/// Distance in [0, 1] between two programs: 1 - Jaccard index of their feature sets.
/// (Jaccard, "Nouvelles recherches sur la distribution florale", 1908); 0 for two empty sets.
[[nodiscard]] double feature_distance(const ArchiveEntry& a, const ArchiveEntry& b);
/// True when `a` ranks before `b`: fitter, or as fit with the lower id.
[[nodiscard]] bool ranks_before(const ArchiveEntry& a, const ArchiveEntry& b);
/// Best first by ranks_before(), and no program twice: what entries() of any archive holds.
[[nodiscard]] bool are_ranked_members(std::span<const ArchiveEntry> entries);
/// Features: the starter, the source, each tune choice (name and value) and each flag. Its key
/// names the program, of which other individuals may have other keys (CampaignState::program_of()).
[[nodiscard]] ArchiveEntry archive_entry(const Individual& individual);

/// added: it got a place of its own (in a grid: a new cell); replaced: it took the place of others
/// (in a grid: its cell was improved).
enum class AddResult { not_added, added, replaced };

/// Decides which individuals an island keeps. A small value type; the best entry is never lost.
/// Incorrect individuals (fitness 0) are never offered; one whose key a member has is not added.
/// Deterministic: no random numbers.
template <class T>
concept ArchivePolicy = std::copyable<T> &&
    requires(T t, const T c, ArchiveEntry e, std::vector<ArchiveEntry> all) {
    { t.add(std::move(e)) } -> std::same_as<AddResult>;
    { c.takes(e) } -> std::same_as<bool>;  // whether add() would not say not_added
    { c.entries() } -> std::convertible_to<std::span<const ArchiveEntry>>;  // best first
    // Takes what entries() of an archive with the same settings held (a snapshot); false, and
    // unchanged, when no such archive can hold that.
    { t.restore(std::move(all)) } -> std::same_as<bool>;
};

/// Any archive, chosen by name from the config. Copyable value; not thread-safe.
class Archive {
  public:
    template <class T>
    requires(!std::same_as<T, Archive> && ArchivePolicy<T>)  // a copy is no policy
        explicit Archive(T policy)
        : m_self(std::make_unique<Model<T>>(std::move(policy))) {}
    Archive(const Archive& other) : m_self(other.m_self->clone()) {}
    Archive& operator=(const Archive& other) {
        m_self = other.m_self->clone();
        return *this;
    }
    Archive(Archive&&) noexcept = default;
    Archive& operator=(Archive&&) noexcept = default;

    AddResult add(ArchiveEntry entry) { return m_self->add(std::move(entry)); }
    [[nodiscard]] bool takes(const ArchiveEntry& entry) const { return m_self->takes(entry); }
    [[nodiscard]] bool restore(std::vector<ArchiveEntry> entries) {
        return m_self->restore(std::move(entries));
    }
    /// Best first; ties by id, so that the order does not depend on arrival.
    [[nodiscard]] std::span<const ArchiveEntry> entries() const { return m_self->entries(); }
    [[nodiscard]] const ArchiveEntry* best() const {
        return entries().empty() ? nullptr : &entries().front();
    }

  private:
    struct Base {
        virtual ~Base() = default;
        [[nodiscard]] virtual std::unique_ptr<Base> clone() const = 0;
        virtual AddResult add(ArchiveEntry entry) = 0;
        [[nodiscard]] virtual bool takes(const ArchiveEntry& entry) const = 0;
        virtual bool restore(std::vector<ArchiveEntry> entries) = 0;
        [[nodiscard]] virtual std::span<const ArchiveEntry> entries() const = 0;
    };
    template <class T>
    struct Model final : Base {
        explicit Model(T p) : policy(std::move(p)) {}
        [[nodiscard]] std::unique_ptr<Base> clone() const override {
            return std::make_unique<Model>(policy);
        }
        AddResult add(ArchiveEntry entry) override { return policy.add(std::move(entry)); }
        [[nodiscard]] bool takes(const ArchiveEntry& entry) const override {
            return policy.takes(entry);
        }
        bool restore(std::vector<ArchiveEntry> entries) override {
            return policy.restore(std::move(entries));
        }
        [[nodiscard]] std::span<const ArchiveEntry> entries() const override {
            return policy.entries();
        }
        T policy;
    };
    std::unique_ptr<Base> m_self;
};

struct ArchiveSettings {
    std::string kind = "ranked";
    std::int64_t size = 32;
    double crowding_distance = 0.15;  ///< closer than this competes with its nearest member
    std::vector<std::string> axes = {"source_bytes 0 16384 16"};  ///< see archives/grid.hpp
    std::vector<std::string> objectives = {"time", "source_bytes"};
    bool operator==(const ArchiveSettings&) const = default;
};

/// Names of the measures that the archive looks at, in the order in which individuals carry them:
/// those of the axes, the objectives, or none. REQUIRES axes that can be read.
[[nodiscard]] std::vector<std::string> archive_measures(const ArchiveSettings& settings);

[[nodiscard]] const std::vector<std::string>& archive_names();
/// REQUIRES settings.kind to be one of archive_names() (the config reader checks).
[[nodiscard]] Archive make_archive(const ArchiveSettings& settings);

}  // namespace atl
