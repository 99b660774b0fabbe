#include "reward/base/frame.hpp"

#include "reward/base/json_reader.hpp"

#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace atl {

namespace {

constexpr std::uint32_t k_magic = 0x52465441;  // "ATFR", little-endian
constexpr std::size_t k_read_chunk_bytes = 256u << 10;

/// Offsets of the header's fields (see frame.hpp).
enum Offset : std::size_t {
    k_at_magic = 0,
    k_at_version = 4,
    k_at_type = 6,
    k_at_request = 8,
    k_at_generation = 16,
    k_at_payload_bytes = 20,
    k_at_deadline = 24,
    k_at_handles = 32,
    k_at_zero = 34,
};

template <class Integer>
void put(std::string& bytes, std::size_t offset, Integer value) {
    for (std::size_t i = 0; i < sizeof(Integer); ++i) {
        bytes[offset + i] = static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i));
    }
}

template <class Integer>
Integer take(const std::string& bytes, std::size_t offset) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof(Integer); ++i) {
        value |= std::uint64_t{static_cast<unsigned char>(bytes[offset + i])} << (8 * i);
    }
    return static_cast<Integer>(value);
}

std::string encode_header(const Frame& frame) {
    std::string header(k_frame_header_bytes, '\0');
    put(header, k_at_magic, k_magic);
    put(header, k_at_version, k_frame_version);
    put(header, k_at_type, static_cast<std::uint16_t>(frame.type));
    put(header, k_at_request, frame.request);
    put(header, k_at_generation, frame.generation);
    put(header, k_at_payload_bytes, static_cast<std::uint32_t>(frame.payload.size()));
    put(header, k_at_deadline, static_cast<std::int64_t>(frame.deadline.count()));
    put(header, k_at_handles, static_cast<std::uint16_t>(frame.handles.size()));
    return header;
}

/// Room for the control message that carries the handles.
struct ControlBuffer {
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * k_max_frame_handles)> bytes{};
};

void attach_handles(msghdr& message, ControlBuffer& buffer,
                    const std::vector<FileHandle>& handles) {
    if (handles.empty()) {
        return;
    }
    message.msg_control = buffer.bytes.data();
    message.msg_controllen = CMSG_SPACE(sizeof(int) * handles.size());
    cmsghdr* control = CMSG_FIRSTHDR(&message);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(sizeof(int) * handles.size());
    unsigned char* data = CMSG_DATA(control);
    for (const FileHandle& handle : handles) {
        const int fd = handle.get();
        std::memcpy(data, &fd, sizeof(fd));
        data += sizeof(fd);
    }
}

void collect_handles(msghdr& message, std::vector<FileHandle>& handles) {
    for (cmsghdr* control = CMSG_FIRSTHDR(&message); control != nullptr;
         control = CMSG_NXTHDR(&message, control)) {
        if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        const std::size_t count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(control) + i * sizeof(int), sizeof(int));
            handles.emplace_back(fd);
        }
    }
}

tl::unexpected<Error> corrupt_frame(const std::string& what) {
    return failure(ErrorCode::corrupt, what, "frame");
}

Error peer_gone() {
    return Error{ErrorCode::unavailable, "the other process has gone", "frame", ""};
}

/// True when there is something to read, false when `until` passed.
Expected<bool> wait_readable(int fd, std::optional<std::chrono::steady_clock::time_point> until) {
    while (true) {
        int timeout_ms = -1;
        if (until) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(
                *until - std::chrono::steady_clock::now());
            timeout_ms = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1 << 30));
        }
        pollfd entry{fd, POLLIN, 0};
        const int ready = ::poll(&entry, 1, timeout_ms);
        if (ready > 0) {
            return true;
        }
        if (ready == 0 && timeout_ms == 0) {
            return false;
        }
        if (ready < 0 && errno != EINTR) {
            return tl::unexpected(errno_error("poll", "frame", errno));
        }
    }
}

}  // namespace

Status FrameChannel::send(const Frame& frame) {
    if (frame.payload.size() > k_max_frame_bytes || frame.handles.size() > k_max_frame_handles) {
        return failure(ErrorCode::limit,
                       "a frame of " + std::to_string(frame.payload.size()) + " bytes and " +
                           std::to_string(frame.handles.size()) + " handles is too large",
                       "frame");
    }
    std::string header = encode_header(frame);
    std::array<iovec, 2> parts{
        iovec{header.data(), header.size()},
        iovec{const_cast<char*>(frame.payload.data()), frame.payload.size()}};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    ControlBuffer control;
    attach_handles(message, control, frame.handles);
    while (parts[1].iov_len > 0 || parts[0].iov_len > 0) {
        const ssize_t sent = ::sendmsg(m_socket.get(), &message, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno == EINTR) {
                continue;
            }
            if (errno == EPIPE || errno == ECONNRESET) {
                return tl::unexpected(peer_gone());
            }
            return tl::unexpected(errno_error("sendmsg", "frame", errno));
        }
        // The handles went with the first byte.
        message.msg_control = nullptr;
        message.msg_controllen = 0;
        std::size_t left = static_cast<std::size_t>(sent);
        for (iovec& part : parts) {
            const std::size_t step = std::min(left, part.iov_len);
            part.iov_base = static_cast<char*>(part.iov_base) + step;
            part.iov_len -= step;
            left -= step;
        }
    }
    return {};
}

