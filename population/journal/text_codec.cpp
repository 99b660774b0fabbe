#include "population/journal/text_codec.hpp"

#include "population/byte_codec.hpp"

#include <zstd.h>

#include <algorithm>
#include <bit>

namespace atl {

namespace {

/// Measured on runs of C++ kernels: higher levels gain under 2 % and cost more than twice the time.
constexpr int k_level = 6;
constexpr int k_quick_level = 1;

int window_log(std::size_t bytes) {
    return std::clamp(static_cast<int>(std::bit_width(bytes)), 10, 27);
}

}  // namespace

std::string encode_stored_text(const StoredText& stored) {
    ByteWriter out;
    out.u8(static_cast<std::uint8_t>(stored.method));
    out.u32(stored.size);
    out.digest(stored.id);
    if (stored.method == TextMethod::reference) {
        out.u64(stored.reference);
    }
    out.raw(stored.packed);
    return out.take();
}

Expected<StoredText> decode_stored_text(std::string_view payload) {
    ByteReader in(payload);
    StoredText stored;
    const std::uint8_t method = in.u8();
    if (method > static_cast<std::uint8_t>(TextMethod::reference)) {
        in.fail("unknown text method " + std::to_string(method));
    }
    stored.method = static_cast<TextMethod>(method);
    stored.size = in.u32();
    if (stored.size > k_max_text_bytes) {
        in.fail("a text is longer than " + std::to_string(k_max_text_bytes) + " bytes");
    }
    stored.id = in.digest();
    if (stored.method == TextMethod::reference) {
        stored.reference = in.u64();
    }
    stored.packed = in.rest();
    ATOLL_TRY(in.finish());
    return stored;
}

struct TextUnpacker::Context {
    ZSTD_DCtx* zstd = nullptr;
    Context() = default;
    ~Context() { ZSTD_freeDCtx(zstd); }
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;
};

TextUnpacker::TextUnpacker() : m_context(std::make_unique<Context>()) {}
TextUnpacker::~TextUnpacker() = default;

Expected<std::string> TextUnpacker::unpack(const StoredText& stored, std::string_view reference) {
    if (stored.method == TextMethod::plain) {
        return std::string(stored.packed);
    }
    ZSTD_DCtx*& zstd = m_context->zstd;
    zstd = zstd == nullptr ? ZSTD_createDCtx() : zstd;
    if (zstd == nullptr) {
        return failure(ErrorCode::no_space, "no memory to unpack a text");
    }
    ZSTD_DCtx_reset(zstd, ZSTD_reset_session_and_parameters);
    if (stored.method == TextMethod::reference) {
        ZSTD_DCtx_refPrefix(zstd, reference.data(), reference.size());
    }
    std::string text(stored.size, '\0');
    const std::size_t got = ZSTD_decompressDCtx(zstd, text.data(), text.size(),
                                                stored.packed.data(), stored.packed.size());
    if (ZSTD_isError(got) != 0 || got != text.size()) {
        return failure(ErrorCode::corrupt, "text " + stored.id.short_hex() + " cannot be unpacked");
    }
    return text;
}

Expected<std::string> unpack_text(const StoredText& stored, std::string_view reference) {
    return TextUnpacker().unpack(stored, reference);
}

std::string pack_quickly(std::string_view bytes) {
    std::string packed(ZSTD_compressBound(bytes.size()), '\0');
    const std::size_t size =
        ZSTD_compress(packed.data(), packed.size(), bytes.data(), bytes.size(), k_quick_level);
    packed.resize(ZSTD_isError(size) != 0 ? 0 : size);
    return packed;
}

struct TextPacker::Context {
    ZSTD_CCtx* zstd = ZSTD_createCCtx();
    Context() = default;
    ~Context() { ZSTD_freeCCtx(zstd); }
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;
};

TextPacker::TextPacker() : m_context(std::make_unique<Context>()) {}
TextPacker::~TextPacker() = default;

std::string TextPacker::pack(std::string_view text, std::string_view prefix) {
    ZSTD_CCtx* zstd = m_context->zstd;
    if (zstd == nullptr) {
        return {};
    }
    ZSTD_CCtx_reset(zstd, ZSTD_reset_session_and_parameters);
    ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, k_level);
    ZSTD_CCtx_setParameter(zstd, ZSTD_c_windowLog, window_log(text.size() + prefix.size()));
    if (!prefix.empty()) {
        ZSTD_CCtx_refPrefix(zstd, prefix.data(), prefix.size());
    }
    std::string packed(ZSTD_compressBound(text.size()), '\0');
    const std::size_t size =
        ZSTD_compress2(zstd, packed.data(), packed.size(), text.data(), text.size());
    packed.resize(ZSTD_isError(size) != 0 ? 0 : size);
    return packed;
}

}  // namespace atl
