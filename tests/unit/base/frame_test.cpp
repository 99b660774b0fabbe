#include "reward/base/frame.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <thread>

namespace {

using namespace std::chrono_literals;
using atl::ErrorCode;
using atl::FileHandle;
using atl::Frame;
using atl::FrameChannel;
using atl::FrameType;

struct Ends {
    FrameChannel left;
    FrameChannel right;
};

Ends make_ends() {
    auto pair = atl::make_socket_pair();
    EXPECT_TRUE(pair.has_value());
    return {FrameChannel(std::move(pair->first)), FrameChannel(std::move(pair->second))};
}

/// A well-formed header; tests spoil one field of it.
std::string header_of(std::uint32_t payload_bytes = 0, std::uint16_t handles = 0) {
    std::string bytes(atl::k_frame_header_bytes, '\0');
    std::memcpy(bytes.data(), "ATFR", 4);
    bytes[4] = 1;
    bytes[6] = static_cast<char>(FrameType::ready);
    std::memcpy(bytes.data() + 20, &payload_bytes, 4);
    std::memcpy(bytes.data() + 32, &handles, 2);
    return bytes;
}

void write_raw(const FrameChannel& channel, const std::string& bytes) {
    ASSERT_EQ(::send(channel.fd(), bytes.data(), bytes.size(), 0),
              static_cast<ssize_t>(bytes.size()));
}

ErrorCode error_after(const std::string& bytes) {
    Ends ends = make_ends();
    write_raw(ends.left, bytes);
    const auto frame = ends.right.receive(1000ms);
    EXPECT_FALSE(frame.has_value());
    return frame ? ErrorCode::internal : frame.error().code;
}

FileHandle memory_file(const std::string& text) {
    FileHandle file(::memfd_create("test", MFD_CLOEXEC));
    EXPECT_EQ(::write(file.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
    return file;
}

std::string text_of(const FileHandle& file) {
    std::array<char, 64> text{};
    const ssize_t size = ::pread(file.get(), text.data(), text.size(), 0);
    return {text.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
}

TEST(Frame, CarriesEveryFieldAndItsHandles) {
    Ends ends = make_ends();
    Frame sent;
    sent.type = FrameType::compile;
    sent.request = 0x1122334455667788;
    sent.generation = 0xdeadbeef;
    sent.deadline = 123456789012345ns;
    sent.payload = "{\"flags\":[]}";
    sent.handles.push_back(memory_file("first"));
    sent.handles.push_back(memory_file("second"));
    ASSERT_TRUE(ends.left.send(sent).has_value());

    const auto got = ends.right.receive(1000ms);
    ASSERT_TRUE(got.has_value());
    EXPECT_EQ(got->type, sent.type);
    EXPECT_EQ(got->request, sent.request);
    EXPECT_EQ(got->generation, sent.generation);
    EXPECT_EQ(got->deadline, sent.deadline);
    EXPECT_EQ(got->payload, sent.payload);
    ASSERT_EQ(got->handles.size(), 2u);
    EXPECT_EQ(text_of(got->handles[0]), "first");
    EXPECT_EQ(text_of(got->handles[1]), "second");
    EXPECT_NE(::fcntl(got->handles[0].get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(Frame, KeepsTheOrderAndTheHandlesOfFramesThatLieInTheSocketTogether) {
    Ends ends = make_ends();
    for (int i = 0; i < 3; ++i) {
        Frame frame;
        frame.request = static_cast<std::uint64_t>(i);
        frame.payload = std::string(static_cast<std::size_t>(i) * 100, 'x');
        frame.handles.push_back(memory_file(std::to_string(i)));
        ASSERT_TRUE(ends.left.send(frame).has_value());
    }
    for (int i = 0; i < 3; ++i) {
        const auto frame = ends.right.receive(1000ms);
        ASSERT_TRUE(frame.has_value());
        EXPECT_EQ(frame->request, static_cast<std::uint64_t>(i));
        EXPECT_EQ(frame->payload.size(), static_cast<std::size_t>(i) * 100);
        ASSERT_EQ(frame->handles.size(), 1u);
        EXPECT_EQ(text_of(frame->handles[0]), std::to_string(i));
    }
}

TEST(Frame, PassesAPayloadLargerThanTheSocketBuffer) {
    Ends ends = make_ends();
    Frame sent;
    sent.payload.assign(8u << 20, 'p');
    sent.handles.push_back(memory_file("with it"));
    std::thread sender([&] { EXPECT_TRUE(ends.left.send(sent).has_value()); });
    const auto got = ends.right.receive(10'000ms);
    sender.join();
    ASSERT_TRUE(got.has_value());
    EXPECT_EQ(got->payload, sent.payload);
    EXPECT_EQ(got->handles.size(), 1u);
}

TEST(Frame, RefusesToSendWhatBreaksALimit) {
    Ends ends = make_ends();
    Frame frame;
    frame.payload.assign(atl::k_max_frame_bytes + 1, 'x');
    EXPECT_EQ(ends.left.send(frame).error().code, ErrorCode::limit);
    frame.payload.clear();
    for (std::size_t i = 0; i <= atl::k_max_frame_handles; ++i) {
        frame.handles.push_back(memory_file(""));
    }
    EXPECT_EQ(ends.left.send(frame).error().code, ErrorCode::limit);
}

TEST(Frame, CallsABadHeaderCorrupt) {
    const auto spoiled = [](std::size_t offset, char value) {
        std::string bytes = header_of();
        bytes[offset] = value;
        return bytes;
    };
    EXPECT_EQ(error_after(spoiled(0, 'X')), ErrorCode::corrupt);      // magic
    EXPECT_EQ(error_after(spoiled(4, 2)), ErrorCode::corrupt);        // version
    EXPECT_EQ(error_after(spoiled(6, 99)), ErrorCode::corrupt);       // type
    EXPECT_EQ(error_after(spoiled(6, 0)), ErrorCode::corrupt);        // type
    EXPECT_EQ(error_after(spoiled(31, '\x80')), ErrorCode::corrupt);  // negative deadline
    EXPECT_EQ(error_after(spoiled(39, 1)), ErrorCode::corrupt);       // reserved
    EXPECT_EQ(error_after(header_of(atl::k_max_frame_bytes + 1)), ErrorCode::corrupt);
    EXPECT_EQ(error_after(header_of(0, 1)), ErrorCode::corrupt);  // announced, but none came
}

TEST(Frame, RefusesHandlesThatWereNotAnnounced) {
    Ends ends = make_ends();
    std::string bytes = header_of();
    FileHandle file = memory_file("");
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    iovec part{bytes.data(), bytes.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    const int fd = file.get();
    std::memcpy(CMSG_DATA(head), &fd, sizeof(fd));
    ASSERT_GT(::sendmsg(ends.left.fd(), &message, 0), 0);
    const auto frame = ends.right.receive(1000ms);
    ASSERT_FALSE(frame.has_value());
    EXPECT_EQ(frame.error().code, ErrorCode::corrupt);
}

TEST(Frame, StaysBrokenAfterACorruptFrame) {
    Ends ends = make_ends();
    write_raw(ends.left, std::string(atl::k_frame_header_bytes, '\0'));
    EXPECT_EQ(ends.right.receive(1000ms).error().code, ErrorCode::corrupt);
    ASSERT_TRUE(ends.left.send(Frame{}).has_value());
    EXPECT_EQ(ends.right.receive(1000ms).error().code, ErrorCode::corrupt);
}

TEST(Frame, TellsTheEndOfThePeerFromATornFrame) {
    {
        Ends ends = make_ends();
        { const FrameChannel gone = std::move(ends.left); }
        EXPECT_EQ(ends.right.receive(-1ms).error().code, ErrorCode::unavailable);
        EXPECT_EQ(ends.right.send(Frame{}).error().code, ErrorCode::unavailable);
    }
    {
        Ends ends = make_ends();
        write_raw(ends.left, header_of(10) + "half");
        { const FrameChannel gone = std::move(ends.left); }
        EXPECT_EQ(ends.right.receive(-1ms).error().code, ErrorCode::corrupt);
    }
}

TEST(Frame, KeepsAHalfFrameOverATimeout) {
    Ends ends = make_ends();
    EXPECT_EQ(ends.right.receive(0ms).error().code, ErrorCode::timeout);
    const std::string bytes = header_of(4) + "text";
    write_raw(ends.left, bytes.substr(0, 13));
    EXPECT_EQ(ends.right.receive(0ms).error().code, ErrorCode::timeout);
    write_raw(ends.left, bytes.substr(13));
    const auto frame = ends.right.receive(1000ms);
    ASSERT_TRUE(frame.has_value());
    EXPECT_EQ(frame->payload, "text");
}

TEST(Frame, CarriesAnErrorInAFailedFrame) {
    const atl::Error error{ErrorCode::permission, "no namespaces", "sandbox", "allow them"};
    const Frame frame = atl::make_failed_frame(7, error);
    EXPECT_EQ(frame.request, 7u);
    const atl::Error back = atl::parse_failed_frame(frame);
    EXPECT_EQ(back.code, error.code);
    EXPECT_EQ(back.message(), error.message());

    Frame bad;
    bad.type = FrameType::failed;
    bad.payload = "{\"code\":99,\"what\":\"\",\"where\":\"\",\"hint\":\"\"}";
    EXPECT_EQ(atl::parse_failed_frame(bad).code, ErrorCode::corrupt);
    bad.payload = "nonsense";
    EXPECT_EQ(atl::parse_failed_frame(bad).code, ErrorCode::corrupt);
}

}  // namespace
