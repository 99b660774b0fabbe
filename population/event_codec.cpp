#include "population/event_codec.hpp"

#include <array>
#include <type_traits>
#include <utility>

namespace atl {

namespace {

constexpr std::array<const char*, k_event_types> k_names = {
    "CampaignStarted", "SessionOpened",  "TicketIssued",    "Evaluated",       "TicketFailed",
    "TicketCommitted", "Migrated",       "Confirmed",       "CampaignStopped", "TurnedDown",
    "IslandsReset",    "LogOpened",      "RolloutRecorded", "ModelExchanged",  "InsightNoted",
    "IslandSpawned",   "ProgressWatched"};

void write_parents(ByteWriter& out, const std::vector<Parent>& parents) {
    out.u32(static_cast<std::uint32_t>(parents.size()));
    for (const Parent& parent : parents) {
        out.u64(parent.id.value);
        out.u8(static_cast<std::uint8_t>(parent.role));
        out.f64(parent.probability);
    }
}

std::vector<Parent> read_parents(ByteReader& in) {
    std::vector<Parent> parents(in.count(17));
    for (Parent& parent : parents) {
        parent.id.value = in.u64();
        const std::uint8_t role = in.u8();
        if (role > static_cast<std::uint8_t>(ParentRole::exemplar)) {
            in.fail("unknown parent role " + std::to_string(role));
        }
        parent.role = static_cast<ParentRole>(role);
        parent.probability = in.f64();
    }
    return parents;
}

std::vector<std::string> read_strings(ByteReader& in) {
    std::vector<std::string> strings(in.count(4));
    for (std::string& text : strings) {
        text = in.string();
    }
    return strings;
}

void write_fields(ByteWriter& out, const SessionOpened& event) {
    out.u32(event.session);
    out.i64(event.wall_ns);
    out.string(event.device);
    out.i64(event.limits.max_evaluations);
    out.f64(event.limits.seconds);
}

void write_fields(ByteWriter& out, const Evaluated& event) {
    write_fields(out, event.individual);
}

void write_fields(ByteWriter& out, const TicketFailed& event) {
    out.u64(event.ticket);
    out.string(event.reason);
    out.boolean(event.fault);
}

void write_fields(ByteWriter& out, const TicketCommitted& event) {
    out.u64(event.ticket);
    out.f64(event.reward);
    out.i64(event.at_ns);
    out.f64(event.compile_seconds);
    out.f64(event.device_seconds);
}

// Braced initialisers are evaluated left to right, so fields are read in the order of the struct.
SessionOpened read_session_opened(ByteReader& in, std::uint8_t layout) {
    SessionOpened event{in.u32(), in.i64(), in.string(), {}};
    if (layout >= 2) {
        event.limits = {in.i64(), in.f64()};
    }
    return event;
}

TicketFailed read_ticket_failed(ByteReader& in, std::uint8_t layout) {
    TicketFailed event{in.u64(), in.string(), false};
    // Layout 1 told faults by the reason alone.
    event.fault = layout >= 2 ? in.boolean() : event.reason.starts_with("fault: ");
    return event;
}

TicketCommitted read_ticket_committed(ByteReader& in) {
    return {in.u64(), in.f64(), in.i64(), in.f64(), in.f64()};
}

/// `type` must be one of Event's indices.
Event read_event(std::uint32_t type, std::uint8_t layout, ByteReader& in) {
    switch (type) {
        case 0:
            return read_campaign_started(in);
        case 1:
            return read_session_opened(in, layout);
        case 2:
            return read_ticket_issued(in, layout);
        case 3:
            return Evaluated{read_individual(in, layout)};
        case 4:
            return read_ticket_failed(in, layout);
        case 5:
            return read_ticket_committed(in);
        case 6:
            return read_migrated(in);
        case 7:
            return read_confirmed(in);
        case 8:
            return read_campaign_stopped(in);
        case 9:
            return read_turned_down(in, layout);
        case 10:
            return read_islands_reset(in);
        case 11:
            return read_log_opened(in);
        case 12:
            return read_rollout_recorded(in);
        case 13:
            return read_model_exchanged(in);
        case 14:
            return read_insight_noted(in);
        case 15:
            return read_island_spawned(in);
        default:
            return read_progress_watched(in);
    }
}

}  // namespace

Outcome read_outcome(ByteReader& in) {
    const std::uint8_t value = in.u8();
    if (value >= k_outcome_count) {
        in.fail("unknown outcome " + std::to_string(value));
        return Outcome::rejected;
    }
    return static_cast<Outcome>(value);
}

namespace {

void write_first_layout(ByteWriter& out, const Individual& individual) {
    out.u64(individual.id.value);
    out.u32(individual.island);
    out.digest(individual.key);
    out.digest(individual.source);
    individual.tune.write(out);
    out.u32(static_cast<std::uint32_t>(individual.flags.size()));
    for (const std::string& flag : individual.flags) {
        out.string(flag);
    }
    out.string(individual.starter);
    write_parents(out, individual.parents);
    out.string(individual.operator_name);
    out.string(individual.description);
    out.digest(individual.prompt);
    out.digest(individual.reply);
    out.u8(static_cast<std::uint8_t>(individual.outcome));
    out.f64(individual.fitness);
    out.f64(individual.time_ns);
    out.digest(individual.verdict);
    out.boolean(individual.duplicate);
    out.u64(individual.staleness);
    out.i64(individual.asked_ns);
    out.i64(individual.done_ns);
}

}  // namespace

void write_fields(ByteWriter& out, const Individual& individual) {
    write_first_layout(out, individual);
    out.u32(static_cast<std::uint32_t>(individual.measures.size()));
    for (const double measure : individual.measures) {
        out.f64(measure);
    }
    out.f64(individual.predicted_gain);
    out.digest(individual.binary);
    out.u8(static_cast<std::uint8_t>(individual.same_by));
    out.u64(individual.same_as.value);
    out.u32(individual.added_lines);
    out.u32(individual.returned_lines);
}

namespace {

void read_sameness(ByteReader& in, Individual& individual) {
    individual.binary = in.digest();
    const std::uint8_t why = in.u8();
    if (why > static_cast<std::uint8_t>(SameBy::binary)) {
        in.fail("unknown reason " + std::to_string(why) + " of a duplicate");
    }
    individual.same_by = static_cast<SameBy>(why);
    individual.same_as.value = in.u64();
}

}  // namespace

Individual read_individual(ByteReader& in, std::uint8_t layout) {
    Individual individual;
    individual.id.value = in.u64();
    individual.island = in.u32();
    individual.key = in.digest();
    individual.source = in.digest();
    individual.tune = TuneValues::read(in);
    individual.flags = read_strings(in);
    individual.starter = in.string();
    individual.parents = read_parents(in);
    individual.operator_name = in.string();
    individual.description = in.string();
    individual.prompt = in.digest();
    individual.reply = in.digest();
    individual.outcome = read_outcome(in);
    individual.fitness = in.f64();
    individual.time_ns = in.f64();
    individual.verdict = in.digest();
    individual.duplicate = in.boolean();
    individual.staleness = in.u64();
    individual.asked_ns = in.i64();
    individual.done_ns = in.i64();
    if (layout >= 2) {
        individual.measures.resize(in.count(sizeof(double)));
        for (double& measure : individual.measures) {
            measure = in.f64();
        }
    }
    if (layout >= 3) {
        individual.predicted_gain = in.f64();
        read_sameness(in, individual);
        individual.added_lines = in.u32();
        individual.returned_lines = in.u32();
    }
    return individual;
}

void write_fields(ByteWriter& out, const CampaignStarted& event) {
    out.string(event.atoll_version);
    out.string(event.config);
    out.string(event.task_name);
    out.digest(event.task_digest);
    out.string(event.device);
    out.string(event.fingerprint);
    out.u64(event.seed);
    out.i64(event.started_wall_ns);
}

CampaignStarted read_campaign_started(ByteReader& in) {
    return {in.string(), in.string(), in.string(), in.digest(),
            in.string(), in.string(), in.u64(),    in.i64()};
}

void write_fields(ByteWriter& out, const TicketIssued& event) {
    out.u64(event.ticket);
    out.u32(event.island);
    out.f64(event.island_probability);
    out.string(event.operator_name);
    out.f64(event.operator_probability);
    write_parents(out, event.parents);
    out.u64(event.commits_seen);
    out.i64(event.at_ns);
    out.string(event.model);
    out.f64(event.model_probability);
    out.string(event.strategy);
    out.f64(event.strategy_probability);
    out.u8(static_cast<std::uint8_t>(event.step));
    out.f64(event.step_probability);
    out.digest(event.memory);
}

TicketIssued read_ticket_issued(ByteReader& in, std::uint8_t layout) {
    TicketIssued event{in.u64(), in.u32(),         in.f64(), in.string(),
                       in.f64(), read_parents(in), in.u64(), in.i64()};
    if (layout >= 2) {
        event.model = in.string();
        event.model_probability = in.f64();
        event.strategy = in.string();
        event.strategy_probability = in.f64();
        const std::uint8_t step = in.u8();
        if (step > static_cast<std::uint8_t>(StepSize::large)) {
            in.fail("unknown step size " + std::to_string(step));
        }
        event.step = static_cast<StepSize>(step);
        event.step_probability = in.f64();
    }
    if (layout >= 3) {
        event.memory = in.digest();
    }
    return event;
}

void write_fields(ByteWriter& out, const Migrated& event) {
    out.u64(event.individual.value);
    out.u32(event.from);
    out.u32(event.to);
    out.f64(event.probability);
    out.u64(event.after_commit);
}

Migrated read_migrated(ByteReader& in) {
    return {{in.u64()}, in.u32(), in.u32(), in.f64(), in.u64()};
}

void write_fields(ByteWriter& out, const Confirmed& event) {
    out.u64(event.individual.value);
    out.boolean(event.accepted);
    out.f64(event.fitness);
    out.u64(event.rival.value);
    out.f64(event.rival_fitness);
    out.u8(static_cast<std::uint8_t>(event.outcome));
    out.digest(event.verdict);
    out.i64(event.at_ns);
}

Confirmed read_confirmed(ByteReader& in) {
    return {{in.u64()}, in.boolean(),     in.f64(),    {in.u64()},
            in.f64(),   read_outcome(in), in.digest(), in.i64()};
}

void write_fields(ByteWriter& out, const CampaignStopped& event) {
    out.string(event.reason);
    out.boolean(event.finished);
    out.i64(event.at_ns);
}

CampaignStopped read_campaign_stopped(ByteReader& in) {
    return {in.string(), in.boolean(), in.i64()};
}

// What is turned down was not measured, so it is written as individuals were at first.
void write_fields(ByteWriter& out, const TurnedDown& event) {
    write_first_layout(out, event.proposal);
    out.u64(event.similar.value);
    out.f64(event.similarity);
    out.u8(static_cast<std::uint8_t>(event.why));
    out.u32(event.proposal.added_lines);
    out.u32(event.proposal.returned_lines);
}

TurnedDown read_turned_down(ByteReader& in, std::uint8_t layout) {
    TurnedDown event{read_individual(in, 1), {in.u64()}, in.f64()};
    if (layout >= 2) {
        const std::uint8_t why = in.u8();
        if (why > static_cast<std::uint8_t>(TurnedDownFor::returning)) {
            in.fail("unknown reason " + std::to_string(why) + " to turn a proposal down");
        }
        event.why = static_cast<TurnedDownFor>(why);
        event.proposal.added_lines = in.u32();
        event.proposal.returned_lines = in.u32();
    }
    return event;
}

void write_fields(ByteWriter& out, const IslandSpawned& event) {
    out.u64(event.after_commit);
    out.u32(event.island);
    out.u64(event.founder.value);
    out.f64(event.probability);
}

IslandSpawned read_island_spawned(ByteReader& in) {
    return {in.u64(), in.u32(), {in.u64()}, in.f64()};
}

void write_fields(ByteWriter& out, const ProgressWatched& event) {
    out.u64(event.after_commit);
    out.f64(event.fitness);
    out.f64(event.diversity);
    out.u32(event.still);
    out.f64(event.heat);
}

ProgressWatched read_progress_watched(ByteReader& in) {
    return {in.u64(), in.f64(), in.f64(), in.u32(), in.f64()};
}

void write_fields(ByteWriter& out, const IslandsReset& event) {
    out.u64(event.after_commit);
    out.u32(static_cast<std::uint32_t>(event.foundings.size()));
    for (const IslandsReset::Founding& founding : event.foundings) {
        out.u32(founding.island);
        out.u32(founding.from);
        out.u64(founding.founder.value);
        out.f64(founding.probability);
    }
}

IslandsReset read_islands_reset(ByteReader& in) {
    IslandsReset event{in.u64(), {}};
    event.foundings.resize(in.count(24));
    for (IslandsReset::Founding& founding : event.foundings) {
        founding = {in.u32(), in.u32(), {in.u64()}, in.f64()};
    }
    return event;
}

const char* to_string(TurnedDownFor why) {
    return why == TurnedDownFor::returning ? "returning" : "similarity";
}

const char* event_name(const Event& event) {
    return k_names[event.index()];
}

std::string encode_event(const Event& event) {
    ByteWriter out;
    out.u8(k_event_layouts[event.index()]);
    std::visit([&out](const auto& fields) { write_fields(out, fields); }, event);
    return out.take();
}

Expected<Event> decode_event(std::uint32_t type, std::string_view bytes) {
    if (type >= k_event_types) {
        return failure(ErrorCode::too_new, "unknown event type " + std::to_string(type), {},
                       "read it with the version of Atoll that wrote it, or a later one");
    }
    ByteReader in(bytes);
    const std::uint8_t layout = in.u8();
    if (in.ok() && layout > k_event_layouts[type]) {
        return failure(ErrorCode::too_new,
                       std::string(k_names[type]) + " has layout " + std::to_string(layout) +
                           "; this program knows up to " + std::to_string(k_event_layouts[type]),
                       {}, "read it with the version of Atoll that wrote it, or a later one");
    }
    if (in.ok() && layout == 0) {
        in.fail("layout 0 does not exist");
    }
    Event event = read_event(type, layout, in);
    if (Status status = in.finish(); !status) {
        status.error().what = std::string(k_names[type]) + " " + status.error().what;
        return tl::unexpected<Error>(std::move(status.error()));
    }
    return event;
}

}  // namespace atl
