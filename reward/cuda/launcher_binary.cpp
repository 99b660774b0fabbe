#include "reward/cuda/launcher_binary.hpp"

#include <elf.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

namespace atl {

namespace {

constexpr std::uint64_t k_most_variable_bytes = 1u << 20;
constexpr std::uint16_t k_most_headers = 64;
/// Of clang's own: the registration of kernels.
constexpr std::uint64_t k_own_constructors = 1;
/// How clang calls what runs before there is a launch: without it, variables begin as constants.
constexpr std::array<std::string_view, 3> k_initialisers{"_GLOBAL__sub_I", "_GLOBAL__I_",
                                                         "__cxx_global_var_init"};
constexpr std::array<std::string_view, 12> k_keepers{
    "rand",   "srand",  "random", "srandom",   "drand48",         "srand48",
    "setenv", "putenv", "strtok", "setlocale", "set_new_handler", "__cxa_thread_atexit"};

template <class Item>
std::optional<Item> item_at(std::string_view bytes, std::uint64_t at) {
    Item item{};
    if (at > bytes.size() || bytes.size() - at < sizeof(item)) {
        return std::nullopt;
    }
    std::memcpy(&item, bytes.data() + at, sizeof(item));
    return item;
}

bool names(std::string_view binary, std::string_view function) {
    const std::string in_table = '\0' + std::string(function) + '\0';
    return binary.find(in_table) != std::string_view::npos;
}

/// How many functions the loader calls; nullopt when the section does not fit.
std::optional<std::uint64_t> constructors(std::string_view binary, const Elf64_Phdr& dynamic) {
    std::uint64_t count = 0;
    for (std::uint64_t i = 0; i < dynamic.p_filesz / sizeof(Elf64_Dyn); ++i) {
        const auto entry = item_at<Elf64_Dyn>(binary, dynamic.p_offset + i * sizeof(Elf64_Dyn));
        if (!entry) {
            return std::nullopt;
        }
        if (entry->d_tag == DT_NULL) {
            break;
        }
        count += entry->d_tag == DT_INIT || entry->d_tag == DT_PREINIT_ARRAY ? 2 : 0;
        count += entry->d_tag == DT_INIT_ARRAYSZ ? entry->d_un.d_val / sizeof(void*) : 0;
    }
    return count;
}

}  // namespace

bool can_start_afresh(std::string_view binary) {
    const auto head = item_at<Elf64_Ehdr>(binary, 0);
    if (!head || std::memcmp(head->e_ident, ELFMAG, SELFMAG) != 0 ||
        head->e_ident[EI_CLASS] != ELFCLASS64 || head->e_phentsize != sizeof(Elf64_Phdr) ||
        head->e_phnum > k_most_headers) {
        return false;
    }
    std::uint64_t variable_bytes = 0;
    std::uint64_t called = k_own_constructors + 1;  // without a table nothing is known
    for (std::uint64_t i = 0; i < head->e_phnum; ++i) {
        const auto part = item_at<Elf64_Phdr>(binary, head->e_phoff + i * sizeof(Elf64_Phdr));
        if (!part || part->p_type == PT_TLS) {
            return false;
        }
        if (part->p_type == PT_LOAD && (part->p_flags & PF_W) != 0) {
            if (part->p_memsz > k_most_variable_bytes) {
                return false;
            }
            variable_bytes += part->p_memsz;
        }
        if (part->p_type == PT_DYNAMIC) {
            called = constructors(binary, *part).value_or(called);
        }
    }
    const auto is_in = [&](std::string_view name) {
        return binary.find(name) != std::string_view::npos;
    };
    return variable_bytes <= k_most_variable_bytes && called <= k_own_constructors &&
           std::none_of(k_initialisers.begin(), k_initialisers.end(), is_in) &&
           std::none_of(k_keepers.begin(), k_keepers.end(),
                        [&](std::string_view keeper) { return names(binary, keeper); });
}

}  // namespace atl
