#pragma once

#include "reward/base/error.hpp"

#include <hdf5.h>

#include <filesystem>
#include <string>
#include <utility>

/// The only door to the HDF5 C library: owned handles, and one wrapper that turns a failed call
/// into an Error carrying the library's own error stack. Internal to population: no header that
/// other rooms include may include this one. Use from one thread at a time.
namespace atl::hdf5 {

/// An owned HDF5 identifier (file, group, data set, type, property list, ...).
class Handle {
  public:
    using Close = herr_t (*)(hid_t);

    Handle() = default;
    Handle(hid_t id, Close closer) : m_id(id), m_close(closer) {}
    ~Handle() { reset(); }
    Handle(Handle&& other) noexcept : m_id(std::exchange(other.m_id, -1)), m_close(other.m_close) {}
    Handle& operator=(Handle&& other) noexcept {
        if (this != &other) {
            reset();
            m_id = std::exchange(other.m_id, -1);
            m_close = other.m_close;
        }
        return *this;
    }

    [[nodiscard]] hid_t get() const { return m_id; }
    [[nodiscard]] explicit operator bool() const { return m_id >= 0; }
    /// Closes and says whether that worked: closing a file writes, so it can fail.
    [[nodiscard]] Status close(const std::string& where);
    /// Closes and ignores the result, for destructors and for files given up.
    void reset() noexcept;
    /// Gives up the ownership; what it named stays open.
    void forget() noexcept { m_id = -1; }

  private:
    hid_t m_id = -1;
    Close m_close = nullptr;
};

/// Stops the library from printing to stderr on this thread (errors are returned instead).
void silence() noexcept;
/// The library's error stack of this thread as one Error. `call` is the text of the failed call.
[[nodiscard]] Error last_error(const char* call, const std::string& where);

template <class Call>
[[nodiscard]] auto checked(const char* text, const std::string& where, Call&& call)
    -> Expected<decltype(call())> {
    silence();
    auto result = call();
    if (result < 0) {
        return tl::unexpected<Error>(last_error(text, where));
    }
    return result;
}

/// Creates (truncating) a file in the newest format, ready for live mode; not inherited by
/// children.
[[nodiscard]] Expected<Handle> create_file(const std::filesystem::path& path);
/// Opens to append while others read; not inherited by children. Refused when it was not closed.
[[nodiscard]] Expected<Handle> open_file_to_append(const std::filesystem::path& path);
enum class LeftOpen { accept, refuse };
/// Opens for reading only, without locks (read-only copies, NFS). A file that a live writer holds
/// or left behind when it was killed is read as a live reader does, or refused.
[[nodiscard]] Expected<Handle> open_file(const std::filesystem::path& path,
                                         LeftOpen left_open = LeftOpen::accept);

/// True when files of this statfs(2) type keep the write order that live readers rely on; false for
/// network and user-space file systems.
[[nodiscard]] bool live_readers_supported(long file_system_type);
[[nodiscard]] bool live_readers_supported(const std::filesystem::path& folder);

}  // namespace atl::hdf5

/// `ATOLL_HDF5(where, H5Dflush(id))`: the result of the call, or an Error with HDF5's explanation.
#define ATOLL_HDF5(where, call) ::atl::hdf5::checked(#call, where, [&] { return (call); })
