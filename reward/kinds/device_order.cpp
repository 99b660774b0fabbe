#include "reward/kinds/device_order.hpp"

#include "reward/kinds/device_reply.hpp"

#include <utility>

namespace atl {

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::string source_with_defines(const Candidate& candidate) {
    std::string defines;
    for (const auto& [name, value] : candidate.tune) {
        defines += "#define " + name + " " + value + "\n";
    }
    return defines + candidate.source;
}

DeviceOrder device_order(const EvaluationRequest& request, const EvaluationLimits& limits) {
    DeviceOrder order;
    order.task = request.task;
    order.evaluate.task = request.task->digest;
    order.evaluate.level = request.level;
    order.evaluate.cutoff_ns = request.cutoff_ns;
    order.evaluate.confidence = limits.confidence;
    order.evaluate.measure_seconds = limits.measure_seconds;
    order.evaluate.launch_timeout_s = limits.launch_timeout_s;
    order.evaluate.memory_bytes = limits.memory_bytes;
    if (request.level != Level::confirm) {
        order.evaluate.protocol = limits.protocol;
    }
    return order;
}

void add_to_order(const Rival& rival, std::shared_ptr<const FileHandle> binary,
                  Prepared& prepared) {
    prepared.order.evaluate.rivals.push_back(rival.name);
    prepared.order.evaluate.rival_trusted.push_back(!rival.libraries.empty());
    prepared.order.binaries.push_back(std::move(binary));
}

void leave_out(const Rival& rival, const std::string& why, Prepared& prepared) {
    append_note(prepared.verdict.noise, "rival '" + rival.name + "' was left out: " + why);
}

Expected<Verdict> execute_on(DeviceLane& lane, Prepared prepared) {
    ATOLL_TRY_ASSIGN(EvaluateReply reply, lane.evaluate(prepared.order));
    add_device_reply(std::move(reply), prepared.verdict);
    return std::move(prepared.verdict);
}

}  // namespace atl
