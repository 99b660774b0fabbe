#include "reward/workers/variable_snapshot.hpp"

#include <link.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace atl {

namespace {

struct Range {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    [[nodiscard]] bool holds(std::uintptr_t address) const {
        return address >= begin && address < end;
    }
};

struct Writable {
    std::uintptr_t function = 0;
    std::vector<Range> ranges;
};

Range range_of(const dl_phdr_info& info, const ElfW(Phdr) & part) {
    const std::uintptr_t begin = info.dlpi_addr + part.p_vaddr;
    return {begin, begin + part.p_memsz};
}

int find_writable(dl_phdr_info* info, std::size_t /*size*/, void* argument) {
    auto& wanted = *static_cast<Writable*>(argument);
    std::vector<Range> ranges;
    Range sealed;
    bool found = false;
    for (int i = 0; i < info->dlpi_phnum; ++i) {
        const ElfW(Phdr)& part = info->dlpi_phdr[i];
        const Range range = range_of(*info, part);
        if (part.p_type == PT_GNU_RELRO) {
            sealed = range;
        } else if (part.p_type == PT_LOAD) {
            found = found || range.holds(wanted.function);
            if ((part.p_flags & PF_W) != 0) {
                ranges.push_back(range);
            }
        }
    }
    if (!found) {
        return 0;
    }
    const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    for (Range& range : ranges) {
        // The linker puts what is sealed after relocation at the beginning of one.
        if (range.holds(sealed.begin)) {
            range.begin = std::min(range.end, sealed.end / page * page);
        }
    }
    wanted.ranges = std::move(ranges);
    return 1;
}

}  // namespace

VariableSnapshot VariableSnapshot::of(const void* function) {
    Writable wanted{reinterpret_cast<std::uintptr_t>(function), {}};
    dl_iterate_phdr(find_writable, &wanted);
    VariableSnapshot snapshot;
    for (const Range& range : wanted.ranges) {
        auto* const begin = reinterpret_cast<std::byte*>(range.begin);  // NOLINT: the loader's word
        snapshot.m_parts.push_back({begin, {begin, begin + (range.end - range.begin)}});
    }
    return snapshot;
}

void VariableSnapshot::restore() const {
    for (const Part& part : m_parts) {
        std::memcpy(part.begin, part.bytes.data(), part.bytes.size());
    }
}

}  // namespace atl
