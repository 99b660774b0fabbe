#include "reward/cuda/cubin_facts.hpp"

#include "reward/cuda/plan.hpp"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

namespace atl {

namespace {

constexpr std::uint16_t k_machine_cuda = 190;
constexpr unsigned char k_entry_flag = 0x10;  ///< of st_other
constexpr std::size_t k_max_symbols = 1u << 20;
constexpr std::size_t k_max_kernels = 4096;
constexpr std::size_t k_max_name_bytes = 64u << 10;
constexpr std::size_t k_max_kernel_name_bytes = 4096;
constexpr std::uint32_t k_max_parameter_bytes = 1u << 16;
constexpr std::uint32_t k_reserved_shared_bytes = 1024;
constexpr std::uint32_t k_first_reserving_capability = 90;
constexpr unsigned char k_last_abi_with_low_flags = 7;

/// What the driver brings along for any kernel. Others of its functions launch kernels from a
/// kernel, or reach what no plan names.
constexpr std::array<std::string_view, 5> k_driver_functions{
    "malloc", "free", "vprintf", "__assertfail", "__cuda_syscall_aligned_malloc"};
constexpr std::string_view k_driver_prefix = "__cuda_syscall";
constexpr std::size_t k_told_name_bytes = 100;

/// How the value of an attribute is stored.
enum Format : std::uint8_t { k_no_value = 1, k_byte = 2, k_half = 3, k_sized = 4 };

enum Attribute : std::uint8_t {
    k_max_threads = 0x05,
    k_frame_size = 0x11,
    k_parameter = 0x17,
    k_parameter_bytes = 0x19,
    k_register_count = 0x2f,
    k_barrier_count = 0x4c,
};

tl::unexpected<Error> corrupt(const std::string& what) {
    return failure(ErrorCode::corrupt, what, "cubin");
}

/// A record at `offset`; the file may end inside it.
template <class Record>
Expected<Record> read_at(std::string_view bytes, std::uint64_t offset, const char* what) {
    if (offset > bytes.size() || bytes.size() - offset < sizeof(Record)) {
        return corrupt(std::string("ends inside ") + what);
    }
    Record record;
    std::memcpy(&record, bytes.data() + offset, sizeof(record));
    return record;
}

struct Attributed {
    std::uint8_t attribute = 0;
    std::uint16_t small = 0;   ///< the value of formats k_byte and k_half
    std::string_view payload;  ///< of format k_sized
    [[nodiscard]] Expected<std::uint32_t> word(std::size_t index) const {
        return read_at<std::uint32_t>(payload, index * sizeof(std::uint32_t), "an attribute");
    }
};

std::string told_name(std::string_view name) {
    std::string told(name);
    std::replace_if(
        told.begin(), told.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    return told;
}

/// Marks of the assembler begin with ".nv."; number 0 and others have no name.
bool is_mark(std::string_view name) {
    return name.empty() || name.starts_with(".nv.");
}

/// A symbol for which the driver would look elsewhere.
bool is_undefined(const Elf64_Sym& symbol) {
    const bool reserved =
        symbol.st_shndx >= SHN_LORESERVE && ELF64_ST_TYPE(symbol.st_info) == STT_FUNC;
    return symbol.st_shndx == SHN_UNDEF || reserved;
}

Status check_callee(const Elf64_Sym& symbol, std::string_view name) {
    const bool known = std::find(k_driver_functions.begin(), k_driver_functions.end(), name) !=
                       k_driver_functions.end();
    const bool asks = is_undefined(symbol) && !is_mark(name);
    if (known || (!asks && !name.starts_with(k_driver_prefix))) {
        return {};
    }
    return failure(
        ErrorCode::invalid_argument,
        fmt::format("its kernels ask the driver for {}, which they may not", told_name(name)),
        "cubin", "of the driver's functions kernels may call malloc, free and printf");
}

/// Of two such sections the driver might take the one that was not looked at.
bool is_read_by_name(std::string_view name) {
    return name.starts_with(".nv.") || name.starts_with(".text.");
}

class CubinReader {
  public:
    explicit CubinReader(std::string_view bytes) : m_bytes(bytes) {}
    [[nodiscard]] Expected<std::vector<KernelFacts>> read();
    [[nodiscard]] Expected<std::uint64_t> bytes_of_variables();
    [[nodiscard]] Expected<bool> has_foreign_symbols();
    [[nodiscard]] Expected<std::uint32_t> read_capability() {
        ATOLL_TRY(read_sections());
        return m_capability;
    }

  private:
    struct Section {
        Elf64_Shdr header{};
        std::string_view name;
    };

    [[nodiscard]] Status read_sections();
    [[nodiscard]] Status check_variables(std::string_view segments) const;
    [[nodiscard]] Expected<std::string_view> content(const Elf64_Shdr& header) const;
    [[nodiscard]] static Expected<std::string_view> name_at(std::string_view names,
                                                            std::uint32_t offset);
    [[nodiscard]] static Expected<std::string_view> begin_of_name(std::string_view names,
                                                                  std::uint32_t offset);
    [[nodiscard]] const Section* find(const std::string& name) const;
    [[nodiscard]] bool is_told_again(const Section& section) const;
    [[nodiscard]] Status read_symbols();
    template <class Take>
    [[nodiscard]] Status for_each_symbol(Take take) const;
    [[nodiscard]] Status read_module_attributes();
    [[nodiscard]] Status read_kernel_attributes(KernelFacts& kernel) const;
    [[nodiscard]] Status read_shared_memory(KernelFacts& kernel) const;
    template <class Take>
    [[nodiscard]] Status for_each_attribute(const Section& section, Take take) const;

    std::string_view m_bytes;
    std::uint32_t m_capability = 0;  ///< 90 for 9.0
    std::vector<Section> m_sections;
    std::map<std::string_view, std::size_t> m_by_name;
    std::vector<KernelFacts> m_kernels;
    std::set<std::string_view> m_kernel_names;
    std::unordered_map<std::uint32_t, std::size_t> m_kernel_of_symbol;
};

Expected<std::string_view> CubinReader::content(const Elf64_Shdr& header) const {
    if (header.sh_type == SHT_NOBITS) {
        return std::string_view();
    }
    if (header.sh_offset > m_bytes.size() || m_bytes.size() - header.sh_offset < header.sh_size) {
        return corrupt("a section lies beyond its end");
    }
    return m_bytes.substr(header.sh_offset, header.sh_size);
}

Expected<std::string_view> CubinReader::name_at(std::string_view names, std::uint32_t offset) {
    if (offset >= names.size()) {
        return corrupt("a name lies beyond its table");
    }
    const std::string_view from = names.substr(offset, k_max_name_bytes);
    const std::size_t end = from.find('\0');
    if (end == std::string_view::npos) {
        return corrupt("a name has no end");
    }
    return from.substr(0, end);
}

/// Enough to tell it: many symbols may share one that is long.
Expected<std::string_view> CubinReader::begin_of_name(std::string_view names,
                                                      std::uint32_t offset) {
    if (offset >= names.size()) {
        return corrupt("a name lies beyond its table");
    }
    const std::string_view from = names.substr(offset, k_told_name_bytes);
    return from.substr(0, from.find('\0'));
}

Status CubinReader::read_sections() {
    ATOLL_TRY_ASSIGN(const auto header, read_at<Elf64_Ehdr>(m_bytes, 0, "its header"));
    if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
        header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
        header.e_machine != k_machine_cuda || header.e_shentsize != sizeof(Elf64_Shdr)) {
        return corrupt("is no machine code of a CUDA device");
    }
    const bool low = header.e_ident[EI_ABIVERSION] <= k_last_abi_with_low_flags;
    m_capability = (low ? header.e_flags : header.e_flags >> 8) & 0xff;
    const std::uint64_t table_bytes = std::uint64_t{header.e_shnum} * sizeof(Elf64_Shdr);
    if (header.e_shoff > m_bytes.size() || m_bytes.size() - header.e_shoff < table_bytes ||
        header.e_shstrndx >= header.e_shnum) {
        return corrupt("has no table of sections");
    }
    if (header.e_phnum > 0 && header.e_phentsize != sizeof(Elf64_Phdr)) {
        return corrupt("has segments of another form");
    }
    const std::uint64_t segment_bytes = std::uint64_t{header.e_phnum} * sizeof(Elf64_Phdr);
    if (header.e_phoff > m_bytes.size() || m_bytes.size() - header.e_phoff < segment_bytes) {
        return corrupt("ends inside its table of segments");
    }
    m_sections.resize(header.e_shnum);
    for (std::size_t i = 0; i < m_sections.size(); ++i) {
        ATOLL_TRY_ASSIGN(m_sections[i].header,
                         read_at<Elf64_Shdr>(m_bytes, header.e_shoff + i * sizeof(Elf64_Shdr),
                                             "its table of sections"));
    }
    ATOLL_TRY_ASSIGN(const std::string_view names, content(m_sections[header.e_shstrndx].header));
    for (std::size_t i = 0; i < m_sections.size(); ++i) {
        ATOLL_TRY_ASSIGN(m_sections[i].name, name_at(names, m_sections[i].header.sh_name));
        // The driver is told no length: nothing may lie beyond the end, whether read here or not.
        ATOLL_TRY(content(m_sections[i].header));
        if (!m_by_name.emplace(m_sections[i].name, i).second &&
            is_read_by_name(m_sections[i].name)) {
            return corrupt("has two sections of one name");
        }
    }
    return check_variables(m_bytes.substr(header.e_phoff, segment_bytes));
}

/// What loading it would take of the device's memory beyond what stands in the file: sections
/// without content, or segments that are larger in memory. Shared memory is a block's.
Status CubinReader::check_variables(std::string_view segments) const {
    std::uint64_t of_sections = 0;
    std::uint64_t of_segments = 0;
    const auto add = [](std::uint64_t& sum, std::uint64_t bytes) {
        sum += std::min<std::uint64_t>(bytes, k_max_variable_bytes + 1);  // of at most 65535
    };
    for (const Section& section : m_sections) {
        if (section.header.sh_type == SHT_NOBITS && !section.name.starts_with(".nv.shared.")) {
            add(of_sections, section.header.sh_size);
        }
    }
    for (std::size_t at = 0; at + sizeof(Elf64_Phdr) <= segments.size(); at += sizeof(Elf64_Phdr)) {
        ATOLL_TRY_ASSIGN(const auto segment,
                         read_at<Elf64_Phdr>(segments, at, "its table of segments"));
        add(of_segments, segment.p_memsz);
    }
    const std::uint64_t bytes = std::max(of_sections, of_segments);
    if (bytes > k_max_variable_bytes) {
        return failure(ErrorCode::limit,
                       fmt::format("its variables take more than {} MiB of the device",
                                   k_max_variable_bytes >> 20),
                       "cubin", "take scratch memory in launch() (cudaMallocAsync)");
    }
    return {};
}

const CubinReader::Section* CubinReader::find(const std::string& name) const {
    const auto found = m_by_name.find(name);
    return found == m_by_name.end() ? nullptr : &m_sections[found->second];
}

/// `take` gets the number of each, it, and the table of their names.
template <class Take>
Status CubinReader::for_each_symbol(Take take) const {
    const auto table =
        std::find_if(m_sections.begin(), m_sections.end(),
                     [](const Section& section) { return section.header.sh_type == SHT_SYMTAB; });
    if (table == m_sections.end() || table->header.sh_link >= m_sections.size()) {
        return corrupt("has no symbols");
    }
    // The driver might read the other one.
    if (std::any_of(table + 1, m_sections.end(),
                    [](const Section& section) { return section.header.sh_type == SHT_SYMTAB; })) {
        return corrupt("has two tables of symbols");
    }
    ATOLL_TRY_ASSIGN(const std::string_view symbols, content(table->header));
    ATOLL_TRY_ASSIGN(const std::string_view names,
                     content(m_sections[table->header.sh_link].header));
    const std::size_t count = symbols.size() / sizeof(Elf64_Sym);
    if (count > k_max_symbols) {
        return failure(ErrorCode::limit, "has too many symbols", "cubin");
    }
    for (std::size_t i = 0; i < count; ++i) {
        ATOLL_TRY_ASSIGN(const auto symbol,
                         read_at<Elf64_Sym>(symbols, i * sizeof(Elf64_Sym), "its symbols"));
        ATOLL_TRY(take(static_cast<std::uint32_t>(i), symbol, names));
    }
    return {};
}

Status CubinReader::read_symbols() {
    return for_each_symbol([this](std::uint32_t number, const Elf64_Sym& symbol,
                                  std::string_view names) -> Status {
        ATOLL_TRY_ASSIGN(const std::string_view begin, begin_of_name(names, symbol.st_name));
        ATOLL_TRY(check_callee(symbol, begin));
        if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || (symbol.st_other & k_entry_flag) == 0) {
            return {};
        }
        if (m_kernels.size() >= k_max_kernels) {
            return failure(ErrorCode::limit, "has too many kernels", "cubin");
        }
        ATOLL_TRY_ASSIGN(const std::string_view name, name_at(names, symbol.st_name));
        if (name.size() > k_max_kernel_name_bytes || !m_kernel_names.insert(name).second) {
            return corrupt("a kernel's name is too long, or there twice");
        }
        m_kernel_of_symbol[number] = m_kernels.size();
        m_kernels.emplace_back().name = name;
        return {};
    });
}

template <class Take>
Status CubinReader::for_each_attribute(const Section& section, Take take) const {
    ATOLL_TRY_ASSIGN(std::string_view rest, content(section.header));
    while (!rest.empty()) {
        ATOLL_TRY_ASSIGN(const auto word, read_at<std::uint32_t>(rest, 0, "an attribute"));
        rest.remove_prefix(sizeof(word));
        const auto format = static_cast<std::uint8_t>(word & 0xff);
        Attributed attributed;
        attributed.attribute = static_cast<std::uint8_t>(word >> 8 & 0xff);
        attributed.small = static_cast<std::uint16_t>(word >> 16);
        if (format == k_byte) {
            attributed.small &= 0xff;
        } else if (format == k_sized) {
            if (attributed.small > rest.size()) {
                return corrupt("an attribute is longer than its section");
            }
            attributed.payload = rest.substr(0, attributed.small);
            rest.remove_prefix(attributed.small);
        } else if (format != k_no_value && format != k_half) {
            return corrupt("an attribute has a form that is not known");
        }
        ATOLL_TRY(take(attributed));
    }
    return {};
}

/// Attributes of the module name a symbol first.
Status CubinReader::read_module_attributes() {
    const Section* const section = find(".nv.info");
    if (section == nullptr) {
        return m_kernels.empty() ? Status{} : corrupt("says nothing of its kernels");
    }
    return for_each_attribute(*section, [this](const Attributed& attributed) -> Status {
        if (attributed.attribute != k_register_count && attributed.attribute != k_frame_size) {
            return {};
        }
        ATOLL_TRY_ASSIGN(const std::uint32_t symbol, attributed.word(0));
        ATOLL_TRY_ASSIGN(const std::uint32_t value, attributed.word(1));
        const auto kernel = m_kernel_of_symbol.find(symbol);
        if (kernel != m_kernel_of_symbol.end()) {
            KernelFacts& facts = m_kernels[kernel->second];
            (attributed.attribute == k_register_count ? facts.registers : facts.local_bytes) =
                value;
        }
        return {};
    });
}

Expected<std::uint32_t> threads_of(const Attributed& attributed) {
    constexpr std::uint64_t k_most = 1u << 20;
    std::uint64_t product = 1;
    for (std::size_t axis = 0; axis < 3; ++axis) {
        ATOLL_TRY_ASSIGN(const std::uint32_t threads, attributed.word(axis));
        product *= std::min<std::uint64_t>(threads, k_most);
        if (product > k_most) {
            return corrupt("a kernel has too many threads");
        }
    }
    return static_cast<std::uint32_t>(product);
}

/// An index, then ordinal and offset in one word, then flags with the size from bit 18 on.
Status add_parameter(const Attributed& attributed,
                     std::map<std::uint32_t, KernelParameter>& parameters) {
    ATOLL_TRY_ASSIGN(const std::uint32_t place, attributed.word(1));
    ATOLL_TRY_ASSIGN(const std::uint32_t flags, attributed.word(2));
    const KernelParameter parameter{place >> 16, flags >> 18};
    if ((place & 0xffff) >= k_max_plan_arguments || parameter.size == 0 ||
        parameter.offset + parameter.size > k_max_parameter_bytes ||
        !parameters.emplace(place & 0xffff, parameter).second) {
        return corrupt("a kernel's parameters make no sense");
    }
    return {};
}

Status CubinReader::read_kernel_attributes(KernelFacts& kernel) const {
    const Section* const section = find(".nv.info." + kernel.name);
    const Section* const text = find(".text." + kernel.name);
    if (section == nullptr || text == nullptr ||
        section->header.sh_info != static_cast<std::uint64_t>(text - m_sections.data())) {
        return corrupt("says nothing of kernel " + kernel.name.substr(0, 100));
    }
    // Where CUDA 12 says it; CUDA 13 has an attribute.
    kernel.barriers = static_cast<std::uint32_t>(text->header.sh_flags >> 20 & 0x7f);
    std::map<std::uint32_t, KernelParameter> parameters;
    std::optional<std::uint32_t> declared;  // bytes of all parameters
    ATOLL_TRY(for_each_attribute(*section, [&](const Attributed& attributed) -> Status {
        if (attributed.attribute == k_parameter) {
            return add_parameter(attributed, parameters);
        }
        if (attributed.attribute == k_max_threads) {
            ATOLL_TRY_ASSIGN(kernel.max_threads, threads_of(attributed));
        } else if (attributed.attribute == k_barrier_count) {
            kernel.barriers = attributed.small;
        } else if (attributed.attribute == k_parameter_bytes) {
            declared = attributed.small;
        }
        return {};
    }));
    std::uint32_t end = 0;
    for (const auto& [ordinal, parameter] : parameters) {
        if (ordinal != kernel.parameters.size() || parameter.offset < end) {
            return corrupt("a kernel's parameters are not numbered, or overlap");
        }
        end = parameter.offset + parameter.size;
        kernel.parameters.push_back(parameter);
    }
    if (declared && end > *declared) {
        return corrupt("a kernel's parameters take more than their space");
    }
    return {};
}

Status CubinReader::read_shared_memory(KernelFacts& kernel) const {
    const Section* const section = find(".nv.shared." + kernel.name);
    if (section == nullptr) {
        return {};
    }
    const std::uint32_t reserved =
        m_capability >= k_first_reserving_capability ? k_reserved_shared_bytes : 0;
    if (section->header.sh_size < reserved || section->header.sh_size > UINT32_MAX) {
        return corrupt("a kernel's shared memory has an impossible size");
    }
    kernel.static_shared_bytes = static_cast<std::uint32_t>(section->header.sh_size) - reserved;
    return {};
}

Expected<std::vector<KernelFacts>> CubinReader::read() {
    ATOLL_TRY(read_sections());
    ATOLL_TRY(read_symbols());
    ATOLL_TRY(read_module_attributes());
    std::uint64_t info_bytes = 0;
    for (KernelFacts& kernel : m_kernels) {
        // Sections may lie over each other, and then the work would not be linear in the size.
        const Section* const section = find(".nv.info." + kernel.name);
        info_bytes += section == nullptr ? 0 : section->header.sh_size;
        if (info_bytes > m_bytes.size()) {
            return corrupt("its kernels' sections lie over each other");
        }
        ATOLL_TRY(read_kernel_attributes(kernel));
        ATOLL_TRY(read_shared_memory(kernel));
    }
    return std::move(m_kernels);
}

/// UINT64_MAX when something else can be written to.
Expected<std::uint64_t> CubinReader::bytes_of_variables() {
    ATOLL_TRY(read_sections());
    std::uint64_t bytes = 0;
    for (const Section& section : m_sections) {
        const bool variables = section.name == ".nv.global" || section.name == ".nv.global.init" ||
                               section.name.starts_with(".nv.constant3");
        const bool writable = (section.header.sh_flags & SHF_WRITE) != 0;
        if (variables) {
            bytes += std::clamp<std::uint64_t>(section.header.sh_size, 1, k_max_variable_bytes);
        } else if (writable && !section.name.starts_with(".nv.shared.") &&
                   !is_told_again(section)) {
            return UINT64_MAX;
        }
    }
    return bytes;
}

/// From compute capability 10.0 on the code is there a second time ("Mercury"), with sections of
/// its own for the same variables and shared memory: .nv.merc.nv.global.init has the bytes (same
/// offset) of .nv.global.init. Seen in what NVRTC 13.0 makes; no such device has run it for us.
bool CubinReader::is_told_again(const Section& section) const {
    constexpr std::string_view k_mercury = ".nv.merc";
    if (!section.name.starts_with(k_mercury)) {
        return false;
    }
    const Section* const first = find(std::string(section.name.substr(k_mercury.size())));
    return first != nullptr && (first->header.sh_flags & SHF_WRITE) != 0 &&
           section.header.sh_size <= first->header.sh_size;
}

Expected<bool> CubinReader::has_foreign_symbols() {
    ATOLL_TRY(read_sections());
    bool found = false;
    ATOLL_TRY(for_each_symbol(
        [&](std::uint32_t, const Elf64_Sym& symbol, std::string_view names) -> Status {
            ATOLL_TRY_ASSIGN(const std::string_view name, begin_of_name(names, symbol.st_name));
            found = found || (is_undefined(symbol) && !is_mark(name) && name != "__assertfail");
            return {};
        }));
    return found;
}

/// The number that stands before `words` in `line`.
std::optional<std::uint32_t> number_before(std::string_view line, std::string_view words) {
    const std::size_t end = line.find(words);
    if (end == std::string_view::npos) {
        return std::nullopt;
    }
    std::size_t begin = end;
    while (begin > 0 && line[begin - 1] >= '0' && line[begin - 1] <= '9') {
        --begin;
    }
    std::uint32_t number = 0;
    const auto [stop, error] = std::from_chars(line.data() + begin, line.data() + end, number);
    if (error != std::errc{} || stop != line.data() + end) {
        return std::nullopt;
    }
    return number;
}

}  // namespace

