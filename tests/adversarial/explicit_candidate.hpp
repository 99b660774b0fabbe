#pragma once

#include "reward/cuda/explicit_source.hpp"
#include "reward/cuda/nvrtc_library.hpp"
#include "tests/adversarial/candidate_file.hpp"

#include <elf.h>
#include <nlohmann/json.hpp>

#include <cstring>
#include <string>
#include <vector>

namespace atl::testing {

/// A candidate of kind ptx or cubin: tests/adversarial/cuda/explicit. Files NAME.cubin.cu become
/// machine code only here, for the device at hand.
struct ExplicitCandidate {
    ListedCandidate file;
    bool cubin = false;
    std::string damage;  ///< to the machine code: "code", "cut"; empty: none
};

inline std::vector<ExplicitCandidate> load_explicit_candidates() {
    std::vector<ExplicitCandidate> all;
    for (ListedCandidate& file : load_candidates("cuda/explicit")) {
        ExplicitCandidate one{std::move(file), false, {}};
        one.cubin = one.file.name.ends_with(".cubin");
        const std::string mark = "// damage: ";
        if (const std::size_t at = one.file.source.find(mark); at != std::string::npos) {
            const std::size_t begin = at + mark.size();
            one.damage = one.file.source.substr(begin, one.file.source.find('\n', begin) - begin);
        }
        std::replace(one.file.name.begin(), one.file.name.end(), '.', '_');
        all.push_back(std::move(one));
    }
    return all;
}

inline std::string to_base64(const std::string& bytes) {
    constexpr const char* k_digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
        unsigned bits = 0;
        for (std::size_t j = 0; j < 3; ++j) {
            bits = bits << 8 | (j < count ? static_cast<unsigned char>(bytes[i + j]) : 0u);
        }
        for (std::size_t j = 0; j < 4; ++j) {
            text += j <= count ? k_digits[bits >> (18 - 6 * j) & 63] : '=';
        }
    }
    return text;
}

inline void PrintTo(const ExplicitCandidate& candidate, std::ostream* out) {
    *out << candidate.file.name;
}

/// Instructions that no device has, in place of every kernel's.
inline std::string with_noise_for_code(std::string cubin) {
    Elf64_Ehdr header{};
    std::memcpy(&header, cubin.data(), sizeof(header));
    for (std::size_t i = 0; i < header.e_shnum; ++i) {
        Elf64_Shdr section{};
        std::memcpy(&section, cubin.data() + header.e_shoff + i * sizeof(section), sizeof(section));
        if (section.sh_type == SHT_PROGBITS && (section.sh_flags & SHF_EXECINSTR) != 0) {
            std::memset(cubin.data() + section.sh_offset, 0xff, section.sh_size);
        }
    }
    return cubin;
}

/// The candidate's text: PTX as it is, code compiled and wrapped into JSON.
inline std::string explicit_source(const ExplicitCandidate& candidate, const NvrtcLibrary& nvrtc,
                                   const std::string& architecture) {
    if (!candidate.cubin) {
        return candidate.file.source;
    }
    NvrtcInput input;
    input.source = candidate.file.source;
    input.name = candidate.file.name;
    input.options = {"--gpu-architecture=" + architecture, "--modify-stack-limit=false"};
    const NvrtcOutput output = value_or_throw(nvrtc.compile(input));
    if (!output.ok) {
        throw std::runtime_error(output.log);
    }
    std::string code = output.cubin;
    code = candidate.damage == "code"  ? with_noise_for_code(code)
           : candidate.damage == "cut" ? code.substr(0, code.size() / 2)
                                       : code;
    const ExplicitSource source = value_or_throw(read_ptx_source(candidate.file.source));
    return nlohmann::ordered_json{{"plan", source.plan}, {"cubin", to_base64(code)}}.dump();
}

}  // namespace atl::testing
