#include "tests/fuzz/targets.hpp"

#include <array>

namespace atl::fuzz {

std::span<const Target> all_targets() {
    static constexpr std::array k_all = {
        Target{"config", config},
        Target{"task", task},
        Target{"expression", expression},
        Target{"source", source},
        Target{"compile_log", compile_log},
        Target{"cubin", cubin},
        Target{"device_text", device_text},
        Target{"verdict", verdict},
        Target{"judge_answer", judge_answer},
        Target{"frames", frames},
        Target{"messages", messages},
        Target{"journal", journal},
        Target{"records", records},
        Target{"event", event},
        Target{"snapshot", snapshot},
        Target{"lineage", lineage},
        Target{"rows", rows},
        Target{"plan", plan},
        Target{"launch_record", launch_record},
        Target{"source_split", source_split},
        Target{"gpu_package", gpu_package},
        Target{"serve_line", serve_line},
        Target{"serve_head", serve_head},
        Target{"remote_answer", remote_answer},
        Target{"model_reply", model_reply},
        Target{"edit_reply", edit_reply},
        Target{"chat_documents", chat_documents},
        Target{"trainer_request", trainer_request},
    };
    return k_all;
}

}  // namespace atl::fuzz
