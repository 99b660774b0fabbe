// Writes the inputs that fuzzing starts from: what the project's own writers make, one folder per
// target. They are made anew at each build, so that they always have today's formats.

#include "tests/fuzz/seeds.hpp"

#include <filesystem>
#include <fstream>
#include <iostream>
#include <stdexcept>

namespace atl::fuzz {

namespace fs = std::filesystem;

namespace {

void write(const fs::path& folder, const SeedsOfTarget& seeds) {
    fs::remove_all(folder / seeds.target);
    fs::create_directories(folder / seeds.target);
    for (const auto& [name, bytes] : seeds.seeds) {
        std::ofstream file(folder / seeds.target / name, std::ios::binary);
        file << bytes;
        if (!file.flush()) {
            throw std::runtime_error("cannot write below " + folder.string());
        }
    }
}

}  // namespace

}  // namespace atl::fuzz

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "Usage: fuzz_seeds FOLDER\n";
        return 2;
    }
    try {
        for (const auto& make :
             {atl::fuzz::text_seeds, atl::fuzz::device_seeds, atl::fuzz::cuda_seeds,
              atl::fuzz::server_seeds, atl::fuzz::reply_seeds, atl::fuzz::message_seeds,
              atl::fuzz::record_seeds}) {
            for (const atl::fuzz::SeedsOfTarget& seeds : make()) {
                atl::fuzz::write(argv[1], seeds);
                std::cout << seeds.target << ": " << seeds.seeds.size() << " seeds\n";
            }
        }
    } catch (const std::exception& error) {
        std::cerr << "fuzz_seeds: " << error.what() << "\n";
        return 1;
    }
    return 0;
}
