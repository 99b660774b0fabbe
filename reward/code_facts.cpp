#include "reward/code_facts.hpp"

#include <elf.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>

namespace atl {

namespace {

constexpr std::uint16_t k_machine_cuda = 190;
constexpr std::size_t k_max_sections = 1u << 16;
constexpr std::size_t k_instruction_bytes = 16;

template <class Record>
std::optional<Record> record_at(std::string_view bytes, std::uint64_t offset) {
    if (offset > bytes.size() || bytes.size() - offset < sizeof(Record)) {
        return std::nullopt;
    }
    Record record;
    std::memcpy(&record, bytes.data() + offset, sizeof(record));
    return record;
}

struct Section {
    Elf64_Shdr header{};
    std::string_view name;
    std::string_view content;  ///< empty where it is not in the file
};

std::string_view part_of(std::string_view bytes, const Elf64_Shdr& header) {
    const bool inside = header.sh_type != SHT_NOBITS && header.sh_offset <= bytes.size() &&
                        header.sh_size <= bytes.size() - header.sh_offset;
    return inside ? bytes.substr(header.sh_offset, header.sh_size) : std::string_view{};
}

/// Nothing for what is no 64-bit ELF file.
std::vector<Section> sections_of(std::string_view bytes) {
    const auto head = record_at<Elf64_Ehdr>(bytes, 0);
    if (!head || std::memcmp(head->e_ident, ELFMAG, SELFMAG) != 0 ||
        head->e_ident[EI_CLASS] != ELFCLASS64 || head->e_shentsize != sizeof(Elf64_Shdr) ||
        head->e_shnum > k_max_sections) {
        return {};
    }
    std::vector<Section> sections;
    for (std::uint64_t i = 0; i < head->e_shnum; ++i) {
        const auto header = record_at<Elf64_Shdr>(bytes, head->e_shoff + i * sizeof(Elf64_Shdr));
        if (!header) {
            return {};
        }
        sections.push_back({*header, {}, part_of(bytes, *header)});
    }
    if (head->e_shstrndx >= sections.size()) {
        return {};
    }
    const std::string_view names = sections[head->e_shstrndx].content;
    for (Section& section : sections) {
        if (section.header.sh_name < names.size()) {
            const std::string_view rest = names.substr(section.header.sh_name);
            section.name = rest.substr(0, rest.find('\0'));
        }
    }
    return sections;
}

double imports_of(const Section& symbols) {
    double imports = 0;
    for (std::uint64_t at = 0;; at += sizeof(Elf64_Sym)) {
        const auto symbol = record_at<Elf64_Sym>(symbols.content, at);
        if (!symbol) {
            return imports;
        }
        const bool function = ELF64_ST_TYPE(symbol->st_info) == STT_FUNC;
        const bool strong = ELF64_ST_BIND(symbol->st_info) == STB_GLOBAL;  // weak: of the start-up
        imports += symbol->st_shndx == SHN_UNDEF && function && strong ? 1 : 0;
    }
}

// ---- instructions of a GPU

/// The lowest nine bits of an instruction.
enum class Fact { none, fill, tensor, load, load_256, shared, async_copy, barrier, warp, atomic };

Fact fact_of(std::uint32_t operation) {
    switch (operation) {
        case 0x118:  // NOP
            return Fact::fill;
        case 0x037:  // IMMA
        case 0x03c:  // HMMA
        case 0x03f:  // DMMA
        case 0x07a:  // QMMA
        case 0x1ea:  // UTCHMMA, UTCIMMA, UTCQMMA
        case 0x1f0:  // HGMMA
        case 0x1f1:  // IGMMA
        case 0x1f3:  // QGMMA
            return Fact::tensor;
        case 0x180:  // LD
        case 0x181:  // LDG
            return Fact::load;
        case 0x17e:  // LDG of 256 bits
            return Fact::load_256;
        case 0x03b:  // LDSM
        case 0x044:  // STSM
        case 0x184:  // LDS
        case 0x188:  // STS
        case 0x18c:  // ATOMS
        case 0x18d:  // ATOMS.CAS
            return Fact::shared;
        case 0x1ae:  // LDGSTS
        case 0x1b4:  // UTMALDG
        case 0x1b5:  // UTMASTG
        case 0x1ba:  // UBLKCP
            return Fact::async_copy;
        case 0x11d:  // BAR
        case 0x1c7:  // UCGABAR_ARV, UCGABAR_WAIT
            return Fact::barrier;
        case 0x006:  // VOTE
        case 0x189:  // SHFL
        case 0x1a1:  // MATCH
        case 0x1c4:  // REDUX
        case 0x0cc:  // CREDUX
            return Fact::warp;
        case 0x18a:  // ATOM
        case 0x18b:  // ATOM.CAS
        case 0x18e:  // RED
        case 0x1a3:  // ATOMG of floats
        case 0x1a6:  // REDG
        case 0x1a8:  // ATOMG
        case 0x1a9:  // ATOMG.CAS
            return Fact::atomic;
        default:
            return Fact::none;
    }
}

constexpr std::uint64_t k_width_128 = 6;

struct Counts {
    double instructions = 0;
    double wide_loads = 0;
    std::array<double, 10> by_fact{};

