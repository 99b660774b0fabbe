#pragma once

#include "population/journal/text_index.hpp"

#include <cstdint>

namespace atl {

/// What a reader learned of a journal from its beginning to `end_position`, so that the writer that
/// goes on need not read it again. Internal to population.
struct JournalIndex {
    std::uint64_t journal_id = 0;
    std::uint64_t events = 0;
    std::uint64_t end_position = 0;
    TextIndex texts;
};

}  // namespace atl
