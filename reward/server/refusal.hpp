#pragma once

#include "reward/base/error.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace atl {

/// Why a request is not served, in HTTP's terms: every surface says it by `code`.
struct Refusal {
    unsigned status = 500;  ///< HTTP's
    std::string code;       ///< stable, for programs: "unknown_task"
    Error error;            ///< for people: what, where, what to do
    std::optional<std::chrono::seconds> retry_after = std::nullopt;
};

template <class T>
using Answered = tl::expected<T, Refusal>;

/// {"error": {"code", "message", "where", "hint", "retry_after_s"}} as a text.
[[nodiscard]] std::string to_json(const Refusal& refusal);

/// A request that is wrong whoever asks: the error as it is, with a status of 4xx.
[[nodiscard]] tl::unexpected<Refusal> refuse(unsigned status, std::string code, Error error);

}  // namespace atl
