#include "experiments/benchmarks/machine_limits.hpp"

#include "reward/base/process.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <string>
#include <vector>

namespace atl {
namespace {

/// CPU seconds of "nvrtc" while there is a process that has computed, with that on its command
/// line.
double seconds_of_nvrtc(const std::vector<std::string>& command_line) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe(ends.data()), 0);
    const FileHandle reader(ends[0]);
    FileHandle writer(ends[1]);
    SpawnOptions options;
    options.argv = {"/bin/sh", "-c",
                    "i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done; echo >&3; kill -STOP $$"};
    options.argv.insert(options.argv.end(), command_line.begin(), command_line.end());
    options.handles = {writer.get()};
    const Expected<ChildProcess> process = ChildProcess::spawn(options);
    EXPECT_TRUE(process);
    writer = FileHandle();
    char computed = 0;
    EXPECT_EQ(::read(reader.get(), &computed, 1), 1);
    return machine::cpu_seconds_of("nvrtc");
}

TEST(MachineLimits, KnowWorkersOfABundle) {
    EXPECT_GT(seconds_of_nvrtc({"/a/bin/atoll-worker", "nvrtc", "--index", "3"}), 0);
    EXPECT_GT(seconds_of_nvrtc({"--argv0", "/a/atoll", "--library-path", "/a/lib",
                                "/a/bin/atoll-worker", "nvrtc", "--index", "3"}),
              0);
    EXPECT_EQ(seconds_of_nvrtc({"/a/bin/atoll-worker", "compiler", "nvrtc"}), 0);
    EXPECT_EQ(seconds_of_nvrtc({"/a/bin/atoll", "nvrtc"}), 0);
}

}  // namespace
}  // namespace atl
