#pragma once

#include "mutators/model/chat_model.hpp"
#include "mutators/model/prices.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

namespace atl {

/// Records what models are asked and answer, and answers from the record. The record is a journal
/// (population/journal/journal.hpp) of ModelExchanged events: append-only, checksummed, compressed,
/// and after kill -9 whatever was acknowledged is there. No key is in it (ModelClient removes
/// them).
///
/// An exchange is known by its candidate (ticket), its request, and how often that candidate asked
/// the same before: the n-th time gets the n-th recorded reply, whatever the order in which others
/// ask. What failed is recorded and fails again; what was cancelled is not recorded. The destructor
/// waits for what `below` still owes: cancel those calls first, where that must be quick.
class CassetteModel : public ChatModel {
  public:
    struct Options {
        std::filesystem::path file;           ///< made where it is not there
        std::map<std::string, Price> prices;  ///< by model, for the costs that are recorded
        std::uint64_t max_bytes = std::uint64_t{64} << 30;  ///< of the file
    };

    /// Answers from the record what is in it, and asks `below`, which must outlive this, for the
    /// rest. A reply is passed on once it is durable. When the file cannot be written any more
    /// (full disk, max_bytes), that call and all later ones that are not recorded get that error.
    /// One process at a time may have the file. Errors: of the journal; already_exists where the
    /// file holds other events than exchanges.
    [[nodiscard]] static Expected<std::unique_ptr<CassetteModel>> record(ChatModel& below,
                                                                         Options options);

    /// Answers from the record alone: a cassette, or a campaign's journal. What is not in it is an
    /// error of code not_found that names the first difference to the most similar request that is.
    [[nodiscard]] static Expected<std::unique_ptr<CassetteModel>> replay(
        const std::filesystem::path& file);

    /// How many exchanges were answered from the record so far.
    [[nodiscard]] virtual std::uint64_t replayed() const = 0;
};

/// In words, where two requests first differ: "messages[1] (user), line 3: 'a' was recorded, 'b' is
/// asked". Empty when they do not. Pure.
[[nodiscard]] std::string first_difference(const ChatRequest& recorded, const ChatRequest& asked);

}  // namespace atl