Status FrameChannel::read_some(std::size_t wanted) {
    // Grow only as bytes arrive, so that a length that lies costs nothing.
    const std::size_t had = m_received.size();
    const std::size_t step = std::min(wanted - had, k_read_chunk_bytes);
    m_received.resize(had + step);
    iovec part{m_received.data() + had, step};
    ControlBuffer control;
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes.data();
    message.msg_controllen = control.bytes.size();
    const ssize_t got = ::recvmsg(m_socket.get(), &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    const int error = errno;
    m_received.resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0) {
        if (error == EINTR || error == EAGAIN) {
            return {};
        }
        if (error == ECONNRESET) {
            return tl::unexpected(peer_gone());
        }
        return tl::unexpected(errno_error("recvmsg", "frame", error));
    }
    collect_handles(message, m_handles);
    if (got == 0) {
        if (had > 0) {
            return corrupt_frame("the other process ended in the middle of a frame");
        }
        return tl::unexpected(peer_gone());
    }
    if ((message.msg_flags & MSG_CTRUNC) != 0 || m_handles.size() > k_max_frame_handles) {
        return corrupt_frame("more handles than a frame may carry");
    }
    return {};
}

Status FrameChannel::check_header() const {
    if (take<std::uint32_t>(m_received, k_at_magic) != k_magic) {
        return corrupt_frame("bad magic");
    }
    const auto version = take<std::uint16_t>(m_received, k_at_version);
    if (version != k_frame_version) {
        return corrupt_frame("version " + std::to_string(version) + ", this program speaks " +
                             std::to_string(k_frame_version));
    }
    const auto type = take<std::uint16_t>(m_received, k_at_type);
    if (type < static_cast<std::uint16_t>(FrameType::ready) ||
        type > static_cast<std::uint16_t>(FrameType::gpu_started)) {
        return corrupt_frame("unknown type " + std::to_string(type));
    }
    const auto bytes = take<std::uint32_t>(m_received, k_at_payload_bytes);
    if (bytes > k_max_frame_bytes) {
        return corrupt_frame("a payload of " + std::to_string(bytes) + " bytes is too large");
    }
    if (take<std::int64_t>(m_received, k_at_deadline) < 0) {
        return corrupt_frame("negative deadline");
    }
    if (take<std::uint16_t>(m_received, k_at_handles) != m_handles.size()) {
        return corrupt_frame("the handles that came are not those announced");
    }
    for (std::size_t i = k_at_zero; i < k_frame_header_bytes; ++i) {
        if (m_received[i] != 0) {
            return corrupt_frame("reserved bytes are not zero");
        }
    }
    return {};
}

Frame FrameChannel::take_frame() {
    Frame frame;
    frame.type = static_cast<FrameType>(take<std::uint16_t>(m_received, k_at_type));
    frame.request = take<std::uint64_t>(m_received, k_at_request);
    frame.generation = take<std::uint32_t>(m_received, k_at_generation);
    frame.deadline = std::chrono::nanoseconds(take<std::int64_t>(m_received, k_at_deadline));
    frame.payload = m_received.substr(k_frame_header_bytes);
    frame.handles = std::exchange(m_handles, {});
    m_received.clear();
    return frame;
}

Expected<Frame> FrameChannel::receive(std::chrono::milliseconds wait) {
    if (m_broken) {
        return corrupt_frame("an earlier frame was corrupt");
    }
    std::optional<std::chrono::steady_clock::time_point> until;
    if (wait.count() >= 0) {
        until = std::chrono::steady_clock::now() + wait;
    }
    std::size_t wanted = k_frame_header_bytes;
    while (true) {
        if (m_received.size() >= k_frame_header_bytes) {
            if (Status header = check_header(); !header) {
                m_broken = true;
                return tl::unexpected(header.error());
            }
            wanted = k_frame_header_bytes + take<std::uint32_t>(m_received, k_at_payload_bytes);
            if (m_received.size() == wanted) {
                return take_frame();
            }
        }
        ATOLL_TRY_ASSIGN(const bool readable, wait_readable(m_socket.get(), until));
        if (!readable) {
            return failure(ErrorCode::timeout, "no frame in time", "frame");
        }
        if (Status read = read_some(wanted); !read) {
            m_broken = read.error().code == ErrorCode::corrupt;
            return tl::unexpected(read.error());
        }
    }
}

Frame make_failed_frame(std::uint64_t request, const Error& error) {
    Frame frame;
    frame.type = FrameType::failed;
    frame.request = request;
    frame.payload = nlohmann::json{
        {"code", static_cast<int>(error.code)},
        {"what", error.what},
        {"where", error.where},
        {"hint",
         error.hint}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    return frame;
}

Error parse_failed_frame(const Frame& frame) {
    const auto json = nlohmann::json::parse(frame.payload, nullptr, false);
    constexpr std::size_t k_max_text_bytes = 1 << 20;
    Error error;
    int code = 0;
    JsonReader fields(json, "failed frame");
    fields.integer("code", code, 0, static_cast<int>(ErrorCode::internal))
        .text("what", error.what, k_max_text_bytes)
        .text("where", error.where, k_max_text_bytes)
        .text("hint", error.hint, k_max_text_bytes);
    if (Status status = fields.finish(); !status) {
        return status.error();
    }
    error.code = static_cast<ErrorCode>(code);
    return error;
}

Expected<std::pair<FileHandle, FileHandle>> make_socket_pair() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        return tl::unexpected(errno_error("socketpair", "frame", errno));
    }
    return std::pair(FileHandle(ends[0]), FileHandle(ends[1]));
}

}  // namespace atl
