#include "reward/cuda/toolkit.hpp"

#include "reward/cuda/shared_library.hpp"
#include "tests/support/shell.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace atl {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Installations of CUDA whose libraries do nothing but tell a version.
class Toolkit : public ::testing::Test {
  protected:
    [[nodiscard]] fs::path home(const std::string& name) const { return m_folder.path() / name; }

    void write(const fs::path& file, const std::string& text) const {
        fs::create_directories(file.parent_path());
        std::ofstream(file) << text;
    }

    /// A shared library made of that C code.
    void library(const fs::path& file, const std::string& code) const {
        write(file.string() + ".c", code);
        const testing::ShellResult made = testing::run_shell(
            "gcc -shared -fPIC -o " + file.string() + " " + file.string() + ".c");
        ASSERT_EQ(made.status, 0) << made.err;
    }
    void nvrtc(const fs::path& file, int major, int minor) const {
        library(file,
                "int nvrtcVersion(int* major, int* minor) { *major = " + std::to_string(major) +
                    "; *minor = " + std::to_string(minor) + "; return 0; }");
        library(builtins(file, major, minor), "int none;");
    }
    static fs::path builtins(const fs::path& nvrtc, int major, int minor) {
        return nvrtc.parent_path() /
               ("libnvrtc-builtins.so." + std::to_string(major) + "." + std::to_string(minor));
    }
    void cupti(const fs::path& file, int api_version) const {
        library(file, "int cuptiGetVersion(unsigned* version) { *version = " +
                          std::to_string(api_version) + "; return 0; }");
    }
    void driver(const fs::path& file, int version) const {
        library(file, "int cuDriverGetVersion(int* version) { *version = " +
                          std::to_string(version) + "; return 0; }");
    }
    void headers(const fs::path& folder, int version) const {
        write(folder / "cuda_fp16.h", "");
        write(folder / "cuda.h", "#ifndef X\n#define CUDA_VERSION " + std::to_string(version));
    }
    /// Looks at those homes, and at a driver if one was made in the folder.
    [[nodiscard]] CudaToolkit find(const std::vector<std::string>& names) const {
        CudaPlaces places;
        places.drivers = {home("libcuda.so.1").string()};
        for (const std::string& name : names) {
            places.homes.push_back(home(name).string());
        }
        return find_cuda_toolkit(places);
    }

  private:
    testing::TemporaryFolder m_folder;
};

TEST_F(Toolkit, WhereThereIsNothingThereIsNoProblem) {
    const CudaToolkit toolkit = find({"a", "b"});
    EXPECT_FALSE(toolkit.driver || toolkit.nvrtc || toolkit.cupti);
    EXPECT_EQ(toolkit.include, "");
    EXPECT_THAT(toolkit.problems, IsEmpty());
}

TEST_F(Toolkit, AWholeOneIsTold) {
    nvrtc(home("cuda/lib64/libnvrtc.so.13"), 13, 1);
    cupti(home("cuda/extras/CUPTI/lib64/libcupti.so.13"), 130102);
    headers(home("cuda/include"), 13010);
    driver(home("libcuda.so.1"), 13020);
    const CudaToolkit toolkit = find({"cuda"});
    EXPECT_THAT(toolkit.problems, IsEmpty());
    ASSERT_TRUE(toolkit.driver && toolkit.nvrtc && toolkit.cupti);
    EXPECT_EQ(toolkit.driver->path, home("libcuda.so.1"));
    EXPECT_EQ(toolkit.driver->major, 13);
    EXPECT_EQ(toolkit.driver->minor, 2);
    EXPECT_EQ(toolkit.nvrtc->path, home("cuda/lib64/libnvrtc.so.13"));
    EXPECT_EQ(toolkit.nvrtc->minor, 1);
    EXPECT_EQ(toolkit.cupti->path, home("cuda/extras/CUPTI/lib64/libcupti.so.13"));
    EXPECT_EQ(toolkit.cupti->minor, 1);
    EXPECT_EQ(toolkit.include, home("cuda/include"));
}

