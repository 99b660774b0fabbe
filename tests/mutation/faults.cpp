#include "tests/mutation/faults.hpp"

#include "tests/mutation/fault_sites.hpp"

#include <algorithm>

namespace atl::mutation {

namespace {

constexpr std::size_t k_shown_characters = 70;

std::string shortened(std::string text) {
    std::string line;
    for (const char c : text) {
        const bool space = c == ' ' || c == '\n';
        if (!space || (!line.empty() && line.back() != ' ')) {
            line += space ? ' ' : c;
        }
    }
    return line.size() <= k_shown_characters ? line : line.substr(0, k_shown_characters) + "...";
}

/// Whether the bracket at `open` belongs to a declaration: float sums[4], or Vec (&sums)[4].
bool declares_array(const ProgramText& program, std::size_t open) {
    std::size_t at = open - 1;
    while (program.is(at, "]") && program.partner(at) != k_nowhere && program.partner(at) > 0) {
        at = program.partner(at) - 1;
    }
    if (program.is(at, ")")) {
        return program.is(program.partner(at) + 1, "&");
    }
    return at > 0 && (program.is_word(at - 1) || program.is_angle(at - 1));
}

void find_index_faults(const ProgramText& program, FaultSites& sites) {
    const auto shifted = [&](std::size_t first, std::size_t last) {
        const char* shift = sites.count() % 2 == 0 ? ") + 1" : ") - 1";
        sites.add(first, last, "(" + program.text(first, last) + shift);
    };
    for (std::size_t i = 1; i < program.size(); ++i) {
        const std::size_t close = program.partner(i);
        if (close == k_nowhere || close <= i + 1) {
            continue;
        }
        const bool subscript = program.is(i, "[") && !program.is(i + 1, "[") &&
                               (program.is_word(i - 1) || program.is_one_of(i - 1, {"]", ")"})) &&
                               !declares_array(program, i);
        const bool pointer_cast = program.is(i, "(") && program.is_angle(i - 1) &&
                                  program.is(i - 2, "*") && !program.is(i + 1, "&");
        if (subscript || pointer_cast) {
            shifted(i + 1, close - 1);
        }
    }
}

void find_boundary_faults(const ProgramText& program, FaultSites& sites) {
    for (std::size_t i = 1; i < program.size(); ++i) {
        if (program.is_one_of(i, {"<", "<=", ">", ">="}) && program.is_binary(i)) {
            const std::string text = program.text(i, i);
            sites.add(i, i, text.size() == 1 ? text + "=" : text.substr(0, 1));
        } else if (program.is(i, "for") && program.is(i + 1, "(")) {
            const std::size_t end = program.find_end(i + 2, {";"});
            if (program.is(end, ";") && program.is(end - 1, "0") && program.is(end - 2, "=")) {
                sites.add(end - 1, end - 1, "1");
            }
        }
    }
}

void find_dropped_terms(const ProgramText& program, FaultSites& sites) {
    for (std::size_t i = 1; i < program.size(); ++i) {
        if (program.is_one_of(i, {"+", "-"}) && program.is_binary(i)) {
            const std::size_t end =
                program.find_end(i + 2, {"+", "-", "<", ">", "<=", ">=", "==", "!=", "&&", "||",
                                         "?", ":", ";", ",", "<<", ">>", "&",  "|",  "^",  "="});
            sites.add(i, end - 1, "");
        } else if (program.is_one_of(i, {"+=", "-="})) {
            const std::size_t begin = program.primary_begin(i - 1);
            const std::size_t end = program.find_end(i + 1, {";", ","});
            const bool whole = begin != k_nowhere && begin > 0 && program.is(end, ";") &&
                               program.is_one_of(begin - 1, {";", "{", "}", ")", "else"});
            if (whole) {
                sites.add(begin, end, ";");
            }
        }
    }
}

}  // namespace

std::string_view to_string(FaultClass fault) {
    switch (fault) {
        case FaultClass::index_off_by_one:
            return "index off by one";
        case FaultClass::wrong_boundary:
            return "wrong boundary";
        case FaultClass::dropped_term:
            return "dropped term";
        case FaultClass::precision_downgrade:
            return "precision downgrade";
        case FaultClass::swapped_operands:
            return "swapped operands";
        case FaultClass::missing_tail:
            return "missing tail";
    }
    return "";
}

void FaultSites::add(std::size_t first, std::size_t last, const std::string& by,
                     const std::string& prelude) {
    if (first > last || last >= m_program.size()) {
        return;  // the text is cut off here
    }
    m_mutants.push_back({m_fault, m_program.line(first), shortened(m_program.text(first, last)),
                         shortened(by), prelude + m_program.replaced(first, last, by)});
}

std::vector<Mutant> faults_of(const ProgramText& program, FaultClass fault) {
    FaultSites sites(program, fault);
    switch (fault) {
        case FaultClass::index_off_by_one:
            find_index_faults(program, sites);
            break;
        case FaultClass::wrong_boundary:
            find_boundary_faults(program, sites);
            break;
        case FaultClass::dropped_term:
            find_dropped_terms(program, sites);
            break;
        case FaultClass::precision_downgrade:
            find_precision_downgrades(program, sites);
            break;
        case FaultClass::swapped_operands:
            find_swapped_operands(program, sites);
            break;
        case FaultClass::missing_tail:
            find_missing_tails(program, sites);
            break;
    }
    return sites.take();
}

std::vector<Mutant> chosen_mutants(const std::string& source, std::size_t per_class) {
    const ProgramText program(source);
    std::vector<Mutant> chosen;
    for (const FaultClass fault : k_fault_classes) {
        std::vector<Mutant> all = faults_of(program, fault);
        const std::size_t count = std::min(all.size(), per_class);
        for (std::size_t i = 0; i < count; ++i) {
            chosen.push_back(std::move(all[(2 * i + 1) * all.size() / (2 * count)]));
        }
    }
    return chosen;
}

}  // namespace atl::mutation
