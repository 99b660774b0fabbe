#pragma once

#include "reward/task.hpp"

#include <string>

namespace atl {

/// The argument rule of every C++ candidate: inputs in definition order (tensors as const
/// pointers, scalars by value), then outputs as pointers, then the variable axes as int.
/// Tensors are dense, row-major, do not overlap, and start on a 64-byte boundary.
///
/// E.g. for matmul: `extern "C" void launch(const float* a, const float* b, float* c, int m, int n,
/// int k)`.
[[nodiscard]] std::string launch_prototype(const Task& task);

/// The candidate's source (line numbers kept) followed by a generated entry point
///     extern "C" void atoll_entry(void* const* tensors, const double* scalars,
///                                 const long long* axes)
/// that calls launch() with the right types, so that a wrong signature is a compile error that
/// shows the prototype. `tensors`: tensor inputs, then outputs; `scalars`: one per scalar input;
/// `axes`: the variable axes; each in definition order. launch() needs no C linkage of its own.
[[nodiscard]] std::string with_entry_point(const Task& task, const std::string& source);

/// The same for the oracle: reference.cpp defines
///     extern "C" void reference(<inputs as in launch>, <outputs as double*>, <axes as int>)
/// and accumulates in double; the generated entry point has the same name and signature.
[[nodiscard]] std::string with_reference_entry_point(const Task& task);
[[nodiscard]] std::string reference_prototype(const Task& task);

inline constexpr const char* k_entry_symbol = "atoll_entry";
using NativeFunction = void (*)(void* const* tensors, const double* scalars, const long long* axes);

inline constexpr std::size_t k_tensor_alignment = 64;  ///< bytes

}  // namespace atl
