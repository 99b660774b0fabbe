#include "mutators/regions.hpp"
#include "mutators/source_parts.hpp"
#include "population/lineage/text_diff.hpp"
#include "reward/candidate.hpp"
#include "reward/cpp_lexer.hpp"
#include "reward/launch_contract.hpp"
#include "reward/source_text.hpp"
#include "reward/workers/compile_log.hpp"
#include "reward/workers/compile_messages.hpp"
#include "tests/fuzz/targets.hpp"

namespace atl::fuzz {

namespace {

void look_at_tokens(std::string_view source) {
    CppLexer lexer(source);
    std::size_t end = 0;
    while (const auto token = lexer.next()) {
        must(token->begin >= end && token->end >= token->begin && token->end <= source.size(),
             "tokens follow one another inside the source");
        must(token->end > end || token->kind == CppToken::Kind::directive_end, "the lexer gets on");
        end = token->end;
    }
}

void look_at_knobs(const std::string& source) {
    std::map<std::string, std::string> chosen;
    for (const TuneMacro& macro : tune_macros(source)) {
        must(!macro.values.empty(), "a knob has values");
        chosen[macro.name] = macro.values.back();
    }
    (void)apply_tune_to_text(source, chosen);
}

void look_at_regions(const std::string& source) {
    std::size_t end = 0;
    for (const Region& region : marked_regions(source)) {
        must(region.begin >= end && region.end >= region.begin && region.end <= source.size(),
             "regions follow one another inside the source");
        end = region.end;
    }
}

}  // namespace

void source(std::string_view bytes) {
    const std::size_t middle = std::min(bytes.find('\0'), bytes.size());
    Candidate base;
    base.source = bytes.substr(0, middle);
    Candidate partner;
    partner.source = bytes.substr(std::min(middle + 1, bytes.size()));
    for (const Candidate* one : {&base, &partner}) {
        look_at_tokens(one->source);
        look_at_knobs(one->source);
        look_at_regions(one->source);
        (void)normalised_tokens(one->source);
        (void)candidate_key(*one);
        (void)read_parts(Task{}, one->source);
        (void)with_entry_point(Task{}, one->source);
    }
    const auto shared = shared_regions(region_digests(base.source), region_digests(partner.source));
    (void)graft_regions(base, partner, shared);
    const std::string difference = unified_diff(base.source, partner.source);
    must(difference.empty() == (base.source == partner.source), "a diff shows a difference");
}

void compile_log(std::string_view bytes) {
    must(trim_compile_log(bytes, "/job").size() <= k_max_compile_log_bytes, "logs are short");
    (void)resource_complaint(bytes);
}

}  // namespace atl::fuzz
