#pragma once

#include "reward/verdict.hpp"
#include "reward/verifier/messages.hpp"

#include <string>

namespace atl {

/// Completes `verdict`, and the profile in it, with what a device's verifier reported. A failure on
/// a hidden workload is told without its shape, values or name: the reason may end in a prompt.
void add_device_reply(EvaluateReply reply, Verdict& verdict);

/// Joins notes with "; ".
void append_note(std::string& notes, const std::string& note);

}  // namespace atl
