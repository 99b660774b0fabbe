#pragma once

#include <boost/beast/core/flat_buffer.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>

namespace atl {

/// Cuts what is read from a connection into lines, without copying them. Not thread-safe.
class LineInput {
  public:
    static constexpr std::size_t k_read_bytes = 64u << 10;

    /// `most`: bytes of an unfinished line at which the owner stops to read more.
    explicit LineInput(std::size_t most) : m_buffer(most + 2 * k_read_bytes) {}

    /// The next whole line without its end, valid until the next call of anything here.
    std::optional<std::string_view> take() {
        m_buffer.consume(m_taken);
        m_taken = 0;
        const std::string_view text(static_cast<const char*>(m_buffer.data().data()),
                                    m_buffer.size());
        const std::size_t end = text.find('\n', m_searched);
        if (end == std::string_view::npos) {
            m_searched = text.size();
            return std::nullopt;
        }
        m_searched = 0;
        m_taken = end + 1;
        return text.substr(0, end);
    }
    /// Where to read to. REQUIRES that take() gave nothing.
    [[nodiscard]] auto room(std::size_t bytes = k_read_bytes) {
        if (m_buffer.size() <= k_read_bytes && long_line_bytes() > 0) {
            m_buffer.shrink_to_fit();  // a client that sent one long line may stay for days
        }
        return m_buffer.prepare(bytes);
    }
    /// What it takes of memory besides what any line may.
    [[nodiscard]] std::size_t long_line_bytes() const {
        return m_buffer.capacity() - std::min(m_buffer.capacity(), 2 * k_read_bytes);
    }
    void commit(std::size_t bytes) { m_buffer.commit(bytes); }
    /// Bytes of the line that is not finished. REQUIRES that take() gave nothing.
    [[nodiscard]] std::size_t unfinished() const { return m_buffer.size(); }

  private:
    boost::beast::flat_buffer m_buffer;
    std::size_t m_searched = 0;  // no line's end before it
    std::size_t m_taken = 0;     // of the line that was handed out
};

}  // namespace atl
