#include "reward/base/error.hpp"

#include <cerrno>
#include <cstring>

namespace atl {

const char* to_string(ErrorCode code) {
    switch (code) {
        case ErrorCode::invalid_argument:
            return "invalid_argument";
        case ErrorCode::not_found:
            return "not_found";
        case ErrorCode::already_exists:
            return "already_exists";
        case ErrorCode::permission:
            return "permission";
        case ErrorCode::no_space:
            return "no_space";
        case ErrorCode::io:
            return "io";
        case ErrorCode::corrupt:
            return "corrupt";
        case ErrorCode::too_new:
            return "too_new";
        case ErrorCode::limit:
            return "limit";
        case ErrorCode::timeout:
            return "timeout";
        case ErrorCode::unavailable:
            return "unavailable";
        case ErrorCode::interrupted:
            return "interrupted";
        case ErrorCode::internal:
            return "internal";
    }
    return "internal";
}

std::string Error::message() const {
    std::string text = where.empty() ? what : where + ": " + what;
    if (!hint.empty()) {
        text += " (" + hint + ")";
    }
    return text;
}

namespace {

ErrorCode code_of_errno(int value) {
    switch (value) {
        case ENOENT:
        case ENOTDIR:
            return ErrorCode::not_found;
        case EEXIST:
            return ErrorCode::already_exists;
        case EACCES:
        case EPERM:
        case EROFS:
            return ErrorCode::permission;
        case ENOSPC:
        case EDQUOT:
        case EFBIG:
        case ENOMEM:
            return ErrorCode::no_space;
        case EISDIR:
        case ELOOP:
        case ENAMETOOLONG:
            return ErrorCode::invalid_argument;
        case ETIMEDOUT:
            return ErrorCode::timeout;
        case EINTR:
            return ErrorCode::interrupted;
        default:
            return ErrorCode::io;
    }
}

const char* hint_of_errno(int value) {
    switch (value) {
        case ENOSPC:
        case EDQUOT:
            return "free space on that file system";
        case EFBIG:
            return "raise the limit on the size of files: ulimit -f";
        case EMFILE:
            return "raise the limit on open files: ulimit -n";
        case EROFS:
            return "that file system is read-only: choose another folder";
        case EACCES:
        case EPERM:
            return "check the owner and the mode of that path";
        case ENOENT:
            return "check the path";
        case EEXIST:
            return "a file of that name is in the way: choose another path";
        case EISDIR:
            return "give a file, not a folder";
        case ELOOP:
            return "a link there leads back to itself: give what it should lead to";
        case ENOTDIR:
            return "a part of that path is a file, not a folder: choose another path";
        default:
            return "";
    }
}

}  // namespace

Error errno_error(const std::string& call, const std::string& where, int errno_value) {
    return Error{code_of_errno(errno_value), call + ": " + std::strerror(errno_value), where,
                 hint_of_errno(errno_value)};
}

}  // namespace atl
