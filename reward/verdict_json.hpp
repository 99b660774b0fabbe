#pragma once

#include "reward/base/error.hpp"
#include "reward/base/json_reader.hpp"
#include "reward/verdict.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace atl {

/// The JSON forms of a verdict's parts, shared by stored verdicts and by the frames that carry
/// them. The readers check every field; `where` names the value in errors.

[[nodiscard]] nlohmann::json verify_to_json(const std::vector<VerifyCase>& cases);
[[nodiscard]] Expected<std::vector<VerifyCase>> verify_from_json(const nlohmann::json& value,
                                                                 const std::string& where);

/// null for nullopt.
[[nodiscard]] nlohmann::json measure_to_json(const std::optional<MeasureReport>& report);
[[nodiscard]] Expected<std::optional<MeasureReport>> measure_from_json(const nlohmann::json& value,
                                                                       const std::string& where);

[[nodiscard]] nlohmann::json stage_times_to_json(const std::vector<StageTime>& times);
[[nodiscard]] Expected<std::vector<StageTime>> stage_times_from_json(const nlohmann::json& value,
                                                                     const std::string& where);

/// Verdict::memory_bytes as a field of `object`, which has none where nothing was measured:
/// verdicts of before that were the same.
void memory_to_json(std::optional<std::uint64_t> bytes, nlohmann::json& object);
/// `object`: what `reader` reads.
void read_memory(JsonReader& reader, const nlohmann::json& object,
                 std::optional<std::uint64_t>& bytes);

}  // namespace atl
