#include "tests/fuzz/seeds.hpp"

#include <elf.h>

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <utility>

namespace atl::fuzz {

namespace {

template <class Record>
void append(std::string& bytes, const Record& record) {
    bytes.append(reinterpret_cast<const char*>(&record), sizeof(record));
}

std::string words(std::initializer_list<std::uint32_t> values) {
    std::string bytes;
    for (const std::uint32_t value : values) {
        append(bytes, value);
    }
    return bytes;
}

/// A cubin as small as one can be: a kernel "k" of 32 registers with two parameters and 400 bytes
/// of shared memory, for sm_90.
std::string smallest_cubin() {
    const std::string names("\0k\0", 3);
    std::string symbols(sizeof(Elf64_Sym), '\0');
    Elf64_Sym kernel{};
    kernel.st_name = 1;
    kernel.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
    kernel.st_other = 0x10;
    append(symbols, kernel);
    // Format, attribute and size of the value, then the value: registers and frame of symbol 1.
    const std::string module = words({0x00082f04, 1, 32, 0x00081104, 1, 16});
    // Two parameters, launch bounds, one barrier.
    const std::string attributes = words({0x000c1704, 0, 0x00080001, 4u << 18, 0x000c1704, 0, 0,
                                          8u << 18, 0x000c0504, 256, 1, 1, 0x00014c02});
    const std::pair<std::string, std::string> sections[] = {{"", ""},
                                                            {".strtab", names},
                                                            {".symtab", symbols},
                                                            {".nv.info", module},
                                                            {".nv.info.k", attributes},
                                                            {".nv.shared.k", ""},
                                                            {".text.k", std::string(16, '\0')}};
    constexpr std::size_t k_count = std::size(sections) + 1;
    std::string section_names;
    std::string content;
    std::string table;
    for (const auto& [name, bytes] : sections) {
        Elf64_Shdr header{};
        header.sh_name = static_cast<Elf64_Word>(section_names.size());
        header.sh_type = name == ".symtab"        ? SHT_SYMTAB
                         : name == ".nv.shared.k" ? SHT_NOBITS
                                                  : SHT_PROGBITS;
        header.sh_offset = sizeof(Elf64_Ehdr) + content.size();
        header.sh_size = name == ".nv.shared.k" ? 1424 : bytes.size();
        header.sh_link = 1;
        append(table, header);
        section_names.append(name).append(1, '\0');
        content += bytes;
    }
    Elf64_Shdr own{};
    own.sh_type = SHT_STRTAB;
    own.sh_offset = sizeof(Elf64_Ehdr) + content.size();
    own.sh_size = section_names.size();
    append(table, own);
    content += section_names;
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_ABIVERSION] = 8;
    header.e_machine = 190;
    header.e_flags = 90u << 8;
    header.e_shoff = sizeof(Elf64_Ehdr) + content.size();
    header.e_shentsize = sizeof(Elf64_Shdr);
    header.e_shnum = k_count;
    header.e_shstrndx = k_count - 1;
    std::string cubin;
    append(cubin, header);
    return cubin + content + table;
}

}  // namespace

std::vector<SeedsOfTarget> device_seeds() {
    SeedsOfTarget texts{
        "device_text",
        {{"source",
          "#define __CUDA_NO_HALF__\n# include <cuda_fp16.h>\n#include \"cub/cub.cuh\"\n"
          "#include <cute/tensor.hpp>\n#include MACRO\n__global__ void k() {}\n"},
         {"log",
          "/cuda/include/cccl/cub/a.cuh(7): error: no\x1b[31m\n"
          "ptxas info    : Function properties for k\n"
          "ptxas         .     0 bytes stack frame, 8 bytes spill stores, 8 bytes spill loads\n"
          "ptxas error   : too much\n"},
         {"name", "space::scale<float, 4, &f, unsigned int*>"}}};
    return {{"cubin", {{"smallest", smallest_cubin()}}}, std::move(texts)};
}

}  // namespace atl::fuzz
