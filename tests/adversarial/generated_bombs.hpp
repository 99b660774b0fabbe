#pragma once

#include "tests/adversarial/candidate_file.hpp"

#include <string>
#include <utility>
#include <vector>

namespace atl::testing {

/// Sources that blow up when they are compiled, or are too large to be kept.
inline std::vector<ListedCandidate> generated_bombs() {
    const std::string prologue = with_headers_inlined(
        "#include \"tests/adversarial/only_in_jail.hpp\"\n"
        "#include \"tests/adversarial/row_mean.hpp\"\n");
    const std::string launch =
        "extern \"C\" void launch(ROW_MEAN_ARGUMENTS) { row_mean(ROW_MEAN_VALUES); }\n";
    const auto bomb = [&](std::string name, const std::string& body, std::set<Outcome> expected) {
        ListedCandidate file;
        file.name = std::move(name);
        file.source = prologue + body + launch;
        file.expected = std::move(expected);
        file.limits = "compile";
        return file;
    };
    std::string macros = "#define A0 1 +\n";
    for (int i = 1; i <= 40; ++i) {
        const std::string below = " A" + std::to_string(i - 1);
        macros += "#define A" + std::to_string(i) + below + below + "\n";
    }
    const std::set<Outcome> ended{Outcome::compile_error, Outcome::compile_limit};
    return {
        bomb("source_of_10_mb", "// " + std::string(10 << 20, 'x') + "\n", {Outcome::rejected}),
        bomb("source_with_nul", std::string("// \0\n", 5), {Outcome::rejected}),
        bomb("macro_bomb", macros + "static long many = A40 0;\n", ended),
        bomb("template_bomb",
             "template <int N, class T> struct Twice {\n"
             "    typedef Twice<N - 1, Twice<N, T[1]>> A;\n"
             "    typedef Twice<N - 1, Twice<N, T[2]>> B;\n"
             "    enum { value = A::value + B::value };\n};\n"
             "template <class T> struct Twice<0, T> { enum { value = 1 }; };\n"
             "static int many = Twice<64, int>::value;\n",
             ended),
        bomb("template_depth_bomb",
             "template <int N> struct Deep { enum { value = Deep<N + 1>::value }; };\n"
             "static int many = Deep<0>::value;\n",
             ended),
        bomb("constant_expression_bomb",
             "constexpr int spin() { unsigned n = 0; for (;;) { ++n; } return n; }\n"
             "static constexpr int many = spin();\n",
             ended),
        bomb("initialiser_bomb", "static int many[1 << 30] = {1};\nint* keep = many;\n", ended),
        bomb("assembler_bomb",
             "asm(\".pushsection .data\\n.rept 1000000000\\n.quad 1\\n.endr\\n.popsection\");\n",
             ended),
        bomb("include_itself", "#include __FILE__\n#include __BASE_FILE__\n", ended),
        bomb("endless_errors",
             "#define E(n) int n = missing_##n;\n"
             "template <class T> void f() { T::a; T::b; T::c; f<T*>(); }\n"
             "void g() { f<int>(); }\n",
             ended),
    };
}

}  // namespace atl::testing
