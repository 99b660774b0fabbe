#pragma once

/// For tests of memory limits and of how candidates die: a sanitizer's runtime maps terabytes, so
/// no address space limit is set under one, and it may end a process its own way.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
namespace atl::testing {
inline constexpr bool k_under_sanitizer = true;
}
#define ATOLL_SKIP_UNDER_SANITIZER() GTEST_SKIP() << "no address space limits under a sanitizer"
#else
namespace atl::testing {
inline constexpr bool k_under_sanitizer = false;
}
#define ATOLL_SKIP_UNDER_SANITIZER() static_cast<void>(0)
#endif

/// For tests of what needs namespaces or an undisturbed abort(): ThreadSanitizer runs a thread of
/// its own, and a process with threads cannot enter a user namespace.
#if defined(__SANITIZE_THREAD__)
#define ATOLL_SKIP_UNDER_TSAN() GTEST_SKIP() << "no namespaces under ThreadSanitizer"
#else
#define ATOLL_SKIP_UNDER_TSAN() static_cast<void>(0)
#endif
