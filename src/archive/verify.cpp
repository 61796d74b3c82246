#include "archive/verify.hpp"

#include "torrent/info_dict.hpp"

#include <algorithm>
#include <system_error>

namespace minuteswarm {

namespace {

constexpr std::size_t most_foreign_files = 1000;

std::vector<std::uint32_t> bad_pieces(ChunkCheck const& check) {
    std::vector<std::uint32_t> bad;
    for (std::uint32_t index = 0; index < check.pieces.size(); ++index) {
        if (!check.pieces[index]) bad.push_back(index);
    }
    return bad;
}

} // namespace

Verification::Verification(EventFolder const& folder, RecordFile const& records, ChunkNumber first)
    : folder_(folder)
    , records_(records) {
    for (auto const rendition : records.renditions()) {
        for (auto const number : records.numbers(rendition)) {
            if (number >= first) order_.emplace_back(rendition, number);
        }
    }
}

std::optional<Verification::Checked> Verification::step() {
    while (position_ < order_.size()) {
        auto const [rendition, number] = order_[position_++];
        auto const record = records_.read(rendition, number);
        if (!record) {
            // The feed changed under our hands; without its record the chunk can't be used.
            report_.missing.emplace_back(rendition, number);
            continue;
        }
        auto const file = folder_.chunk(record->value);
        std::error_code absent;
        // Looked for first: once the name is gone, the chunk has its own.
        auto const is_part =
            std::filesystem::exists(std::filesystem::path{file} += ".part", absent);
        auto check = check_chunk(file, record->value);
        auto const is_old =
            check.state == ChunkCheck::State::missing && is_expired(rendition, number);
        names_.push_back(chunk_name(folder_.channel(), record->value));
        switch (check.state) {
        case ChunkCheck::State::complete:
            ++report_.complete;
            report_.complete_bytes += record->value.size;
            break;
        case ChunkCheck::State::damaged:
            report_.damaged.push_back({rendition, number, bad_pieces(check)});
            break;
        case ChunkCheck::State::missing:
            (is_old ? report_.expired : report_.missing).emplace_back(rendition, number);
            break;
        }
        if (position_ == order_.size()) find_foreign_files();
        return Checked{record->value, std::move(check), is_part, is_old};
    }
    if (order_.empty() && report_.foreign.empty() && report_.parts.empty()) find_foreign_files();
    return std::nullopt;
}

bool Verification::is_there(RenditionId rendition, ChunkNumber number) const {
    auto const record = records_.read(rendition, number);
    if (!record) return false;
    auto const file = folder_.chunk(record->value);
    std::error_code absent;
    return std::filesystem::exists(file, absent) ||
           std::filesystem::exists(std::filesystem::path{file} += ".part", absent);
}

/// Retention deletes the oldest: what is gone below the oldest that is there has expired. It may be
/// at work now, so what was the oldest is looked for again. An event with a torrent had kept all.
bool Verification::is_expired(RenditionId rendition, ChunkNumber number) {
    if (records_.end() != nullptr && records_.end()->value.event_torrent) return false;
    auto const newest = records_.newest(rendition).value_or(number);
    auto& oldest = oldest_.try_emplace(rendition, ChunkNumber{1}).first->second;
    while (oldest <= newest && !is_there(rendition, oldest))
        ++oldest;
    return oldest <= newest && number < oldest;
}

void Verification::find_foreign_files() {
    std::ranges::sort(names_);
    std::error_code error;
    std::filesystem::directory_iterator entries(folder_.chunks(), error);
    for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
        auto name = entries->path().filename().string();
        if (std::ranges::binary_search(names_, name) || name.ends_with(".part.info")) continue;
        if (name.ends_with(".part")) {
            if (report_.parts.size() < most_foreign_files) report_.parts.push_back(std::move(name));
        } else if (report_.foreign.size() < most_foreign_files) {
            report_.foreign.push_back(std::move(name));
        }
    }
    std::ranges::sort(report_.foreign);
    std::ranges::sort(report_.parts);
}

} // namespace minuteswarm
