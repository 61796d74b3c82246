#pragma once

#include "archive/chunk_check.hpp"
#include "archive/event_folder.hpp"
#include "archive/record_file.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace minuteswarm {

/// Holds an archive folder against its records, chunk by chunk, so that each step is one job on the
/// disk strand and a seeder can serve what is good at once. References what it is made from.
class Verification {
public:
    struct Checked {
        Record record;
        ChunkCheck check;
        /// It still had its `.part` name: a publisher is closing it, or was killed while it did.
        bool is_part = false;
        /// Missing as every chunk before it is: retention has deleted it.
        bool is_expired = false;
    };
    /// A chunk and what is wrong with it.
    struct Damage {
        RenditionId rendition;
        ChunkNumber number;
        std::vector<std::uint32_t>
            pieces; ///< the bad ones; none when only the file's size is wrong
    };
    struct Report {
        std::size_t complete = 0;
        std::uint64_t complete_bytes = 0;
        std::vector<Damage> damaged;
        std::vector<std::pair<RenditionId, ChunkNumber>> missing;
        std::vector<std::pair<RenditionId, ChunkNumber>> expired;
        std::vector<std::string> parts;   ///< names of `.part` files
        std::vector<std::string> foreign; ///< other names in `chunks/`; the first 1000
    };

    /// Of chunks from `first` on.
    Verification(EventFolder const& folder, RecordFile const& records, ChunkNumber first = {});

    /// Checks the next chunk; nothing when all are done. Blocking.
    std::optional<Checked> step();

    [[nodiscard]] std::size_t done() const { return position_; }
    [[nodiscard]] std::size_t total() const { return order_.size(); }
    /// Of what was checked so far; parts and foreign files once all was.
    [[nodiscard]] Report const& report() const { return report_; }

private:
    void find_foreign_files();
    [[nodiscard]] bool is_there(RenditionId rendition, ChunkNumber number) const;
    bool is_expired(RenditionId rendition, ChunkNumber number);

    EventFolder const& folder_;
    RecordFile const& records_;
    std::vector<std::pair<RenditionId, ChunkNumber>> order_;
    std::vector<std::string> names_; ///< of chunk files that belong here
    /// Below it, no chunk of the rendition was there when that was last looked at.
    std::map<RenditionId, ChunkNumber> oldest_;
    std::size_t position_ = 0;
    Report report_;
};

} // namespace minuteswarm
