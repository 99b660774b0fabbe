#pragma once

#include "population/lineage/lineage.hpp"
#include "population/lineage/lineage_check.hpp"
#include "population/lineage/lineage_view.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace atl {

/// Takes every decision of the campaign again (search/replay.hpp) and adds each that comes out
/// otherwise to the problems, or to the notes when another version of Atoll took them: its rules
/// may differ. Returns how many decisions were taken again; nothing, and a note why, when that
/// needs what is not here: a config that this version reads, the task as it was then, the texts.
[[nodiscard]] std::optional<std::uint64_t> check_decisions(const LineageData& data,
                                                           const LineageView& view,
                                                           std::string_view version,
                                                           LineageCheck& check);

}  // namespace atl