TEST_F(Toolkit, TheAssemblerOfPtxIsFoundBesideNvrtcAndMissedBySilence) {
    nvrtc(home("cuda/lib64/libnvrtc.so.13"), 13, 1);
    headers(home("cuda/include"), 13010);
    EXPECT_FALSE(find({"cuda"}).jit_link);
    EXPECT_THAT(find({"cuda"}).problems, IsEmpty()) << "only PTX candidates need it";
    std::string code =
        "int nvJitLinkVersion(unsigned* major, unsigned* minor) { *major = 13; *minor = 1; return "
        "0; }\n";
    for (const char* name :
         {"Create", "Destroy", "AddData", "Complete", "GetLinkedCubinSize", "GetLinkedCubin",
          "GetErrorLogSize", "GetErrorLog", "GetInfoLogSize", "GetInfoLog"}) {
        code += "int nvJitLink" + std::string(name) + "() { return 1; }\n";
    }
    library(home("cuda/lib64/libnvJitLink.so.13"), code);
    const CudaToolkit toolkit = find({"cuda"});
    ASSERT_TRUE(toolkit.jit_link);
    EXPECT_EQ(toolkit.jit_link->path, home("cuda/lib64/libnvJitLink.so.13"));
    EXPECT_EQ(toolkit.jit_link->minor, 1);
}

TEST_F(Toolkit, CutlassIsACloneOrItsFolderOfHeaders) {
    write(home("cutlass/include/cutlass/version.h"),
          "#define CUTLASS_MAJOR 4\n#define CUTLASS_MINOR 2\n#define CUTLASS_PATCH 1\n");
    CudaPlaces places;
    EXPECT_EQ(find_cuda_toolkit(places).cutlass, "");
    for (const char* name : {"cutlass", "cutlass/include"}) {
        places.cutlass = home(name);
        const CudaToolkit toolkit = find_cuda_toolkit(places);
        EXPECT_EQ(toolkit.cutlass, home("cutlass/include")) << name;
        EXPECT_EQ(toolkit.cutlass_version, "4.2.1");
        EXPECT_THAT(toolkit.problems, IsEmpty());
    }
    places.cutlass = home("elsewhere");
    const CudaToolkit toolkit = find_cuda_toolkit(places);
    EXPECT_EQ(toolkit.cutlass, "");
    EXPECT_TRUE(toolkit.cutlass_wanted);
    EXPECT_THAT(toolkit.problems, ElementsAre(AllOf(HasSubstr(home("elsewhere").string()),
                                                    HasSubstr("cutlass/version.h"))));
}

TEST_F(Toolkit, CutlassIsNamedByTheEnvironment) {
    ASSERT_EQ(::setenv("ATOLL_CUTLASS", "/some/where", 1), 0);
    EXPECT_EQ(usual_cuda_places().cutlass, "/some/where");
    ::unsetenv("ATOLL_CUTLASS");
    EXPECT_EQ(usual_cuda_places().cutlass, "");
}

TEST_F(Toolkit, PipsPackagesAreOne) {
    nvrtc(home("nvidia/cuda_nvrtc/lib/libnvrtc.so.12"), 12, 8);
    headers(home("nvidia/cuda_runtime/include"), 12080);
    const CudaToolkit toolkit = find({"nvidia"});
    ASSERT_TRUE(toolkit.nvrtc);
    EXPECT_EQ(toolkit.include, home("nvidia/cuda_runtime/include"));
}

