#include "reward/code_facts.hpp"

#include <elf.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace atl {
namespace {

using Words = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

std::string bytes_of(const Words& words) {
    std::string bytes;
    for (const auto& [low, high] : words) {
        bytes.append(reinterpret_cast<const char*>(&low), sizeof(low));
        bytes.append(reinterpret_cast<const char*>(&high), sizeof(high));
    }
    return bytes;
}

struct Part {
    std::string name;
    std::uint32_t type = SHT_PROGBITS;
    std::string content;
    std::uint64_t size = 0;  ///< of what is not in the file
};

/// An ELF file of these sections.
std::string elf_of(std::uint16_t machine, std::vector<Part> parts) {
    std::string names(1, '\0');
    parts.push_back({".shstrtab", SHT_STRTAB, "", 0});
    std::vector<Elf64_Shdr> headers(1);
    std::string body;
    for (Part& part : parts) {
        Elf64_Shdr header{};
        header.sh_name = static_cast<std::uint32_t>(names.size());
        names += part.name + '\0';
        header.sh_type = part.type;
        header.sh_offset = sizeof(Elf64_Ehdr) + body.size();
        header.sh_size = part.type == SHT_NOBITS ? part.size : part.content.size();
        body += part.content;
        headers.push_back(header);
    }
    headers.back().sh_offset = sizeof(Elf64_Ehdr) + body.size();
    headers.back().sh_size = names.size();
    body += names;
    Elf64_Ehdr head{};
    std::memcpy(head.e_ident, ELFMAG, SELFMAG);
    head.e_ident[EI_CLASS] = ELFCLASS64;
    head.e_machine = machine;
    head.e_shoff = sizeof(head) + body.size();
    head.e_shentsize = sizeof(Elf64_Shdr);
    head.e_shnum = static_cast<std::uint16_t>(headers.size());
    head.e_shstrndx = static_cast<std::uint16_t>(headers.size() - 1);
    std::string file(reinterpret_cast<const char*>(&head), sizeof(head));
    file += body;
    file.append(reinterpret_cast<const char*>(headers.data()), headers.size() * sizeof(Elf64_Shdr));
    return file;
}

// Instructions as ptxas 13.0 made them and nvdisasm 13.5 names them.
constexpr std::pair<std::uint64_t, std::uint64_t> k_ldg{0x0000000402047981, 0x000ea2000c1e1900};
constexpr std::pair<std::uint64_t, std::uint64_t> k_ldg_128{0x0000000402047981, 0x000ea2000c1e1d00};
constexpr std::pair<std::uint64_t, std::uint64_t> k_stg{0x0000000704007986, 0x000fe2000c101904};
constexpr std::pair<std::uint64_t, std::uint64_t> k_bar{0x0041000000007b1d, 0x000fe20000010000};
constexpr std::pair<std::uint64_t, std::uint64_t> k_nop{0x0000000000007918, 0x000fc00000000000};

std::map<std::string, double> facts_of(const Words& words) {
    return cubin_code_facts(elf_of(190, {{".text.k", SHT_PROGBITS, bytes_of(words), 0}}));
}

std::pair<std::uint64_t, std::uint64_t> operation(std::uint64_t code) {
    return {code, 0};
}

TEST(CodeFacts, CountsWhatKernelsDo) {
    const auto facts = facts_of({k_ldg, k_ldg_128, k_stg, k_bar, k_nop, k_nop});
    EXPECT_EQ(facts.at("instructions"), 4) << "what fills up does not count";
    EXPECT_EQ(facts.at("loads"), 2);
    EXPECT_EQ(facts.at("wide_loads"), 1);
    EXPECT_EQ(facts.at("barriers"), 1);
    EXPECT_EQ(facts.at("tensor"), 0);
    EXPECT_EQ(facts.at("memory_level"), 1);
    EXPECT_EQ(facts.at("sync_level"), 1);
}

// The last digits of the first word, as nvdisasm shows them for sm_80 to sm_120a.
TEST(CodeFacts, KnowsEachOperation) {
    const auto only = [](std::uint64_t code, const std::string& fact) {
        return facts_of({operation(code)}).at(fact);
    };
    for (const std::uint64_t code :
         {0x23cu, 0x237u, 0x23fu, 0x27au, 0x9f0u, 0x9f1u, 0x9f3u, 0x5eau}) {
        EXPECT_EQ(only(code, "tensor"), 1) << std::hex << code;
    }
    for (const std::uint64_t code : {0x980u, 0x981u, 0x97eu}) {
        EXPECT_EQ(only(code, "loads"), 1) << std::hex << code;
    }
    EXPECT_EQ(only(0x97e, "wide_loads"), 1) << "32 bytes";
    for (const std::uint64_t code : {0x83bu, 0x844u, 0x984u, 0x388u, 0x38cu, 0x98cu, 0x38du}) {
        EXPECT_EQ(only(code, "shared"), 1) << std::hex << code;
        EXPECT_EQ(only(code, "memory_level"), 2) << std::hex << code;
    }
    for (const std::uint64_t code : {0xfaeu, 0x5b4u, 0x3b5u, 0x3bau}) {
        EXPECT_EQ(only(code, "async_copies"), 1) << std::hex << code;
        EXPECT_EQ(only(code, "memory_level"), 3) << std::hex << code;
    }
    for (const std::uint64_t code : {0xb1du, 0x9c7u, 0xdc7u}) {
        EXPECT_EQ(only(code, "barriers"), 1) << std::hex << code;
        EXPECT_EQ(only(code, "sync_level"), 1) << std::hex << code;
    }
    for (const std::uint64_t code : {0xf89u, 0x806u, 0x3a1u, 0x3c4u, 0x2ccu}) {
        EXPECT_EQ(only(code, "warp"), 1) << std::hex << code;
        EXPECT_EQ(only(code, "sync_level"), 2) << std::hex << code;
    }
    for (const std::uint64_t code : {0x98au, 0x38bu, 0x98eu, 0x9a3u, 0x9a6u, 0x9a8u, 0x3a9u}) {
        EXPECT_EQ(only(code, "atomics"), 1) << std::hex << code;
        EXPECT_EQ(only(code, "sync_level"), 3) << std::hex << code;
    }
    // FADD, IMAD, HFMA2.MMA, MUFU, EXIT, S2R: none of these.
    for (const std::uint64_t code : {0x221u, 0x224u, 0x435u, 0x308u, 0x94du, 0x919u}) {
        const auto facts = facts_of({operation(code)});
        EXPECT_EQ(facts.at("instructions"), 1);
        for (const auto& [name, value] : facts) {
            EXPECT_TRUE(value == 0 || name == "instructions") << std::hex << code << " " << name;
        }
    }
}

TEST(CodeFacts, OfASharedObjectSizesAndImports) {
    const auto symbol = [](unsigned char type, unsigned char bind, std::uint16_t section) {
        Elf64_Sym one{};
        one.st_info = ELF64_ST_INFO(bind, type);
        one.st_shndx = section;
        return std::string(reinterpret_cast<const char*>(&one), sizeof(one));
    };
    const std::string symbols =
        symbol(STT_NOTYPE, STB_LOCAL, SHN_UNDEF) + symbol(STT_FUNC, STB_GLOBAL, SHN_UNDEF) +
        symbol(STT_FUNC, STB_GLOBAL, SHN_UNDEF) + symbol(STT_FUNC, STB_WEAK, SHN_UNDEF) +
        symbol(STT_FUNC, STB_GLOBAL, 3);
    const auto facts =
        shared_object_facts(elf_of(EM_X86_64, {{".text", SHT_PROGBITS, std::string(100, 'x'), 0},
                                               {".rodata", SHT_PROGBITS, std::string(8, 'x'), 0},
                                               {".data", SHT_PROGBITS, std::string(16, 'x'), 0},
                                               {".bss", SHT_NOBITS, "", 32},
                                               {".comment", SHT_PROGBITS, std::string(64, 'x'), 0},
                                               {".dynsym", SHT_DYNSYM, symbols, 0}}));
    EXPECT_EQ(facts, (std::map<std::string, double>{
                         {"text_bytes", 100}, {"data_bytes", 56}, {"imports", 2}}));
}

TEST(CodeFacts, EveryFactHasAListedName) {
    const auto& names = code_fact_names();
    auto all = facts_of({k_ldg});
    all.merge(shared_object_facts(elf_of(EM_X86_64, {})));
    EXPECT_EQ(all.size(), names.size());
    for (const auto& [name, value] : all) {
        EXPECT_NE(std::find(names.begin(), names.end(), name), names.end()) << name;
    }
}

TEST(CodeFacts, HostileBytesGiveNothingAndNothingWorse) {
    EXPECT_TRUE(shared_object_facts("").empty());
    EXPECT_TRUE(cubin_code_facts("").empty());
    EXPECT_TRUE(cubin_code_facts("no machine code").empty());
    EXPECT_TRUE(cubin_code_facts(elf_of(EM_X86_64, {{".text.k", SHT_PROGBITS, "x", 0}})).empty());
    const std::string whole = elf_of(190, {{".text.k", SHT_PROGBITS, bytes_of({k_ldg, k_bar}), 0}});
    for (std::size_t size = 0; size < whole.size(); ++size) {
        static_cast<void>(cubin_code_facts(whole.substr(0, size)));
        static_cast<void>(shared_object_facts(whole.substr(0, size)));
    }
    std::mt19937 random(3);
    for (int round = 0; round < 20'000; ++round) {
        std::string bytes = whole;
        for (unsigned i = 0; i < 1 + random() % 6; ++i) {
            bytes[random() % bytes.size()] = static_cast<char>(random());
        }
        static_cast<void>(cubin_code_facts(bytes));
        static_cast<void>(shared_object_facts(bytes));
    }
}

}  // namespace
}  // namespace atl
