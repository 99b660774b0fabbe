#pragma once

#include <cstdio>
#include <functional>
#include <string>

namespace atl {

/// How a compilation begins before there is a source: NVRTC opens what a program includes by
/// fopen(), in the thread that compiles. Whatever it does before that (start, precompiled headers:
/// a fifth of a small compilation) is done when a source comes to be known.

/// From here on in this process, open_file() of `path` is what `source` returns, which may take its
/// time. NVRTC then asks the kernel for what is there: it must be a regular file.
void promise_source(std::string path, std::function<std::FILE*()> source);

/// To be what fopen() is to the libraries of a program (see nvrtc_mapping.cpp): the C library's,
/// but for that one name once it is promised.
[[nodiscard]] std::FILE* open_file(const char* path, const char* mode) noexcept;

}  // namespace atl
