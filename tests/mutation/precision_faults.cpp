#include "tests/mutation/fault_sites.hpp"

#include <array>

namespace atl::mutation {

namespace {

/// atoll_fewer_bits_of(value, BITS) keeps BITS bits of the significand of floats, doubles and
/// vectors of floats (8: bfloat16, 11: half, 24: float) and leaves integers alone. Written without
/// headers, and without names that a candidate's macros could have.
const std::string k_fewer_bits = R"(
static inline float atoll_fewer_bits_of(float value, int bits) {
    unsigned word;
    __builtin_memcpy(&word, &value, sizeof word);
    const unsigned lost = 1U << (24 - bits);
    word = (word + lost / 2) / lost * lost;
    __builtin_memcpy(&value, &word, sizeof word);
    return value;
}
static inline double atoll_fewer_bits_of(double value, int bits) {
    return bits == 24 ? static_cast<float>(value)
                      : atoll_fewer_bits_of(static_cast<float>(value), bits);
}
static inline int atoll_fewer_bits_of(int value, int) { return value; }
static inline long atoll_fewer_bits_of(long value, int) { return value; }
template <class Vector, class = decltype(Vector{}[0])>
static inline Vector atoll_fewer_bits_of(Vector value, int bits) {
    for (unsigned lane = 0; lane < sizeof(value) / sizeof(value[0]); ++lane) {
        value[lane] = atoll_fewer_bits_of(static_cast<decltype(value[0] + 0)>(value[lane]), bits);
    }
    return value;
}
)";

/// What the expression that ends before the assignment at `at` names: the base type of a float, a
/// double or a vector of floats; empty: anything else.
std::string assigned_type(const ProgramText& program, std::size_t at) {
    const std::size_t begin = program.primary_begin(at - 1);
    if (begin == k_nowhere) {
        return "";
    }
    const bool dereferenced = begin >= 2 && program.is(begin - 1, "*") &&
                              program.is_one_of(begin - 2, {";", "{", "}", ")", "else"});
    if (program.is(begin, "reinterpret_cast")) {
        const std::size_t type = program.is(begin + 2, "const") ? begin + 3 : begin + 2;
        return dereferenced ? program.text(type, type) : "";
    }
    const DeclaredType type = program.type_of(program.text(begin, begin), at);
    const bool element = dereferenced || program.is(at - 1, "]");
    const bool value = type.stars == 0 || (type.stars == 1 && element);
    // What is declared here as a pointer is given an address.
    return value && !type.constant && program.is_floating(type.base) ? type.base : "";
}

bool is_literal(const ProgramText& program, std::size_t first, std::size_t last) {
    return program.is(first, "{") || (first == last && program.is_number(first));
}

}  // namespace

void find_precision_downgrades(const ProgramText& program, FaultSites& sites) {
    std::size_t rounded = 0;
    for (std::size_t i = 1; i < program.size(); ++i) {
        if (program.is(i, "double") && !program.is_one_of(i + 1, {"&", "*"})) {
            sites.add(i, i, "float");
        }
        if (!program.is_one_of(i, {"=", "+=", "-=", "*="})) {
            continue;
        }
        const std::string type = assigned_type(program, i);
        const std::size_t end = program.find_end(i + 1, {";", ","});
        if (type.empty() || !program.is(end, ";") || is_literal(program, i + 1, end - 1) ||
            !program.is_floating(type)) {
            continue;
        }
        constexpr std::array<const char*, 2> k_bits = {"8", "11"};
        const std::string bits = type == "double" ? "24" : k_bits[rounded++ % k_bits.size()];
        sites.add(i + 1, end - 1,
                  "atoll_fewer_bits_of(" + program.text(i + 1, end - 1) + ", " + bits + ")",
                  k_fewer_bits);
    }
}

}  // namespace atl::mutation
