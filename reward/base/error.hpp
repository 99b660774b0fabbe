#pragma once

#include <tl/expected.hpp>

#include <stdexcept>
#include <string>
#include <utility>

/// `atl`, because the C library already has a function named atoll.
namespace atl {

/// Why an operation failed, in terms a caller can act on.
enum class ErrorCode {
    invalid_argument,  ///< the input is malformed; retrying the same call cannot help
    not_found,
    already_exists,
    permission,
    no_space,  ///< disk, memory or quota is full
    io,        ///< the system refused a read or a write
    corrupt,   ///< stored bytes do not have the form they must have
    too_new,   ///< written by a newer version of Atoll
    limit,     ///< a stated limit was exceeded
    timeout,
    unavailable,  ///< a worker, device or tool is missing or died
    interrupted,
    internal,  ///< a defect of ours
};

[[nodiscard]] const char* to_string(ErrorCode code);

/// An expected failure: what went wrong, where (file:line, key, path), and what to do about it.
struct Error {
    ErrorCode code = ErrorCode::internal;
    std::string what;
    std::string where;
    std::string hint;

    /// One line: "where: what (hint)".
    [[nodiscard]] std::string message() const;
};

template <class T>
using Expected = tl::expected<T, Error>;
using Status = Expected<void>;

/// Shorthand for `return failure(...)` from a function that returns Expected.
[[nodiscard]] inline tl::unexpected<Error> failure(ErrorCode code, std::string what,
                                                   std::string where = {}, std::string hint = {}) {
    return tl::unexpected<Error>(Error{code, std::move(what), std::move(where), std::move(hint)});
}

/// Builds an io / permission / no_space / not_found error from errno, naming the call and path.
[[nodiscard]] Error errno_error(const std::string& call, const std::string& where, int errno_value);

/// Ends the command: thrown at the outermost level only (bad config, disk full). Carries the exit
/// status that main() returns. See tools/atoll/exit_codes.hpp for the statuses.
class CommandError : public std::runtime_error {
  public:
    CommandError(int exit_status, const std::string& message)
        : std::runtime_error(message), m_exit_status(exit_status) {}
    explicit CommandError(const Error& error) : CommandError(2, error.message()) {}
    [[nodiscard]] int exit_status() const { return m_exit_status; }

  private:
    int m_exit_status;
};

/// Unwraps, or throws CommandError with the error's message.
template <class T>
T value_or_throw(Expected<T> expected) {
    if (!expected) {
        throw CommandError(expected.error());
    }
    if constexpr (!std::is_void_v<T>) {
        return std::move(*expected);
    }
}

}  // namespace atl

#define ATOLL_CONCAT_INNER(a, b) a##b
#define ATOLL_CONCAT(a, b) ATOLL_CONCAT_INNER(a, b)

/// Returns the error of `expression` (an Expected) from the enclosing function, if it has one.
#define ATOLL_TRY(expression)                                              \
    do {                                                                   \
        if (auto atoll_try_result = (expression); !atoll_try_result) {     \
            return tl::unexpected<::atl::Error>(atoll_try_result.error()); \
        }                                                                  \
    } while (false)

/// `ATOLL_TRY_ASSIGN(auto x, f());` declares x from the value of f(), or returns f()'s error.
#define ATOLL_TRY_ASSIGN(declaration, expression)                                        \
    auto ATOLL_CONCAT(atoll_try_, __LINE__) = (expression);                              \
    if (!ATOLL_CONCAT(atoll_try_, __LINE__)) {                                           \
        return tl::unexpected<::atl::Error>(ATOLL_CONCAT(atoll_try_, __LINE__).error()); \
    }                                                                                    \
    declaration = std::move(*ATOLL_CONCAT(atoll_try_, __LINE__))
