#pragma once

#include "reward/server/refusal.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <map>
#include <string>

namespace atl {

/// How a trainer's request names its task: the one rule of every adapter, and of `name_from` in
/// the native API. A *wish* is a task's name, or an object (or such an object's JSON text) with
/// fields of POST /v1/evaluate, but none that hold the candidate, nor "idempotency_key" and
/// "verdict"; "score": NAME is short for
/// "scores": [NAME]. Places are read in this order until a task is named:
///   1. metadata, an object: a wish under its key "atoll";
///   2. the label (ground truth): a wish; empty, null and what is neither text nor object say
///      nothing;
///   3. the prompt, a text or chat messages: a wish between <atoll> and </atoll>, the first such;
///      what the model wrote itself (messages of an assistant or a tool) is not looked at.
/// The URL's query (task, kind, device, level, score) then fills in what was not said.
/// Places that a format does not have are null. What they point at must outlive the call.
struct NamingPlaces {
    const nlohmann::ordered_json* metadata = nullptr;
    const nlohmann::ordered_json* label = nullptr;
    const nlohmann::ordered_json* prompt = nullptr;
    const std::map<std::string, std::string>* query = nullptr;
};

inline constexpr std::size_t k_longest_wish = 4096;  ///< bytes of a wish that is a text

/// Adds what `places` say to `request`, the fields of POST /v1/evaluate; what it has already, its
/// task too, is kept. `where` names the trainer's request in errors. Refusals (422): no_task when
/// there is no task then, invalid_request for a wish that cannot be read.
[[nodiscard]] Answered<void> name_task(const NamingPlaces& places, const std::string& where,
                                       nlohmann::ordered_json& request);

/// The request without its `name_from`, {"metadata", "label", "prompt"}, and with what that said.
/// REQUIRES an object that has it.
[[nodiscard]] Answered<nlohmann::ordered_json> with_task_named(
    const nlohmann::ordered_json& request, const std::string& where);

/// The text of a message's content: a text, or a list of parts of which some have a "text".
[[nodiscard]] std::string text_of_content(const nlohmann::ordered_json& content);

}  // namespace atl
