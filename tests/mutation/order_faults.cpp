#include "tests/mutation/fault_sites.hpp"

namespace atl::mutation {

namespace {

bool is_integer(const ProgramText& program, std::size_t at) {
    const DeclaredType type = program.type_of(program.text(at, at), at);
    return type.stars == 0 && (type.base == "int" || type.base == "long");
}

/// a - b -> b - a, and so on for operators that do not commute.
void find_swapped_sides(const ProgramText& program, std::size_t at, FaultSites& sites) {
    if (!program.is_one_of(at, {"-", "/", "%"}) || !program.is_binary(at)) {
        return;
    }
    const std::size_t left = program.primary_begin(at - 1);
    const std::size_t right = program.primary_end(at + 1);
    if (left == k_nowhere || right == k_nowhere) {
        return;
    }
    const std::string first = program.text(left, at - 1);
    const std::string second = program.text(at + 1, right);
    if (first != second) {
        sites.add(left, right, second + " " + program.text(at, at) + " " + first);
    }
}

/// f(a, b) -> f(b, a) where both are names of one type.
void find_swapped_arguments(const ProgramText& program, std::size_t at, FaultSites& sites) {
    if (!program.is(at, ",") || !program.is_one_of(at - 2, {"(", ","}) ||
        !program.is_one_of(at + 2, {")", ","}) || !program.is_word(at - 1) ||
        !program.is_word(at + 1)) {
        return;
    }
    const std::string first = program.text(at - 1, at - 1);
    const std::string second = program.text(at + 1, at + 1);
    const DeclaredType left = program.type_of(first, at);
    const DeclaredType right = program.type_of(second, at);
    const bool same = left.base == right.base && left.stars == right.stars && !left.base.empty();
    if (same && first != second) {
        sites.add(at - 1, at + 1, second + ", " + first);
    }
}

/// i * n + j -> j * n + i where all three are integers.
void find_swapped_indices(const ProgramText& program, std::size_t at, FaultSites& sites) {
    const bool pattern = program.is(at, "*") && program.is(at + 2, "+") &&
                         program.is_word(at - 1) && program.is_word(at + 1) &&
                         program.is_word(at + 3) && program.primary_end(at + 3) == at + 3 &&
                         !program.is_one_of(at - 2, {".", "->", "*", "/", "%", "-"}) &&
                         !program.is_one_of(at + 4, {"*", "/", "%", "++"});
    if (pattern && is_integer(program, at - 1) && is_integer(program, at + 1) &&
        is_integer(program, at + 3)) {
        sites.add(at - 1, at + 3,
                  program.text(at + 3, at + 3) + " * " + program.text(at + 1, at + 1) + " + " +
                      program.text(at - 1, at - 1));
    }
}

struct ForLoop {
    std::size_t condition = 0;  ///< first token
    std::size_t semicolon = 0;  ///< after the condition
    bool no_start = false;      ///< for (; ...
    bool by_one = false;        ///< ...; ++i)
};

bool read_for(const ProgramText& program, std::size_t at, ForLoop& loop) {
    if (!program.is(at, "for") || !program.is(at + 1, "(")) {
        return false;
    }
    const std::size_t first = program.find_end(at + 2, {";"});
    const std::size_t second = program.is(first, ";") ? program.find_end(first + 1, {";"}) : 0;
    if (!program.is(second, ";") || second == first + 1) {
        return false;  // a range, or no condition
    }
    loop = {first + 1, second, first == at + 2, program.is(second + 1, "++")};
    return true;
}

/// The < of the condition, when it is `name < limit` and nothing else.
std::size_t plain_comparison(const ProgramText& program, const ForLoop& loop) {
    const std::size_t less = loop.condition + 1;
    const bool plain = program.is_word(loop.condition) && program.is(less, "<") &&
                       program.find_end(less + 1, {"&&", "||", ";"}) == loop.semicolon;
    return plain ? less : k_nowhere;
}

void find_missing_rests(const ProgramText& program, std::size_t at, FaultSites& sites) {
    ForLoop loop;
    if (!read_for(program, at, loop)) {
        return;
    }
    const std::size_t less = plain_comparison(program, loop);
    if (less == k_nowhere) {
        return;
    }
    if (loop.no_start) {
        sites.add(loop.condition, loop.semicolon - 1, "false");
        return;
    }
    const std::string limit = program.text(less + 1, loop.semicolon - 1);
    const bool one_name = less + 2 == loop.semicolon;
    const bool variable =
        one_name && is_integer(program, less + 1) && !program.type_of(limit, less).constant;
    if (loop.by_one && variable) {
        sites.add(less + 1, loop.semicolon - 1, limit + " / 4 * 4");
    }
}

/// a < b ? a : b, one of them a remainder like n - i: the clipped block gets no elements.
void find_empty_rests(const ProgramText& program, std::size_t at, FaultSites& sites) {
    if (!program.is(at, "?")) {
        return;
    }
    const std::size_t colon = program.find_end(at + 1, {":", ";", ","});
    if (!program.is(colon, ":")) {
        return;
    }
    const std::size_t end = program.find_end(colon + 1, {";", ",", ":"});
    const std::string yes = program.text(at + 1, colon - 1);
    const std::string no = program.text(colon + 1, end - 1);
    const auto is_rest = [](const std::string& text) {
        return text.find(" - ") != std::string::npos;
    };
    const auto compared = [&](const std::string& side, std::size_t tokens) {
        return tokens < at && program.text(at - tokens, at - 1) == side &&
               program.is_one_of(at - tokens - 1, {"<", "<=", ">", ">="});
    };
    const bool clips = compared(yes, colon - at - 1) || compared(no, end - colon - 1);
    if (!clips || is_rest(yes) == is_rest(no)) {
        return;
    }
    if (is_rest(yes)) {
        sites.add(at + 1, colon - 1, "0");
    } else {
        sites.add(colon + 1, end - 1, "0");
    }
}

}  // namespace

void find_swapped_operands(const ProgramText& program, FaultSites& sites) {
    for (std::size_t i = 2; i + 1 < program.size(); ++i) {
        find_swapped_sides(program, i, sites);
        find_swapped_arguments(program, i, sites);
        find_swapped_indices(program, i, sites);
    }
}

void find_missing_tails(const ProgramText& program, FaultSites& sites) {
    for (std::size_t i = 1; i + 1 < program.size(); ++i) {
        find_missing_rests(program, i, sites);
        find_empty_rests(program, i, sites);
    }
}

}  // namespace atl::mutation
