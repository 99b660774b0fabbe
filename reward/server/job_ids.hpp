#pragma once

#include <array>
#include <cstddef>
#include <string>

namespace atl {

/// Ids that cannot be guessed: 128 bits from OpenSSL's generator, which is asked for many at a time
/// (each question is a system call and some locks). Not thread-safe.
class JobIds {
  public:
    /// "j" and 32 hexadecimal digits. Throws CommandError where the system gives no random numbers.
    [[nodiscard]] std::string next();

  private:
    static constexpr std::size_t k_id_bytes = 16;

    std::array<unsigned char, 256 * k_id_bytes> m_random{};
    std::size_t m_used = sizeof(m_random);
};

}  // namespace atl
