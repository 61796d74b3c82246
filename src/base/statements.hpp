#pragma once

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace minuteswarm {

/// How chunk bytes are wrapped. The values stand in records (4 bits of `flags`): never reassign
/// one.
enum class Container : std::uint8_t { mpeg_ts = 0, mp3 = 1, adts = 2, fmp4 = 3 };

/// File ending without a dot: ts, mp3, aac, mp4.
std::string_view extension(Container container);
std::string_view mime_type(Container container);

/// SHA-1 of each piece of a chunk, in order. Copies share them: a chunk's record is kept by several
/// stages for as long as the chunk may be asked for.
class PieceHashes {
public:
    PieceHashes() = default;
    PieceHashes(std::vector<Sha1> hashes)
        : hashes_(std::make_shared<std::vector<Sha1> const>(std::move(hashes))) {}

    [[nodiscard]] std::span<Sha1 const> all() const {
        return hashes_ ? std::span{*hashes_} : std::span<Sha1 const>{};
    }
    [[nodiscard]] std::size_t size() const { return all().size(); }
    [[nodiscard]] bool empty() const { return all().empty(); }
    [[nodiscard]] auto begin() const { return all().begin(); }
    [[nodiscard]] auto end() const { return all().end(); }
    Sha1 const& operator[](std::size_t piece) const { return all()[piece]; }
    bool operator==(PieceHashes const& other) const { return std::ranges::equal(*this, other); }

private:
    std::shared_ptr<std::vector<Sha1> const> hashes_; // none instead of an empty one
};

/// The publisher's statement about one chunk. Everything a peer needs to fetch and check it.
struct Record {
    EventId event;
    RenditionId rendition;
    RunId run;
    EpochNumber epoch;
    ChunkNumber number;
    MediaTime media_time{}; ///< of its first sample, since the event's start
    WallTime wall_time{};   ///< publisher's clock when its first sample came
    MediaTime duration{};
    std::uint64_t size = 0; ///< bytes, at least 1
    PieceHashes pieces;     ///< of `piece_length(size)` bytes each
    Sha256 sha256;          ///< of all bytes
    Container container = Container::mpeg_ts;
    bool is_discontinuity = false; ///< first of its epoch: decoders and clocks start anew
    bool is_independent = true;    ///< starts at a random access point

    bool operator==(Record const&) const = default;
};

/// The smallest power of two from 16 KiB up that cuts `size` bytes into at most 64 pieces.
std::uint32_t piece_length(std::uint64_t size);
std::uint32_t piece_count(std::uint64_t size);

/// Whose live edge it is and how that is cut.
struct EdgeParameters {
    std::uint32_t span_ms = 0; ///< 0 = no live edge is pushed: the rest means nothing
    std::uint8_t stripes = 0;  ///< K
    std::uint8_t parity = 0;   ///< M
    RunId run{};

    bool operator==(EdgeParameters const&) const = default;
};

/// The publisher's statement about an event; of several, the highest revision holds.
struct Descriptor {
    EventId event;
    std::uint64_t revision = 0;
    std::string title;
    Container container = Container::mpeg_ts;
    std::string codecs;        ///< RFC 6381, comma separated; empty when unknown
    std::uint64_t bitrate = 0; ///< bits per second, as far as known
    MediaTime chunk_duration{};
    WallTime start{}; ///< publisher's clock at media time 0
    EdgeParameters edge;

    bool operator==(Descriptor const&) const = default;
};

/// The publisher's statement that an event is over.
struct EndRecord {
    EventId event;
    ChunkNumber last; ///< 0 when the event has no chunk
    std::optional<InfoHash> event_torrent;

    bool operator==(EndRecord const&) const = default;
};

/// Which kind of statement a wire form is; the value precedes it in frames.
enum class StatementKind : std::uint8_t { descriptor = 1, record = 2, end = 3 };

/// A signed statement as it travels and lies on disk: signature (64) ‖ bencoded dictionary.
struct Statement {
    StatementKind kind = StatementKind::record;
    Bytes wire;

    bool operator==(Statement const&) const = default;
};

/// A statement's meaning beside the very bytes that were signed. Only made from verified bytes.
template <class T>
struct Signed {
    T value;
    Bytes wire;
};

} // namespace minuteswarm
