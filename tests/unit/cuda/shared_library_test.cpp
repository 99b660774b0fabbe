#include "reward/cuda/shared_library.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace atl {
namespace {

TEST(SharedLibrary, CallsAFunctionOfALibraryThatTheLinkerFinds) {
    const Expected<SharedLibrary> library = SharedLibrary::open("libm.so.6");
    ASSERT_TRUE(library) << library.error().message();
    EXPECT_TRUE(library->path().starts_with("/") && library->path().ends_with("/libm.so.6"))
        << library->path();
    double (*cosine)(double) = nullptr;
    const Status loaded = library->load("cos", cosine);
    ASSERT_TRUE(loaded) << loaded.error().message();
    EXPECT_EQ(cosine(0), 1);
}

TEST(SharedLibrary, ALibraryThatIsNotThereIsNotFound) {
    EXPECT_EQ(SharedLibrary::open("libof_nobody.so.7").error().code, ErrorCode::not_found);
}

TEST(SharedLibrary, WhatIsNoLibraryIsUnavailable) {
    const Expected<SharedLibrary> library = SharedLibrary::open("/etc/passwd");
    ASSERT_FALSE(library);
    EXPECT_EQ(library.error().code, ErrorCode::unavailable);
    EXPECT_EQ(library.error().where, "/etc/passwd");
}

TEST(SharedLibrary, AFunctionThatIsNotInItIsNamed) {
    const Expected<SharedLibrary> library = SharedLibrary::open("libm.so.6");
    ASSERT_TRUE(library);
    int (*function)() = nullptr;
    const Status loaded = library->load("atoll_has_no_such", function);
    ASSERT_FALSE(loaded);
    EXPECT_NE(loaded.error().message().find("atoll_has_no_such"), std::string::npos);
    EXPECT_EQ(function, nullptr);
}

}  // namespace
}  // namespace atl
