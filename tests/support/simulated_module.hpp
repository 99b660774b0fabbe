#pragma once

#include <dlfcn.h>
#include <elf.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// How tests/support/simulated_driver.cpp loads a "cubin", a shared object of this machine: into
/// memory that was executable before, without a system call. As a real driver's module, so that a
/// process behind a filter of system calls can load one. x86-64 only.
namespace atl::cuda::simulated {

/// Memory for code, taken when the driver starts. Thread-safe.
class CodeMemory {
  public:
    CodeMemory()
        : m_next(
              static_cast<std::uint8_t*>(mmap(nullptr, k_bytes, PROT_READ | PROT_WRITE | PROT_EXEC,
                                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0))),
          m_left(m_next == MAP_FAILED ? 0 : k_bytes) {}

    /// Zeros; null when there is no more.
    std::uint8_t* take(std::size_t bytes) {
        const std::size_t whole = (bytes + k_page - 1) / k_page * k_page;
        const std::lock_guard lock(m_mutex);
        std::uint8_t* memory = nullptr;
        if (const auto old = m_free.find(whole); old != m_free.end()) {
            memory = old->second;
            m_free.erase(old);
        } else if (whole <= m_left) {
            memory = m_next;
            m_next += whole;
            m_left -= whole;
        }
        if (memory != nullptr) {
            std::memset(memory, 0, whole);
        }
        return memory;
    }
    void give_back(std::uint8_t* memory, std::size_t bytes) {
        const std::lock_guard lock(m_mutex);
        m_free.emplace((bytes + k_page - 1) / k_page * k_page, memory);
    }

  private:
    static constexpr std::size_t k_bytes = std::size_t{512} << 20;
    static constexpr std::size_t k_page = 4096;

    std::mutex m_mutex;
    std::uint8_t* m_next;
    std::size_t m_left;
    std::multimap<std::size_t, std::uint8_t*> m_free;
};

/// A loaded shared object.
class CodeModule {
  public:
    struct Symbol {
        void* address = nullptr;
        std::size_t bytes = 0;
    };

    /// Null for what is no shared object, or needs what this loader lacks. The image is as long as
    /// its headers say.
    static CodeModule* load(const void* image, CodeMemory& memory) {
        auto* const module = new CodeModule(static_cast<const std::uint8_t*>(image), memory);
        if (module->place() && module->read_symbols() && module->relocate()) {
            module->start();
            return module;
        }
        delete module;
        return nullptr;
    }
    CodeModule(const CodeModule&) = delete;
    CodeModule& operator=(const CodeModule&) = delete;
    ~CodeModule() {
        if (m_base != nullptr) {
            m_memory.give_back(m_base, m_span);
        }
    }

    std::optional<Symbol> find(const std::string& name) const {
        const auto found = m_symbols.find(name);
        return found == m_symbols.end() ? std::nullopt : std::optional(found->second);
    }

  private:
    CodeModule(const std::uint8_t* image, CodeMemory& memory) : m_image(image), m_memory(memory) {}

    template <class T>
    T* at(std::uint64_t address) const {
        return reinterpret_cast<T*>(m_base + address);
    }

    bool place() {
        if (std::memcmp(m_image, ELFMAG, SELFMAG) != 0) {
            return false;
        }
        std::memcpy(&m_header, m_image, sizeof(m_header));
        if (m_header.e_type != ET_DYN || m_header.e_machine != EM_X86_64) {
            return false;
        }
        const auto* const parts = reinterpret_cast<const Elf64_Phdr*>(m_image + m_header.e_phoff);
        for (int i = 0; i < m_header.e_phnum; ++i) {
            if (parts[i].p_type == PT_LOAD) {
                m_span = std::max<std::size_t>(m_span, parts[i].p_vaddr + parts[i].p_memsz);
            }
        }
        m_base = m_span == 0 ? nullptr : m_memory.take(m_span);
        for (int i = 0; m_base != nullptr && i < m_header.e_phnum; ++i) {
            if (parts[i].p_type == PT_LOAD) {
                std::memcpy(m_base + parts[i].p_vaddr, m_image + parts[i].p_offset,
                            parts[i].p_filesz);
            } else if (parts[i].p_type == PT_DYNAMIC) {
                m_dynamic = at<const Elf64_Dyn>(parts[i].p_vaddr);
            } else if (parts[i].p_type == PT_TLS) {
                return false;
            }
        }
        return m_base != nullptr && m_dynamic != nullptr;
    }

