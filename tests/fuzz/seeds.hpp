#pragma once

#include <map>
#include <string>
#include <vector>

namespace atl::fuzz {

struct SeedsOfTarget {
    std::string target;
    std::map<std::string, std::string> seeds;  ///< file name -> bytes
};

/// For the parsers of texts: config, task, expression, source, compile_log.
[[nodiscard]] std::vector<SeedsOfTarget> text_seeds();
/// For what a device compiler gets and makes: cubin, device_text.
[[nodiscard]] std::vector<SeedsOfTarget> device_seeds();
/// For verdicts, judges' answers, and what processes say to each other.
[[nodiscard]] std::vector<SeedsOfTarget> message_seeds();
/// For what a campaign records: journal, records, event, snapshot, lineage, rows.
[[nodiscard]] std::vector<SeedsOfTarget> record_seeds();
/// For what a CUDA candidate's launcher leaves: plan, launch_record, source_split,
/// gpu_package.
[[nodiscard]] std::vector<SeedsOfTarget> cuda_seeds();
/// For what clients of a server send: serve_line, serve_head, trainer_request; and its answers.
[[nodiscard]] std::vector<SeedsOfTarget> server_seeds();
/// For what models reply: model_reply, edit_reply, chat_documents.
[[nodiscard]] std::vector<SeedsOfTarget> reply_seeds();

}  // namespace atl::fuzz
