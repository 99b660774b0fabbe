# One INTERFACE target carries the warnings; every target of ours links it privately.
add_library(atoll_warnings INTERFACE)
target_compile_options(atoll_warnings INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # False alarms of -Wrestrict on "text" + std::string at -O3: GCC bug 105651, fixed in 13.
    target_compile_options(atoll_warnings INTERFACE -Wno-restrict)
endif()
if(ATOLL_WERROR)
    target_compile_options(atoll_warnings INTERFACE -Werror)
endif()
if(CMAKE_CXX_FLAGS MATCHES "fsanitize=thread")
    # Asio uses atomic_thread_fence, which GCC's thread sanitizer only warns about.
    target_compile_options(atoll_warnings INTERFACE -Wno-tsan)
    # And g++ 12 takes Asio's own operator delete of coroutines for a mismatched one.
    target_compile_options(atoll_warnings INTERFACE
        $<$<CXX_COMPILER_ID:GNU>:-Wno-mismatched-new-delete>)
endif()
# Under a sanitizer g++ 12 sees uninitialised members inside of std::regex (GCC's manual says that
# sanitizers make such false warnings more frequent).
if(CMAKE_CXX_FLAGS MATCHES "-fsanitize=")
    target_compile_options(atoll_warnings INTERFACE
        $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
endif()