    std::uint64_t entry(Elf64_Sxword tag) const {
        for (const Elf64_Dyn* entry = m_dynamic; entry->d_tag != DT_NULL; ++entry) {
            if (entry->d_tag == tag) {
                return entry->d_un.d_val;
            }
        }
        return 0;
    }

    const char* name_of(const Elf64_Sym& symbol) const {
        return at<const char>(entry(DT_STRTAB)) + symbol.st_name;
    }

    bool read_symbols() {
        const auto* const sections =
            reinterpret_cast<const Elf64_Shdr*>(m_image + m_header.e_shoff);
        for (int i = 0; i < m_header.e_shnum; ++i) {
            if (sections[i].sh_type != SHT_DYNSYM) {
                continue;
            }
            const auto* const symbols = at<const Elf64_Sym>(sections[i].sh_addr);
            for (std::size_t k = 0; k < sections[i].sh_size / sizeof(Elf64_Sym); ++k) {
                if (symbols[k].st_shndx != SHN_UNDEF) {
                    m_symbols[name_of(symbols[k])] = {at<void>(symbols[k].st_value),
                                                      symbols[k].st_size};
                }
            }
        }
        return !m_symbols.empty();
    }

    /// Nullopt: it is nowhere, and not weak.
    std::optional<std::uint64_t> value_of(const Elf64_Sym& symbol) const {
        if (symbol.st_shndx != SHN_UNDEF) {
            return reinterpret_cast<std::uint64_t>(at<void>(symbol.st_value));
        }
        void* const found = dlsym(RTLD_DEFAULT, name_of(symbol));
        if (found == nullptr && ELF64_ST_BIND(symbol.st_info) != STB_WEAK) {
            return std::nullopt;
        }
        return reinterpret_cast<std::uint64_t>(found);
    }

    bool relocate(const Elf64_Rela& entry_of) const {
        auto* const place = at<std::uint64_t>(entry_of.r_offset);
        const auto addend = static_cast<std::uint64_t>(entry_of.r_addend);
        const auto kind = ELF64_R_TYPE(entry_of.r_info);
        if (kind == R_X86_64_RELATIVE) {
            *place = reinterpret_cast<std::uint64_t>(m_base) + addend;
            return true;
        }
        const auto* const symbols = at<const Elf64_Sym>(entry(DT_SYMTAB));
        const auto value = value_of(symbols[ELF64_R_SYM(entry_of.r_info)]);
        if (!value ||
            (kind != R_X86_64_GLOB_DAT && kind != R_X86_64_JUMP_SLOT && kind != R_X86_64_64)) {
            return false;
        }
        *place = *value + (kind == R_X86_64_64 ? addend : 0);
        return true;
    }

    bool relocate() const {
        for (const auto& [table, bytes] :
             {std::pair{DT_RELA, DT_RELASZ}, {DT_JMPREL, DT_PLTRELSZ}}) {
            const auto* const entries = at<const Elf64_Rela>(entry(table));
            for (std::size_t i = 0; i < entry(bytes) / sizeof(Elf64_Rela); ++i) {
                if (!relocate(entries[i])) {
                    return false;
                }
            }
        }
        return true;
    }

    void start() const {
        auto* const begin = at<void (*)()>(entry(DT_INIT_ARRAY));
        for (std::size_t i = 0; i < entry(DT_INIT_ARRAYSZ) / sizeof(begin[0]); ++i) {
            begin[i]();
        }
    }

    const std::uint8_t* const m_image;
    CodeMemory& m_memory;
    Elf64_Ehdr m_header{};
    std::uint8_t* m_base = nullptr;
    std::size_t m_span = 0;
    const Elf64_Dyn* m_dynamic = nullptr;
    std::map<std::string, Symbol> m_symbols;
};

}  // namespace atl::cuda::simulated