    [[nodiscard]] double of(Fact fact) const { return by_fact[static_cast<std::size_t>(fact)]; }

    void add(std::uint64_t low, std::uint64_t high) {
        const Fact fact = fact_of(static_cast<std::uint32_t>(low & 0x1ff));
        by_fact[static_cast<std::size_t>(fact)] += 1;
        instructions += fact == Fact::fill ? 0 : 1;
        const bool wide = fact == Fact::load && (high >> 9 & 7) == k_width_128;
        wide_loads += wide || fact == Fact::load_256 ? 1 : 0;
    }
};

double memory_level(const Counts& counts) {
    if (counts.of(Fact::async_copy) > 0) {
        return 3;
    }
    if (counts.of(Fact::shared) > 0) {
        return 2;
    }
    return counts.wide_loads > 0 ? 1 : 0;
}

double sync_level(const Counts& counts) {
    if (counts.of(Fact::atomic) > 0) {
        return 3;
    }
    if (counts.of(Fact::warp) > 0) {
        return 2;
    }
    return counts.of(Fact::barrier) > 0 ? 1 : 0;
}

}  // namespace

std::map<std::string, double> shared_object_facts(std::string_view elf) {
    const std::vector<Section> sections = sections_of(elf);
    if (sections.empty()) {
        return {};
    }
    double text = 0;
    double data = 0;
    double imports = 0;
    for (const Section& section : sections) {
        const auto size = static_cast<double>(section.header.sh_size);
        const bool is_data = section.name == ".rodata" || section.name.starts_with(".rodata.") ||
                             section.name == ".data" || section.name == ".bss" ||
                             section.name.starts_with(".data.");
        text += section.name == ".text" ? size : 0;
        data += is_data ? size : 0;
        imports += section.header.sh_type == SHT_DYNSYM ? imports_of(section) : 0;
    }
    return {{"text_bytes", text}, {"data_bytes", data}, {"imports", imports}};
}

std::map<std::string, double> cubin_code_facts(std::string_view cubin) {
    const auto head = record_at<Elf64_Ehdr>(cubin, 0);
    if (!head || head->e_machine != k_machine_cuda) {
        return {};
    }
    Counts counts;
    for (const Section& section : sections_of(cubin)) {
        if (!section.name.starts_with(".text.") ||
            section.content.size() % k_instruction_bytes != 0) {
            continue;
        }
        for (std::size_t at = 0; at < section.content.size(); at += k_instruction_bytes) {
            counts.add(*record_at<std::uint64_t>(section.content, at),
                       *record_at<std::uint64_t>(section.content, at + sizeof(std::uint64_t)));
        }
    }
    if (counts.instructions == 0) {
        return {};
    }
    return {{"instructions", counts.instructions},
            {"tensor", counts.of(Fact::tensor)},
            {"loads", counts.of(Fact::load) + counts.of(Fact::load_256)},
            {"wide_loads", counts.wide_loads},
            {"shared", counts.of(Fact::shared)},
            {"async_copies", counts.of(Fact::async_copy)},
            {"barriers", counts.of(Fact::barrier)},
            {"warp", counts.of(Fact::warp)},
            {"atomics", counts.of(Fact::atomic)},
            {"memory_level", memory_level(counts)},
            {"sync_level", sync_level(counts)}};
}

const std::vector<std::string>& code_fact_names() {
    static const std::vector<std::string> names = {
        "text_bytes", "data_bytes", "imports",      "instructions", "tensor",
        "loads",      "wide_loads", "shared",       "async_copies", "barriers",
        "warp",       "atomics",    "memory_level", "sync_level"};
    return names;
}

}  // namespace atl
