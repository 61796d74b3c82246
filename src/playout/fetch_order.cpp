#include "playout/fetch_order.hpp"

#include <algorithm>

namespace minuteswarm {
namespace {

// Two of them hide the time a chunk takes to find its peers.
constexpr std::size_t urgent_chunks = 2;

// Beyond this, durations add nothing to a decision and could only overflow.
constexpr MediaTime reach_max = std::chrono::hours{24};

bool is_missing(FetchChunk const& chunk) {
    return chunk.present < chunk.size;
}

bool is_without_hope(FetchChunk const& chunk) {
    return chunk.present == 0 && (chunk.is_unheld || chunk.is_fruitless);
}

/// How much of the event lies between what is due and a chunk.
struct Reach {
    MediaTime time{};
    std::uint64_t bytes = 0;

    void extend(MediaTime by, std::uint64_t size) {
        time = std::min(time + std::clamp(by, MediaTime::zero(), reach_max), reach_max);
        bytes += std::min<std::uint64_t>(size, limits::chunk_size);
    }
};

/// What `ahead` weighs at the rate of `chunk`.
std::uint64_t bytes_ahead(MediaTime ahead, FetchChunk const& chunk) {
    if (chunk.duration <= MediaTime::zero()) return 0;
    auto const share = std::min(in_seconds(ahead) / in_seconds(chunk.duration), 1e6);
    auto const size = std::min<std::uint64_t>(chunk.size, limits::chunk_size);
    return static_cast<std::uint64_t>(share * static_cast<double>(size));
}

std::vector<ChunkNumber> choose_ahead(
    std::span<FetchChunk const> coming, FetchPosition const& position, FetchOptions const& options
) {
    std::vector<ChunkNumber> chosen;
    Reach reach;
    if (!coming.empty()) {
        auto const ahead = std::clamp(position.ahead, MediaTime::zero(), reach_max);
        reach = {ahead, bytes_ahead(ahead, coming.front())};
    }
    std::size_t unheld = 0;
    for (auto const& chunk : coming) {
        auto const duration = std::clamp(chunk.duration, MediaTime::zero(), reach_max);
        auto const is_next = reach.time < duration * static_cast<int>(urgent_chunks);
        auto const is_within =
            reach.time < options.read_ahead && reach.bytes < options.read_ahead_bytes;
        if (chosen.size() - unheld == options.active || (!is_next && !is_within)) break;
        if (is_without_hope(chunk)) {
            if (chunk.is_fruitless || unheld == options.active) continue;
            ++unheld;
            chosen.push_back(chunk.number);
            continue;
        }
        if (is_missing(chunk)) chosen.push_back(chunk.number);
        reach.extend(duration, chunk.size);
    }
    return chosen;
}

std::vector<ChunkNumber>
choose_live(std::span<FetchChunk const> coming, FetchOptions const& options) {
    std::vector<FetchChunk const*> missing;
    for (auto const& chunk : coming) {
        if (is_missing(chunk)) missing.push_back(&chunk);
    }
    if (missing.size() > urgent_chunks) {
        auto const rest = missing.begin() + static_cast<std::ptrdiff_t>(urgent_chunks);
        std::rotate(rest, missing.end() - 1, missing.end());
        // What is under way goes on: stopping it would waste the peers it has found.
        std::stable_partition(rest + 1, missing.end(), [](auto const* chunk) {
            return chunk->is_active;
        });
    }
    missing.resize(std::min(missing.size(), options.active));
    std::vector<ChunkNumber> chosen;
    for (auto const* chunk : missing)
        chosen.push_back(chunk->number);
    return chosen;
}

} // namespace

std::vector<ChunkNumber> choose_fetches(
    std::span<FetchChunk const> known, FetchPosition const& position, FetchOptions const& options
) {
    auto const first = std::partition_point(known.begin(), known.end(), [&](auto const& chunk) {
        return chunk.number < position.playhead;
    });
    auto const coming = known.subspan(static_cast<std::size_t>(first - known.begin()));
    return position.is_time_shift ? choose_ahead(coming, position, options)
                                  : choose_live(coming, options);
}

} // namespace minuteswarm
