#include "reward/server/job_ids.hpp"

#include "reward/base/error.hpp"

#include <openssl/rand.h>

namespace atl {

std::string JobIds::next() {
    if (m_used == m_random.size()) {
        if (RAND_bytes(m_random.data(), static_cast<int>(m_random.size())) != 1) {
            throw CommandError(3, "the system gives no random numbers");
        }
        m_used = 0;
    }
    constexpr char k_digits[] = "0123456789abcdef";
    std::string id = "j";
    id.reserve(1 + 2 * k_id_bytes);
    for (std::size_t i = 0; i < k_id_bytes; ++i) {
        unsigned char& byte = m_random[m_used++];
        id += k_digits[byte >> 4];
        id += k_digits[byte & 15];
        byte = 0;  // whoever may see this memory learns no id
    }
    return id;
}

}  // namespace atl