TEST_F(Toolkit, VersionsOfNvrtcThatCannotBeUsedAreRefused) {
    for (const auto& [major, minor, usable] :
         {std::tuple{12, 3, false}, {12, 4, true}, {13, 9, true}, {14, 0, false}}) {
        const std::string name = std::to_string(major) + std::to_string(minor);
        nvrtc(home(name + "/lib/libnvrtc.so"), major, minor);
        headers(home(name + "/include"), 1000 * major + 10 * minor);
        const CudaToolkit toolkit = find({name});
        EXPECT_EQ(toolkit.nvrtc.has_value(), usable) << name;
        if (usable) {
            EXPECT_THAT(toolkit.problems, IsEmpty());
        } else {
            EXPECT_THAT(toolkit.problems,
                        ElementsAre(AllOf(HasSubstr(home(name + "/lib/libnvrtc.so").string()),
                                          HasSubstr(major == 14 ? "too new" : "too old"),
                                          HasSubstr("12.4 to 13.x"), HasSubstr("install"))));
        }
    }
}

TEST_F(Toolkit, NvrtcWithoutWhatItCompilesWithIsRefused) {
    const fs::path file = home("cuda/lib64/libnvrtc.so.12");
    nvrtc(file, 12, 5);
    fs::remove(builtins(file, 12, 5));
    const CudaToolkit toolkit = find({"cuda"});
    EXPECT_FALSE(toolkit.nvrtc);
    EXPECT_THAT(toolkit.problems,
                ElementsAre(AllOf(HasSubstr(file.string()),
                                  HasSubstr("libnvrtc-builtins.so.12.5: install it"))));
}

TEST_F(Toolkit, AUsableOneIsFoundBehindOthers) {
    nvrtc(home("old/lib64/libnvrtc.so"), 11, 2);
    write(home("broken/lib64/libnvrtc.so.13"), "no library");
    nvrtc(home("good/lib64/libnvrtc.so.12"), 12, 9);
    headers(home("good/include"), 12090);
    const CudaToolkit toolkit = find({"old", "broken", "good"});
    ASSERT_TRUE(toolkit.nvrtc);
    EXPECT_EQ(toolkit.nvrtc->path, home("good/lib64/libnvrtc.so.12"));
    EXPECT_THAT(toolkit.problems, IsEmpty());
}

TEST_F(Toolkit, WhatIsNoLibraryOrHasNoVersionIsAProblem) {
    write(home("text/lib/libnvrtc.so.13"), "no library");
    library(home("mute/lib/libnvrtc.so.13"), "int other(void) { return 0; }");
    library(home("failing/lib/libnvrtc.so.13"),
            "int nvrtcVersion(int* a, int* b) { return *a = *b = 7; }");
    EXPECT_THAT(find({"text"}).problems,
                ElementsAre(HasSubstr(home("text/lib/libnvrtc.so.13").string())));
    EXPECT_THAT(find({"mute"}).problems, ElementsAre(HasSubstr("nvrtcVersion")));
    EXPECT_THAT(find({"failing"}).problems, ElementsAre(HasSubstr("nvrtcVersion failed with 7")));
}

TEST_F(Toolkit, OnlyCuptiOfCuda13IsTaken) {
    nvrtc(home("cuda/lib64/libnvrtc.so.13"), 13, 0);
    headers(home("cuda/include"), 13000);
    for (const auto& [version, text] :
         {std::pair{26, "CUDA 12.8"}, {18, "an unknown CUDA"}, {140000, "CUDA 14.0"}}) {
        const std::string name = std::to_string(version);
        cupti(home(name + "/lib64/libcupti.so"), version);
        const CudaToolkit toolkit = find({"cuda", name});
        EXPECT_FALSE(toolkit.cupti) << version;
        EXPECT_THAT(toolkit.problems,
                    ElementsAre(AllOf(HasSubstr(text), HasSubstr("API version " + name),
                                      HasSubstr("events"))));
    }
}

TEST_F(Toolkit, NothingNewerThanTheDriverIsTaken) {
    driver(home("libcuda.so.1"), 12040);
    nvrtc(home("new/lib64/libnvrtc.so.13"), 13, 0);
    nvrtc(home("fitting/lib64/libnvrtc.so.12"), 12, 9);
    headers(home("fitting/include"), 12090);
    EXPECT_THAT(find({"new"}).problems,
                ::testing::Contains(AllOf(HasSubstr("the driver supports CUDA 12.4"),
                                          HasSubstr("update the driver"))));
    const CudaToolkit toolkit = find({"new", "fitting"});
    ASSERT_TRUE(toolkit.nvrtc);
    EXPECT_EQ(toolkit.nvrtc->minor, 9);
}

