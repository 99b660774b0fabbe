#include "population/event_codec.hpp"

namespace atl {

void write_fields(ByteWriter& out, const LogOpened& event) {
    out.string(event.atoll_version);
    out.string(event.devices);
    out.i64(event.wall_ns);
}

LogOpened read_log_opened(ByteReader& in) {
    return {in.string(), in.string(), in.i64()};
}

void write_fields(ByteWriter& out, const RolloutRecorded& event) {
    const Rollout& one = event.rollout;
    out.u64(one.number);
    out.string(one.task);
    out.digest(one.task_digest);
    out.string(one.kind);
    out.string(one.device);
    out.string(one.level);
    one.tune.write(out);
    out.u32(static_cast<std::uint32_t>(one.flags.size()));
    for (const std::string& flag : one.flags) {
        out.string(flag);
    }
    out.digest(one.source);
    out.digest(one.reply);
    out.string(one.trajectory);
    out.string(one.group);
    out.string(one.policy_version);
    out.i64(one.turn);
    out.digest(one.token_ids);
    out.digest(one.log_probabilities);
    out.boolean(one.fault);
    out.string(one.reason);
    out.u8(static_cast<std::uint8_t>(one.outcome));
    out.digest(one.verdict);
    out.digest(one.baseline);
    out.u32(static_cast<std::uint32_t>(one.scores.size()));
    for (const auto& [preset, value] : one.scores) {
        out.string(preset);
        out.f64(value);
    }
    out.boolean(one.cached);
    out.i64(one.wall_ns);
    out.f64(one.seconds);
}

RolloutRecorded read_rollout_recorded(ByteReader& in) {
    Rollout one;
    one.number = in.u64();
    one.task = in.string();
    one.task_digest = in.digest();
    one.kind = in.string();
    one.device = in.string();
    one.level = in.string();
    one.tune = TuneValues::read(in);
    one.flags.resize(in.count(4));
    for (std::string& flag : one.flags) {
        flag = in.string();
    }
    one.source = in.digest();
    one.reply = in.digest();
    one.trajectory = in.string();
    one.group = in.string();
    one.policy_version = in.string();
    one.turn = in.i64();
    one.token_ids = in.digest();
    one.log_probabilities = in.digest();
    one.fault = in.boolean();
    one.reason = in.string();
    one.outcome = read_outcome(in);
    one.verdict = in.digest();
    one.baseline = in.digest();
    one.scores.resize(in.count(12));
    for (auto& [preset, value] : one.scores) {
        preset = in.string();
        value = in.f64();
    }
    one.cached = in.boolean();
    one.wall_ns = in.i64();
    one.seconds = in.f64();
    return {std::move(one)};
}

}  // namespace atl
