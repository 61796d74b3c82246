#include "archive/retention.hpp"

#include <charconv>

namespace minuteswarm {

namespace {

constexpr std::uint64_t most_seconds = std::uint64_t{100} * 365 * 86400;
constexpr std::uint64_t most_bytes = std::uint64_t{1} << 60;

std::optional<std::uint64_t> seconds_of(char unit) {
    switch (unit) {
    case 's':
        return 1;
    case 'm':
        return 60;
    case 'h':
        return 3600;
    case 'd':
        return 86400;
    default:
        return std::nullopt;
    }
}

std::optional<std::uint64_t> bytes_of(char unit) {
    switch (unit) {
    case 'M':
        return std::uint64_t{1} << 20;
    case 'G':
        return std::uint64_t{1} << 30;
    case 'T':
        return std::uint64_t{1} << 40;
    default:
        return std::nullopt;
    }
}

} // namespace

Expected<Retention> parse_retention(std::string_view text) {
    auto const wrong = Error{"how much to keep is a time like 24h or 7d, a size like 10G, or all"};
    if (text == "all") return Retention{};
    std::uint64_t number = 0;
    auto const* const last = text.data() + text.size();
    auto const [unit, error] = std::from_chars(text.data(), last, number);
    if (error != std::errc{} || number == 0 || last - unit != 1) return wrong;
    if (auto const seconds = seconds_of(*unit); seconds && number <= most_seconds / *seconds) {
        auto const total = static_cast<std::int64_t>(number * *seconds);
        return Retention{MediaTime{std::chrono::seconds{total}}, std::nullopt};
    }
    if (auto const bytes = bytes_of(*unit); bytes && number <= most_bytes / *bytes) {
        return Retention{std::nullopt, number * *bytes};
    }
    return wrong;
}

std::vector<ChunkNumber>
expired_chunks(Retention const& retention, std::span<KeptChunk const> kept, std::size_t floor) {
    std::vector<ChunkNumber> expired;
    if (kept.size() <= floor) return expired;
    std::uint64_t total = 0;
    for (auto const& chunk : kept)
        total += chunk.size;
    auto const newest_end = kept.back().end;
    for (auto const& chunk : kept.first(kept.size() - floor)) {
        bool const is_old = retention.age && newest_end - chunk.end > *retention.age;
        bool const is_too_much = retention.size && total > *retention.size;
        if (!is_old && !is_too_much) break;
        total -= chunk.size;
        expired.push_back(chunk.number);
    }
    return expired;
}

} // namespace minuteswarm