TEST_F(Toolkit, HeadersAreOfNvrtcsVersion) {
    nvrtc(home("a/lib64/libnvrtc.so.12"), 12, 6);
    EXPECT_THAT(find({"a"}).problems, ElementsAre(HasSubstr("no CUDA headers")));
    headers(home("other/include"), 13000);
    const CudaToolkit none = find({"a", "other"});
    EXPECT_EQ(none.include, "");
    EXPECT_THAT(none.problems, ElementsAre(HasSubstr("another major version")));
    headers(home("near/include"), 12080);
    EXPECT_EQ(find({"a", "other", "near"}).include, home("near/include"));
    headers(home("same/include"), 12060);
    const CudaToolkit same = find({"a", "other", "near", "same"});
    EXPECT_EQ(same.include, home("same/include"));
    EXPECT_THAT(same.problems, IsEmpty());
}

TEST_F(Toolkit, WhatADriverLacksIsAProblem) {
    driver(home("libcuda.so.1"), 13000);
    const CudaToolkit toolkit = find({"nowhere"});
    ASSERT_TRUE(toolkit.driver);
    EXPECT_THAT(toolkit.problems, ElementsAre(HasSubstr("no NVRTC"), HasSubstr("no CUPTI")));
}

TEST(CudaPlaces, ANamedHomeIsTheOnlyOne) {
    ::setenv("ATOLL_CUDA_HOME", "/opt/mine", 1);
    ::setenv("CUDA_HOME", "/opt/other", 1);
    const CudaPlaces named = usual_cuda_places();
    ::unsetenv("ATOLL_CUDA_HOME");
    const CudaPlaces usual = usual_cuda_places();
    ::unsetenv("CUDA_HOME");
    EXPECT_THAT(named.homes, ElementsAre("/opt/mine"));
    ASSERT_GE(usual.homes.size(), 3u);
    EXPECT_EQ(usual.homes[0], "/opt/other");
    EXPECT_EQ(usual.homes[1], "");
    EXPECT_EQ(usual.homes[2], "/usr/local/cuda");
}

TEST(CuptiVersion, IsThatOfItsToolkit) {
    EXPECT_EQ(toolkit_of_cupti(130001), (CudaVersion{13, 0}));
    EXPECT_EQ(toolkit_of_cupti(130102), (CudaVersion{13, 1}));
    EXPECT_EQ(toolkit_of_cupti(28), (CudaVersion{12, 9}));
    EXPECT_EQ(toolkit_of_cupti(19), (CudaVersion{12, 0}));
    for (const std::uint32_t unknown : {0u, 18u, 25u, 29u, 129999u}) {
        EXPECT_EQ(toolkit_of_cupti(unknown), CudaVersion{}) << unknown;
    }
}

TEST(CudaToolkit, TheOneOfThisMachineTellsItself) {
    const CudaToolkit toolkit = find_cuda_toolkit();
    if (!toolkit.nvrtc) {
        GTEST_SKIP() << "no NVRTC that can be used is installed here";
    }
    EXPECT_TRUE(fs::path(toolkit.nvrtc->path).is_absolute() && fs::exists(toolkit.nvrtc->path));
    EXPECT_TRUE(fs::exists(fs::path(toolkit.include) / "cuda_fp16.h")) << toolkit.include;
    EXPECT_GE(toolkit.nvrtc->major, 12);
    // By its bare name, as NVRTC does.
    EXPECT_TRUE(SharedLibrary::open("libnvrtc-builtins.so." + std::to_string(toolkit.nvrtc->major) +
                                    "." + std::to_string(toolkit.nvrtc->minor)));
    if (toolkit.cupti) {
        EXPECT_EQ(toolkit.cupti->major, 13);
    }
}

}  // namespace
}  // namespace atl
