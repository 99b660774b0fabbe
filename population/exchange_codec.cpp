#include "population/event_codec.hpp"

namespace atl {

void write_fields(ByteWriter& out, const ModelExchanged& event) {
    out.u64(event.ticket);
    out.u64(event.occurrence);
    out.string(event.model);
    out.digest(event.request);
    out.digest(event.reply);
    out.string(event.error_code);
    out.string(event.error);
    for (const std::int64_t amount :
         {event.prompt_tokens, event.cached_tokens, event.completion_tokens, event.reasoning_tokens,
          event.nano_dollars, event.at_ns}) {
        out.i64(amount);
    }
    out.f64(event.seconds);
}

ModelExchanged read_model_exchanged(ByteReader& in) {
    ModelExchanged event;
    event.ticket = in.u64();
    event.occurrence = in.u64();
    event.model = in.string();
    event.request = in.digest();
    event.reply = in.digest();
    event.error_code = in.string();
    event.error = in.string();
    for (std::int64_t* amount :
         {&event.prompt_tokens, &event.cached_tokens, &event.completion_tokens,
          &event.reasoning_tokens, &event.nano_dollars}) {
        *amount = in.i64();
        if (*amount < -1) {
            in.fail("an amount below -1");
        }
    }
    event.at_ns = in.i64();
    event.seconds = in.f64();
    if (event.reply.is_zero() == event.error_code.empty()) {
        in.fail("an exchange has either a reply or an error");
    }
    return event;
}

}  // namespace atl
