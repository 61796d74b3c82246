#include "archive/inspection.hpp"
#include "base/plain_text.hpp"
#include "base/text.hpp"

#include <ctime>
#include <iomanip>
#include <sstream>

namespace minuteswarm {

namespace {

constexpr std::size_t most_items = 8; ///< of a list, before "and N more"
constexpr std::size_t label_width = 15;
constexpr std::size_t name_size = 120;

class Lines {
public:
    template <class... Parts>
    void add(std::string_view label, Parts const&... parts) {
        out_ << std::left << std::setw(label_width) << label;
        (out_ << ... << parts) << '\n';
    }

    [[nodiscard]] std::string text() const { return out_.str(); }

private:
    std::ostringstream out_;
};

template <class Items, class Format>
std::string list(Items const& items, Format format) {
    std::string text;
    std::size_t count = 0;
    for (auto const& item : items) {
        if (count++ == most_items) break;
        if (!text.empty()) text += ", ";
        text += format(item);
    }
    if (items.size() > most_items) text += concat(" and ", items.size() - most_items, " more");
    return text;
}

std::string format_time(WallTime time) {
    auto const seconds = std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch());
    auto const unix = static_cast<std::time_t>(seconds.count());
    std::tm parts{};
    std::ostringstream out;
    if (::gmtime_r(&unix, &parts) == nullptr) return "unknown";
    out << std::put_time(&parts, "%Y-%m-%d %H:%M:%S UTC");
    return out.str();
}

std::string format_duration(MediaTime duration) {
    auto const ms = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
    auto const field = [](auto value, int width) {
        std::ostringstream out;
        out << std::setfill('0') << std::setw(width) << value;
        return out.str();
    };
    return concat(
        ms / 3'600'000,
        ':',
        field(ms / 60'000 % 60, 2),
        ':',
        field(ms / 1000 % 60, 2),
        '.',
        field(ms % 1000, 3)
    );
}

std::string format_range(std::pair<ChunkNumber, ChunkNumber> const& range) {
    if (range.first == range.second) return concat(range.first.value);
    return concat(range.first.value, '-', range.second.value);
}

std::string format_damage(Verification::Damage const& damage) {
    if (damage.pieces.empty()) return concat(damage.number.value, " (wrong size)");
    return concat(damage.number.value, " (", damage.pieces.size(), " bad pieces)");
}

std::string format_name(std::string const& name) {
    return to_plain_text(name, name_size);
}

void add_descriptor(Lines& lines, Inspection const& inspection) {
    if (!inspection.descriptor) {
        lines.add("title", "unknown: the feed has no descriptor");
        return;
    }
    auto const& descriptor = *inspection.descriptor;
    lines.add("title", descriptor.title.empty() ? "none" : descriptor.title);
    lines.add("started", format_time(descriptor.start));
    lines.add(
        "media",
        extension(descriptor.container),
        descriptor.codecs.empty() ? "" : ", ",
        descriptor.codecs,
        descriptor.bitrate == 0 ? "" : concat(", ", descriptor.bitrate / 1000, " kbit/s")
    );
}

void add_feed(Lines& lines, Inspection const& inspection) {
    auto const& feed = inspection.feed;
    lines.add("feed", feed.records, " records, every one signed by the channel");
    if (feed.damaged > 0) lines.add("", feed.damaged, " damaged bytes in the feed");
    if (feed.torn > 0) lines.add("", feed.torn, " bytes of an unfinished write at its end");
    if (feed.refused > 0) lines.add("", feed.refused, " statements that do not belong in it");
    if (!inspection.end) {
        lines.add("end", "none: still being published, or interrupted");
    } else {
        lines.add("end", "after chunk ", inspection.end->last.value);
    }
}

void add_rendition(Lines& lines, Inspection::Rendition const& rendition) {
    if (rendition.id != RenditionId{}) lines.add("rendition", rendition.id.value);
    lines.add("duration", format_duration(rendition.duration));
    lines.add(
        "chunks",
        rendition.records,
        " of ",
        rendition.bytes,
        " bytes, numbers ",
        rendition.first.value,
        " to ",
        rendition.last.value
    );
    if (!rendition.gaps.empty()) lines.add("no record of", list(rendition.gaps, format_range));
}

void add_chunks(Lines& lines, Verification::Report const& chunks) {
    auto const number = [](auto const& chunk) { return concat(chunk.second.value); };
    lines.add("verified", chunks.complete, " chunks, ", chunks.complete_bytes, " bytes");
    if (!chunks.damaged.empty()) lines.add("damaged", list(chunks.damaged, format_damage));
    if (!chunks.missing.empty()) lines.add("missing", list(chunks.missing, number));
    if (!chunks.expired.empty()) {
        lines.add(
            "expired",
            chunks.expired.size(),
            " chunks, up to number ",
            chunks.expired.back().second.value,
            ": retention has deleted them"
        );
    }
    if (!chunks.parts.empty()) lines.add("in progress", list(chunks.parts, format_name));
    if (!chunks.foreign.empty()) lines.add("foreign files", list(chunks.foreign, format_name));
}

void add_event_torrent(Lines& lines, std::optional<Inspection::EventTorrent> const& torrent) {
    if (!torrent) {
        lines.add("event torrent", "none");
    } else if (torrent->problem) {
        lines.add("event torrent", *torrent->problem);
    } else {
        lines.add("event torrent", torrent->hash->hex());
        if (torrent->matches_end == false) lines.add("", "not the one that the end record names");
        if (torrent->matches_chunks == false) lines.add("", "not the torrent of these chunks");
        if (torrent->matches_chunks == true) lines.add("", "matches the chunks");
    }
}

} // namespace

std::string to_text(Inspection const& inspection) {
    if (inspection.problem) return *inspection.problem + "\n";
    Lines lines;
    lines.add("archive", inspection.path.string());
    lines.add("channel", inspection.channel.hex());
    lines.add("event", inspection.event.value);
    add_descriptor(lines, inspection);
    add_feed(lines, inspection);
    for (auto const& rendition : inspection.renditions)
        add_rendition(lines, rendition);
    add_chunks(lines, inspection.chunks);
    add_event_torrent(lines, inspection.event_torrent);
    lines.add(
        "verdict",
        inspection.is_whole() ? "whole" : "not whole",
        inspection.chunks.expired.empty() ? "" : ", beside what has expired"
    );
    return lines.text();
}

} // namespace minuteswarm
