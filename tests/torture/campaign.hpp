#pragma once

#include "tests/torture/record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace atl::torture {

/// What a test did and what it cost; printed at its end, for experiments/results/torture.md.
struct Tally {
    int campaigns = 0;
    int kills = 0;
    std::size_t acknowledged = 0;  ///< events, before the last session of their campaign began
    std::size_t lines = 0;         ///< of announcements
    std::size_t lost = 0;
    std::size_t orphans = 0;
    std::size_t leftovers = 0;

    void print(const char* what) const {
        std::printf(
            "torture: %s: %d campaigns, %d kills, %zu events acknowledged (%zu lines), %zu "
            "lost, %zu orphans, %zu leftovers\n",
            what, campaigns, kills, acknowledged, lines, lost, orphans, leftovers);
    }
};

/// What `atoll lineage RUN check` must say: the record is sound, and its decisions are taken again.
inline void expect_sound(const Bench& bench) {
    const Answer check = ask(bench, "lineage " + bench.run().string() + " check");
    EXPECT_EQ(check.status, 0) << check.text;
    EXPECT_THAT(check.text, ::testing::HasSubstr(" decisions taken again")) << check.text;
}

/// After a session's end, before anything else is done: nothing promised is missing, nobody is
/// left.
inline void expect_kept(const Bench& bench, const Session& session, Promises& promises,
                        Tally& tally) {
    const auto alive = survivors();
    tally.orphans += alive.size();
    EXPECT_THAT(alive, ::testing::IsEmpty());
    promises.take(bench, session);
    const auto broken = promises.broken(bench);
    tally.lost += broken.size();
    EXPECT_THAT(broken, ::testing::IsEmpty()) << session.said().errors;
}

/// A power cut: of the journal only what was fsynced is sure to be there, and a part of the rest.
inline void cut_journal(const Bench& bench, std::mt19937& random) {
    std::error_code none;
    const auto journal = bench.run() / "journal";
    const std::uintmax_t size = std::filesystem::file_size(journal, none);
    const std::uintmax_t durable = bench.page().durable_bytes;
    if (!none && size > durable) {
        std::filesystem::resize_file(journal, durable + random() % (size - durable + 1));
    }
}

/// Goes on to the end and looks at what is left.
inline void finish(const Bench& bench, const std::filesystem::path& config, Promises& promises,
                   Tally& tally) {
    tally.acknowledged += promises.events();
    tally.lines += promises.lines();
    ++tally.campaigns;
    Session last(bench, run_or_resume(bench, config));
    EXPECT_EQ(last.wait(), 0) << last.said().errors;
    expect_kept(bench, last, promises, tally);
    expect_sound(bench);
    const auto left = bench.leftovers();
    tally.leftovers += left.size();
    EXPECT_THAT(left, ::testing::IsEmpty());
}

/// The outcome of an undisturbed campaign in ticket order, by seed: computed once.
inline const std::vector<std::string>& undisturbed(int evaluations, int seed,
                                                   const std::string& more = "") {
    static std::map<std::string, std::vector<std::string>> known;
    std::vector<std::string>& found =
        known[std::to_string(evaluations) + " " + std::to_string(seed) + more];
    if (found.empty()) {
        const Bench bench;
        Session whole(bench,
                      run_or_resume(bench, bench.scripted("ticket", evaluations, seed, more)));
        EXPECT_EQ(whole.wait(), 0) << whole.said().errors;
        EXPECT_THAT(survivors(), ::testing::IsEmpty());
        found = essence(read_record(bench.run()));
    }
    return found;
}

/// That decisions and results are those of an undisturbed campaign; names the first that is not.
inline void expect_undisturbed(const Bench& bench, int evaluations, int seed) {
    const std::vector<std::string> found = essence(read_record(bench.run()));
    const std::vector<std::string>& expected = undisturbed(evaluations, seed);
    const auto differ = std::mismatch(found.begin(), found.end(), expected.begin(), expected.end());
    if (differ.first != found.end() || differ.second != expected.end()) {
        ADD_FAILURE() << "decided otherwise from line " << differ.first - found.begin() << " of "
                      << found.size() << ", expected " << expected.size() << ":\n"
                      << ::testing::PrintToString(differ.first == found.end() ? "" : *differ.first)
                      << "\n"
                      << ::testing::PrintToString(differ.second == expected.end() ? ""
                                                                                  : *differ.second);
    }
}

/// Every test inherits the orphans of what it started.
class Torture : public ::testing::Test {
  protected:
    void SetUp() override { adopt_orphans(); }
    void TearDown() override {
        tally.print(::testing::UnitTest::GetInstance()->current_test_info()->name());
    }

    Tally tally;
    std::mt19937 random{20261127};
};

}  // namespace atl::torture
