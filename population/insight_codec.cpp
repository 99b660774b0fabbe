#include "population/event_codec.hpp"

namespace atl {

void write_fields(ByteWriter& out, const InsightNoted& event) {
    out.u64(event.after_commit);
    out.string(event.model);
    out.digest(event.prompt);
    out.digest(event.reply);
    out.u32(static_cast<std::uint32_t>(event.items.size()));
    for (const std::string& item : event.items) {
        out.string(item);
    }
    out.i64(event.at_ns);
}

InsightNoted read_insight_noted(ByteReader& in) {
    InsightNoted event{in.u64(), in.string(), in.digest(), in.digest(), {}, 0};
    event.items.resize(in.count(4, InsightNoted::k_max_items));
    for (std::string& item : event.items) {
        item = in.string();
        if (item.empty() || item.size() > InsightNoted::k_max_item_bytes) {
            in.fail("an insight of an impossible length");
        }
    }
    event.at_ns = in.i64();
    if (event.reply.is_zero() && !event.items.empty()) {
        in.fail("insights without a reply");
    }
    return event;
}

}  // namespace atl
