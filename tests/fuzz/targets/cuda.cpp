#include "reward/cuda/plan.hpp"
#include "reward/cuda/record.hpp"
#include "reward/cuda/source_split.hpp"
#include "reward/gpu/gpu_package.hpp"
#include "reward/worker_calls.hpp"
#include "tests/fuzz/targets.hpp"

#include <algorithm>

namespace atl::fuzz {

namespace {

void look_at(const Plan& plan) {
    const DeviceLimits device = *device_limits_of("sm_90a");
    KernelFacts facts;
    facts.name = "k";
    facts.parameters = {{0, 8}, {8, 4}};
    (void)check_plan(plan, device, std::span(&facts, 1));
    must(to_text(plan).size() < 64 * k_max_plan_text, "a plan's lines are limited");
    if (check_plan(plan, device)) {
        const Expected<Plan> again = parse_plan(to_json(plan));
        must(again.has_value() && *again == plan, "a plan that was checked can be written");
    }
}

}  // namespace

void plan(std::string_view bytes) {
    const Expected<Plan> read = parse_plan(bytes);
    if (!read) {
        return;
    }
    const std::string written = to_json(*read);
    const Expected<Plan> again = parse_plan(written);
    must(again.has_value() && *again == *read, "a written plan can be read");
    must(to_json(*again) == written, "writing a plan and reading it changes nothing");
    look_at(*read);
}

void launch_record(std::string_view bytes) {
    const std::size_t half = bytes.size() / 2 / 8 * 8;
    const auto as_bytes = [](std::string_view text) {
        return std::as_bytes(std::span(text.data(), text.size()));
    };
    const Expected<Record> first = parse_record(as_bytes(bytes.substr(0, half)));
    const Expected<Record> second = parse_record(as_bytes(bytes.substr(half)));
    if (!first || !second) {
        return;
    }
    must(first->steps.size() <= k_max_record_entries, "a record's entries are limited");
    const PlanOrFault made = plan_of_records(*first, *second, {{4096, 64}, {4096}});
    if (!made.fault) {
        look_at(made.plan);
    }
}

void source_split(std::string_view bytes) {
    const SplitSource split = split_cuda_source(bytes);
    const auto lines = std::count(bytes.begin(), bytes.end(), '\n');
    must(split.host.size() == bytes.size(), "the host half keeps every byte's place");
    must(std::count(split.host.begin(), split.host.end(), '\n') == lines, "lines stay (host)");
    must(std::count(split.device.begin(), split.device.end(), '\n') == lines,
         "lines stay (device)");
}

void gpu_package(std::string_view bytes) {
    const Expected<GpuPackage> read = read_gpu_package(value_or_throw(memory_file_of(bytes)));
    if (!read) {
        return;
    }
    const auto again = read_gpu_package(value_or_throw(write_gpu_package(*read)));
    must(again.has_value() && again->plans == read->plans && again->cubin == read->cubin,
         "a written package can be read");
}

}  // namespace atl::fuzz
