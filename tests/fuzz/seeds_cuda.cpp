#include "reward/cuda/plan.hpp"
#include "reward/cuda/record.hpp"
#include "reward/gpu/gpu_package.hpp"
#include "tests/fuzz/seeds.hpp"

#include <cstring>

namespace atl::fuzz {

namespace {

std::string plan_seed() {
    Plan plan;
    plan.inputs = {4096};
    plan.outputs = {4096};
    plan.scratch = {256};
    plan.symbols = {{"table", 16}};
    plan.settings = {{"k", 100'000, 50, true}};
    PlanLaunch launch;
    launch.kernel = "k";
    launch.cluster = {1, 1, 1};
    launch.cooperative = true;
    launch.arguments = {{std::vector<std::uint8_t>(8, 0), {{0, {}}}}, {{1, 2, 3, 4}, {}}};
    const PlanAddress output{PlanAddress::Buffer::output, 0, 8};
    const PlanAddress scratch{PlanAddress::Buffer::scratch, 0, 0};
    plan.steps = {{3, launch},
                  {4, PlanMemset{scratch, 7, 256}},
                  {5, PlanCopy{output, scratch, 64}},
                  {6, PlanWrite{{PlanAddress::Buffer::symbol, 0, 4}, {{1, 2, 3, 4}, {}}}}};
    return to_json(plan);
}

/// One entry of each kind, as the runtime writes them.
std::string record_seed(bool second) {
    using K = RecordStep::Kind;
    const RecordAddresses addresses(second);
    std::vector<std::uint64_t> words(k_record_header_bytes / 8, 0);
    const auto entry = [&](K kind, const std::vector<std::uint64_t>& payload) {
        words.push_back(static_cast<std::uint64_t>(kind) | 7ull << 32);
        words.push_back(payload.size() * 8);
        words.insert(words.end(), payload.begin(), payload.end());
    };
    entry(K::scratch, {512});
    entry(K::symbol, {16, 1, 't'});
    entry(K::setting, {8, 100'000, 1, 'k'});
    entry(K::memset, {addresses.address_of(256), 0, 512});
    entry(K::copy, {addresses.address_of(2), addresses.address_of(0), 64});
    entry(K::write, {addresses.address_of(512), 4, 1});
    entry(K::launch, {1 | 1ull << 32, 1 | 32ull << 32, 1 | 1ull << 32, 0, 1ull << 32, 0,
                      1 | 2ull << 32, 'k', 8, addresses.address_of(1) + 4, 4, 9});
    words[0] = k_record_magic;
    words[1] = words.size() * 8;
    words[2] = 1;
    std::string bytes(words.size() * 8, '\0');
    std::memcpy(bytes.data(), words.data(), bytes.size());
    return bytes;
}

std::string package_seed() {
    const GpuPackage package{"machine code", {{2, value_or_throw(parse_plan(plan_seed()))}}};
    return value_or_throw(read_whole_file(value_or_throw(write_gpu_package(package)), "seed"));
}

constexpr const char* k_source = R"(#include <cuda.h>
#include <vector>
#define DEVICE __device__
namespace cg = cooperative_groups;
template <class T> struct S { T v; __device__ S(T a) : v{a} {} int h() { return 1; } };
DEVICE float f(float a) { return a; }
constexpr int g(int a) { return a; }
static __global__ void k(S<int> s) { asm("x;"); }
namespace { void h() {
#if A
  k<<<1, 1>>>(S<int>{1}); } }
#else
}}
#endif
void launch(int n) { auto l = [&] { return n; }; k<<<l(), 1>>>(1); }
)";

}  // namespace

std::vector<SeedsOfTarget> cuda_seeds() {
    return {{"plan", {{"every_step", plan_seed()}}},
            {"launch_record", {{"every_entry", record_seed(false) + record_seed(true)}}},
            {"source_split", {{"some_of_all", k_source}}},
            {"gpu_package", {{"one_plan", package_seed()}}}};
}

}  // namespace atl::fuzz
