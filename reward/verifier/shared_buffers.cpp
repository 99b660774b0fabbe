#include "reward/verifier/shared_buffers.hpp"

#include "reward/base/memory_info.hpp"
#include "reward/launch_contract.hpp"
#include "reward/verifier/cache_flush.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <numeric>
#include <optional>
#include <string>
#include <utility>

namespace atl {

namespace {

std::uint64_t round_up(std::uint64_t value, std::uint64_t step) {
    return (value + step - 1) / step * step;
}

bool all_equal(std::span<const std::byte> bytes, std::byte value) {
    return std::all_of(bytes.begin(), bytes.end(), [&](std::byte b) { return b == value; });
}

}  // namespace

Expected<SharedMemory> SharedMemory::create(const char* name, std::uint64_t bytes) {
    FileHandle file(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!file) {
        return tl::unexpected(errno_error("memfd_create", name, errno));
    }
    if (ftruncate(file.get(), static_cast<off_t>(bytes)) != 0) {
        return tl::unexpected(errno_error("ftruncate", name, errno));
    }
    // A candidate that shrank a buffer would end the verifier with SIGBUS.
    if (fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
        return tl::unexpected(errno_error("fcntl(F_ADD_SEALS)", name, errno));
    }
    void* data =
        mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file.get(), 0);
    if (data == MAP_FAILED) {
        return tl::unexpected(errno_error("mmap", name, errno));
    }
    return SharedMemory(std::move(file), static_cast<std::byte*>(data), bytes);
}

SharedMemory::~SharedMemory() {
    if (m_data != nullptr) {
        munmap(m_data, m_size);
    }
}

SharedMemory::SharedMemory(SharedMemory&& other) noexcept
    : m_file(std::move(other.m_file)),
      m_data(std::exchange(other.m_data, nullptr)),
      m_size(std::exchange(other.m_size, 0)) {}

SharedMemory& SharedMemory::operator=(SharedMemory&& other) noexcept {
    std::swap(m_file, other.m_file);
    std::swap(m_data, other.m_data);
    std::swap(m_size, other.m_size);
    return *this;
}

Expected<SharedBuffers> SharedBuffers::create(const std::vector<std::uint64_t>& tensor_bytes,
                                              int slots) {
    const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    const std::uint64_t needed =
        static_cast<std::uint64_t>(slots) *
        std::accumulate(tensor_bytes.begin(), tensor_bytes.end(), std::uint64_t{0});
    ATOLL_TRY(check_memory(needed, "the buffers"));
    std::vector<SharedMemory> memory;
    for (int slot = 0; slot < slots; ++slot) {
        for (const std::uint64_t bytes : tensor_bytes) {
            ATOLL_TRY_ASSIGN(
                auto one,
                SharedMemory::create("tensor", round_up(std::max<std::uint64_t>(bytes, 1), page)));
            memory.push_back(std::move(one));
        }
    }
    return SharedBuffers(std::move(memory), tensor_bytes.size(), slots);
}

std::uint64_t SharedBuffers::offset(int slot, std::size_t tensor, std::uint64_t bytes,
                                    Placement placement) const {
    if (placement == Placement::start) {
        return 0;
    }
    return memory(slot, tensor).bytes().size() - round_up(bytes, k_tensor_alignment);
}

std::span<std::byte> SharedBuffers::place(int slot, std::size_t tensor, std::uint64_t bytes,
                                          Placement placement) const {
    return memory(slot, tensor).bytes().subspan(offset(slot, tensor, bytes, placement), bytes);
}

void SharedBuffers::scrub() {
    CacheFlusher past_the_caches(0);
    for (const SharedMemory& one : m_memory) {
        past_the_caches.fill(one.bytes(), k_canary);
    }
    past_the_caches.finish();
}

SharedBuffers::Slack SharedBuffers::slack(int slot, std::size_t tensor, std::uint64_t bytes,
                                          Placement placement) const {
    const std::span<std::byte> all = memory(slot, tensor).bytes();
    const std::uint64_t begin = offset(slot, tensor, bytes, placement);
    const std::uint64_t end = begin + bytes;
    const std::uint64_t before = std::min<std::uint64_t>(begin, k_canary_bytes);
    const std::uint64_t after = std::min<std::uint64_t>(all.size() - end, k_canary_bytes);
    return {all.subspan(begin - before, before), all.subspan(end, after)};
}

void SharedBuffers::arm_canaries(int slot, std::size_t tensor, std::uint64_t bytes,
                                 Placement placement, std::byte canary) const {
    const Slack around = slack(slot, tensor, bytes, placement);
    std::fill(around.before.begin(), around.before.end(), canary);
    std::fill(around.after.begin(), around.after.end(), canary);
}

bool SharedBuffers::canaries_intact(int slot, std::size_t tensor, std::uint64_t bytes,
                                    Placement placement, std::byte canary) const {
    const Slack around = slack(slot, tensor, bytes, placement);
    return all_equal(around.before, canary) && all_equal(around.after, canary);
}

Status check_memory(std::uint64_t needed, const std::string& what) {
    const std::optional<std::uint64_t> available = memory_info_bytes("MemAvailable");
    if (available && needed > *available / 10 * 9) {
        return failure(ErrorCode::no_space,
                       what + " need " + std::to_string(needed >> 20) + " MiB, " +
                           std::to_string(*available >> 20) + " MiB are free",
                       "verifier", "use smaller workloads");
    }
    return {};
}

std::byte poison_of(DType dtype) {
    switch (dtype) {
        case DType::f64:
        case DType::f32:
        case DType::f16:
        case DType::bf16:
        case DType::f8e4m3:
            return std::byte{0xFF};
        default:
            return std::byte{0xA5};
    }
}

bool is_poison(DType dtype, std::span<const std::byte> values, std::int64_t index) {
    const std::byte poison = poison_of(dtype);
    const std::size_t width = size_of(dtype);
    const std::size_t begin = static_cast<std::size_t>(index) * width;
    return poison == std::byte{0xFF} && index >= 0 && begin + width <= values.size() &&
           all_equal(values.subspan(begin, width), poison);
}

}  // namespace atl
