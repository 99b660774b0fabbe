#include "search/same_names.hpp"

#include <gtest/gtest.h>

#include <string>

namespace atl {
namespace {

bool same(const std::string& a, const std::string& b) {
    return with_numbered_names(a) == with_numbered_names(b);
}

TEST(SameNames, VariablesMayBeCalledAnything) {
    EXPECT_TRUE(
        same("void f(const float* x, float* y, int n) { for (int i = 0; i < n; ++i) "
             "y[i] = x[i]; }",
             "void f(const float* in, float* out, int count) {\n"
             "    for (int k = 0; k < count; ++k) out[k] = in[k];  // copies\n}"));
    EXPECT_TRUE(
        same("__global__ void k(const float* __restrict__ a) { __shared__ float t[32]; "
             "t[0] = a[0]; }",
             "__global__ void k(const float* __restrict__ b) { __shared__ float s[32]; "
             "s[0] = b[0]; }"));
    EXPECT_TRUE(
        same("unsigned long long n = 1; auto m = n;", "unsigned long long a = 1; auto b = a;"));
}

TEST(SameNames, OtherProgramsAreNot) {
    EXPECT_FALSE(same("int a = 1; int b = a;", "int a = 1; int b = b;")) << "another variable";
    EXPECT_FALSE(same("void f(int a, int b) { g(a - b); }", "void f(int a, int b) { g(b - a); }"));
    EXPECT_FALSE(same("int a = 1;", "long a = 1;"));
    EXPECT_FALSE(same("int a = 1;", "int a = 2;"));
    // An inner variable that hides an outer one is not the outer one.
    EXPECT_FALSE(
        same("int a = 1; { int b = 2; g[a] = b; }", "int a = 1; { int a = 2; g[a] = a; }"));
}

// What a name may stand for elsewhere keeps it.
TEST(SameNames, NamesThatMeanSomethingElsewhereCount) {
    EXPECT_FALSE(same("y = expf(x);", "y = logf(x);")) << "functions";
    EXPECT_FALSE(same("float expf = 1; y = expf(2);", "float logf = 1; y = logf(2);"));
    EXPECT_FALSE(same("float4 v = q; y = v.x;", "float4 v = q; y = v.y;")) << "members";
    EXPECT_FALSE(same("float x = 1; y = v.x;", "float z = 1; y = v.z;"));
    EXPECT_FALSE(same("float x = 1; y = p->x;", "float z = 1; y = p->z;"));
    EXPECT_FALSE(same("int a = N;", "int a = M;")) << "what is not declared here";
    EXPECT_FALSE(same("#define A b\nint b = A;", "#define A c\nint c = A;")) << "macros";
    EXPECT_FALSE(same("#pragma unroll N\nint N = 1;", "#pragma unroll M\nint M = 1;"));
    EXPECT_FALSE(same("int N = 1; int z = q::N;", "int M = 1; int z = q::M;"));
    EXPECT_FALSE(same("extern int opterr;", "extern int optind;")) << "the linker's names";
    EXPECT_FALSE(same("extern \"C\" const int a;", "extern \"C\" const int b;"));
    EXPECT_FALSE(same("int f(int a);", "int g(int a);"));
    EXPECT_FALSE(same("goto a; int a = 1;", "goto b; int b = 1;"));
}

TEST(SameNames, WhereTextCountsNothingIsNumbered) {
    EXPECT_FALSE(same("int a = 1; asm(\"mov %[a]\" : : [a] \"r\"(a));",
                      "int b = 1; asm(\"mov %[a]\" : : [a] \"r\"(b));"));
    EXPECT_FALSE(same("#define S(x) #x\nint a = 1;", "#define S(x) #x\nint b = 1;"));
    EXPECT_FALSE(same("#define J(x) x##1\nint a = 1;", "#define J(x) x##1\nint b = 1;"));
    EXPECT_FALSE(same("int a = __LINE__;", "int b = __LINE__;"));
}

TEST(SameNames, TuneMacrosKeepTheirNames) {
    const std::string tile = "#ifndef TILE\n#define TILE 8  // tune: 8, 16\n#endif\nint a[TILE];";
    const std::string size = "#ifndef SIZE\n#define SIZE 8  // tune: 8, 16\n#endif\nint a[SIZE];";
    EXPECT_FALSE(same(tile, size));
}

TEST(SameNames, OddTextsAreTakenAsTheyAre) {
    for (const std::string text :
         {"", "int", "int a", "\x01", "* const", "'", "R\"(", "#", "extern"}) {
        EXPECT_EQ(with_numbered_names(text), with_numbered_names(text)) << text;
    }
}

}  // namespace
}  // namespace atl
