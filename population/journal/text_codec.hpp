#pragma once

#include "reward/base/error.hpp"
#include "reward/base/hash.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace atl {

inline constexpr std::size_t k_max_text_bytes = 64u << 20;
/// Longer references are not used: the window that the decoder needs must stay small.
inline constexpr std::size_t k_max_reference_bytes = 8u << 20;

/// How a text's bytes are stored. On disk: only append.
enum class TextMethod : std::uint8_t {
    plain = 0,      ///< as they are
    zstd = 1,       ///< one zstd frame
    reference = 2,  ///< one zstd frame with the text of an earlier record as its prefix
};

/// The payload of a text record: u8 method, u32 length of the text, its id, for `reference` the
/// u64 position of the payload referred to, then the packed bytes.
struct StoredText {
    TextMethod method = TextMethod::plain;
    std::uint32_t size = 0;  ///< unpacked
    Digest id;
    std::uint64_t reference = 0;
    std::string_view packed;
};

[[nodiscard]] std::string encode_stored_text(const StoredText& stored);
/// Checks the form, not the packed bytes. `packed` points into `payload`.
[[nodiscard]] Expected<StoredText> decode_stored_text(std::string_view payload);

/// Unpacks texts, keeping its working memory between calls. Not thread-safe.
class TextUnpacker {
  public:
    TextUnpacker();
    ~TextUnpacker();
    TextUnpacker(const TextUnpacker&) = delete;
    TextUnpacker& operator=(const TextUnpacker&) = delete;

    /// `reference` is the text referred to (empty for the other methods). Errors: corrupt. Does not
    /// compare with the id.
    [[nodiscard]] Expected<std::string> unpack(const StoredText& stored,
                                               std::string_view reference);

  private:
    struct Context;
    std::unique_ptr<Context> m_context;
};

/// For one text.
[[nodiscard]] Expected<std::string> unpack_text(const StoredText& stored,
                                                std::string_view reference);

/// One zstd frame, for a lot of bytes: fast rather than small. Empty when zstd cannot (out of
/// memory).
[[nodiscard]] std::string pack_quickly(std::string_view bytes);

/// Compresses texts, keeping its working memory between calls. Not thread-safe.
class TextPacker {
  public:
    TextPacker();
    ~TextPacker();
    TextPacker(const TextPacker&) = delete;
    TextPacker& operator=(const TextPacker&) = delete;

    /// One zstd frame; `prefix` (may be empty) must be given again to unpack. Empty when zstd
    /// cannot (out of memory): store the text plain then.
    [[nodiscard]] std::string pack(std::string_view text, std::string_view prefix);

  private:
    struct Context;
    std::unique_ptr<Context> m_context;
};

}  // namespace atl
