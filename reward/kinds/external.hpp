#pragma once

#include "reward/kinds/kind.hpp"

#include <memory>
#include <stop_token>

namespace atl {

/// Kind "external": the task's own program judges a candidate file or folder and answers with JSON;
/// see reward/kinds/judge_answer.hpp. Its word is taken as it is (trust "external").
[[nodiscard]] std::shared_ptr<const CandidateKind> make_external_kind();

/// Writes the candidate (tune values filled in) into a private folder, runs task.external's command
/// with the path of that copy appended (the candidate_file; for a folder, its name without the
/// extension), and completes `verdict`. A judge that fails, answers nonsense or
/// is out of time is an outcome; a missing judge or interpreter is an error, and so is a run that
/// was cancelled (code interrupted). REQUIRES task.external. Thread-safe; blocks its thread.
[[nodiscard]] Expected<Verdict> judge_external(const Task& task, const Candidate& candidate,
                                               Verdict verdict = {}, std::stop_token cancel = {});

/// Whether the programs and scripts that its command names are there; the error says which is not.
/// REQUIRES task.external.
[[nodiscard]] Status find_judge(const Task& task);

}  // namespace atl
