#pragma once

namespace atl {

/// What main() does first: gives the process what code everywhere takes for granted.
void prepare_process();

/// From here on, writing to a pipe that nobody reads is an error and does not end the process.
void ignore_broken_pipes();

}  // namespace atl
