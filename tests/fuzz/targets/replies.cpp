#include "mutators/replies/agent_call.hpp"
#include "mutators/replies/apply_edits.hpp"
#include "mutators/replies/edit_blocks.hpp"
#include "mutators/replies/ideas.hpp"
#include "mutators/replies/reply_text.hpp"
#include "reward/base/words.hpp"
#include "reward/candidate.hpp"
#include "reward/code_fence.hpp"
#include "tests/fuzz/targets.hpp"

#include <algorithm>

namespace atl::fuzz {

namespace {

void check_fault(const ReplyFault& fault) {
    must(!fault.words.empty(), "a fault says what is wrong");
}

void check_child(const std::string& source) {
    must(source.size() <= k_max_source_bytes, "a child has a limit");
    must(is_utf8(source) && source.find('\0') == std::string::npos, "a child is text");
}

void check_edit_faults(const EditResult& result, std::size_t blocks, std::string_view parent) {
    must(result.source == parent, "all blocks are applied, or none");
    const std::size_t lines = lines_of(parent).size();
    for (const EditFault& fault : result.faults) {
        must(fault.block >= 1 && fault.block <= blocks, "a fault names its block");
        must(fault.nearest_line <= lines, "the nearest place is in the parent");
        must(!edit_fault_words(fault).empty(), "a fault says what is wrong");
        must(fault.kind != EditFault::Kind::ambiguous || fault.lines.size() > 1,
             "several places are more than one");
    }
}

void check_edits(std::string_view parent, std::vector<EditBlock> blocks) {
    must(!blocks.empty() && blocks.size() <= k_max_edit_blocks, "blocks have a limit");
    const EditResult result = apply_edits(parent, blocks);
    if (!result.faults.empty()) {
        check_edit_faults(result, blocks.size(), parent);
        return;
    }
    must(result.how.size() == blocks.size(), "every block was applied");
    std::reverse(blocks.begin(), blocks.end());
    must(apply_edits(parent, blocks).source == result.source, "the order does not matter");
}

void check_ideas(const std::vector<Idea>& ideas) {
    must(!ideas.empty() && ideas.size() <= k_max_ideas, "ideas have a limit");
    for (const Idea& idea : ideas) {
        must(!idea.text.empty() && idea.text.size() <= k_longest_idea && is_utf8(idea.text),
             "an idea is short and text");
        must(idea.gain > 0 && idea.gain <= k_largest_gain, "a gain is in its range");
    }
    must(most_promising(ideas) < ideas.size(), "one of them is chosen");
}

}  // namespace

void model_reply(std::string_view bytes) {
    for (const char* kind : {"cpu_cpp", "cuda", "cubin"}) {
        const ReplyCode found = code_in_reply(bytes, kind);
        must(!found.code || found.code->size() <= bytes.size() + 1, "code is a part of the reply");
        const auto source = source_in_reply(bytes, kind);
        source ? check_child(*source) : check_fault(source.error());
    }
    if (const auto ideas = ideas_in_reply(bytes)) {
        check_ideas(*ideas);
    } else {
        check_fault(ideas.error());
    }
    if (const auto call = agent_call_in(bytes)) {
        check_child(call->source);
        must(call->change.size() <= k_longest_said && is_utf8(call->change), "a change is short");
        must(call->tool != AgentCall::Tool::eval || !call->source.empty(), "eval has a source");
    } else {
        check_fault(call.error());
    }
    const std::string said = said_in_reply(bytes, "Change");
    must(said.size() <= k_longest_said && is_utf8(said), "what is said is short and text");
}

void edit_reply(std::string_view bytes) {
    const std::size_t middle = std::min(bytes.find('\0'), bytes.size());
    const std::string_view parent = bytes.substr(0, middle);
    const std::string_view reply = bytes.substr(std::min(middle + 1, bytes.size()));
    if (const auto blocks = edit_blocks_in(reply)) {
        check_edits(parent, *blocks);
    } else {
        check_fault(blocks.error());
    }
    const auto child = patched_source(parent, reply);
    if (!child) {
        check_fault(child.error());
        return;
    }
    check_child(*child);
    must(*child != parent, "a child is another program");
    must(lost_regions(parent, *child).empty(), "regions keep their markers");
}

}  // namespace atl::fuzz