Expected<std::vector<KernelFacts>> read_cubin_facts(std::string_view cubin) {
    return CubinReader(cubin).read();
}

bool keeps_state(std::string_view cubin, bool touches_variables) {
    const std::uint64_t harmless = touches_variables ? 0 : k_max_untouched_bytes;
    return CubinReader(cubin).bytes_of_variables().value_or(UINT64_MAX) > harmless;
}

bool calls_driver_code(std::string_view cubin) {
    return CubinReader(cubin).has_foreign_symbols().value_or(false);
}

Expected<std::uint32_t> read_cubin_capability(std::string_view cubin) {
    return CubinReader(cubin).read_capability();
}

void add_spills(std::string_view log, std::vector<KernelFacts>& kernels) {
    constexpr std::string_view k_of = "Function properties for ";
    std::unordered_map<std::string_view, KernelFacts*> by_name;
    for (KernelFacts& kernel : kernels) {
        by_name[kernel.name] = &kernel;
    }
    KernelFacts* current = nullptr;
    while (!log.empty()) {
        const std::string_view line = log.substr(0, log.find('\n'));
        log.remove_prefix(std::min(line.size() + 1, log.size()));
        if (const std::size_t at = line.find(k_of); at != std::string_view::npos) {
            const auto found = by_name.find(line.substr(at + k_of.size()));
            current = found == by_name.end() ? nullptr : found->second;
            continue;
        }
        const auto stores = number_before(line, " bytes spill stores");
        const auto loads = number_before(line, " bytes spill loads");
        if (current != nullptr && stores && loads) {
            current->spill_store_bytes = *stores;
            current->spill_load_bytes = *loads;
            current = nullptr;
        }
    }
}

}  // namespace atl
