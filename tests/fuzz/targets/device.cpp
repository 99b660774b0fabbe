#include "reward/cuda/cubin_facts.hpp"
#include "reward/cuda/device_binary.hpp"
#include "reward/cuda/header_bundles.hpp"
#include "reward/cuda/nvrtc_library.hpp"
#include "tests/fuzz/targets.hpp"

namespace atl::fuzz {

void cubin(std::string_view bytes) {
    auto kernels = read_cubin_facts(bytes);
    if (!kernels) {
        const ErrorCode code = kernels.error().code;
        must(code == ErrorCode::corrupt || code == ErrorCode::limit ||
                 code == ErrorCode::invalid_argument,
             "bad machine code is told as such");
        return;
    }
    for (const KernelFacts& kernel : *kernels) {
        must(kernel.name.size() < bytes.size(), "a kernel's name is in the file");
        for (const KernelParameter& parameter : kernel.parameters) {
            must(parameter.offset + parameter.size <= 1u << 16, "parameters fit their space");
        }
    }
    add_spills(bytes, *kernels);
}

void device_text(std::string_view bytes) {
    for (const bool with_cutlass : {false, true}) {
        const HeaderChoice choice = choose_headers(bytes, with_cutlass);
        must(choice.refusal.empty() || choice.refusal.starts_with("candidate.cu("),
             "a refusal has its line");
    }
    must(trim_device_log(bytes, {"/cuda/include", "/cuda/include/cccl"}).size() <= 16u << 10,
         "logs are short");
    if (is_name_expression(bytes)) {
        must(bytes.find_first_of("\n\"'\\#;{}") == std::string_view::npos,
             "a name expression cannot leave its place");
    }
}

}  // namespace atl::fuzz
