#pragma once

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "playout/timeline.hpp"
#include "playout/ts_frames.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace minuteswarm {

/// A partial segment (draft-pantos-hls-rfc8216bis 4.4.4.9): bytes of a chunk that begin with a
/// picture.
struct LivePart {
    std::uint64_t offset = 0; ///< in the chunk
    std::uint64_t length = 0;
    MediaTime duration{};
    bool is_independent = false; ///< has a random access point in it
};

/// Cuts what the live edge has released of chunks into partial segments, each of whole frames. It
/// asks for the bytes in order and looks for pictures in them, since groups of the live edge are as
/// long as the encoder's bursts and parts must not be. MPEG-TS with a picture only: groups cut
/// packed audio inside its frames, and radio has little to gain. Pure; at most
/// `limits::part_chunks` chunks of `limits::chunk_parts` parts.
class LiveParts {
public:
    struct Chunk {
        ChunkNumber number;
        std::vector<LivePart> parts;
        MediaTime duration{};   ///< of all parts
        std::uint64_t size = 0; ///< of all parts
        bool is_done = false;   ///< no part will follow
    };
    /// Bytes to feed next.
    struct Wish {
        ChunkNumber number;
        std::uint64_t offset = 0;
        std::size_t length = 0;
    };

    /// Takes up chunks that come over the live edge, and what is known of them by now.
    void update(Timeline::Segments const& segments);
    [[nodiscard]] std::optional<Wish> wish() const;
    /// The bytes of the wish; none if they can't be had. `now` tells bursts apart.
    void feed(Wish const& wish, ByteView bytes, MonotonicTime now);

    /// The longest part there may be, the same for ever; none until two seconds or a chunk have
    /// shown what fits, and where nothing does.
    [[nodiscard]] std::optional<MediaTime> target() const { return target_; }
    /// A chunk of which parts are or will be known.
    [[nodiscard]] Chunk const* find(ChunkNumber number) const;

private:
    struct Coming {
        Chunk chunk;
        std::uint64_t released = 0;
        std::uint64_t fed = 0;
        bool is_cut_short = false;         ///< no more bytes will be released, but there were more
        std::optional<MediaTime> duration; ///< of the whole chunk, once all of it is released
        TsFrames reader;
        std::deque<TsFrame> frames; ///< not in a part yet; the first one begins the next part
    };

    void take(Timeline::Segments const& segments, std::size_t at);
    void observe(std::vector<TsFrame> const& frames, MediaTime before, MonotonicTime now);
    void choose_target();
    void cut(Coming& coming);
    void finish(Coming& coming);
    static void add_part(Coming& coming, std::size_t frames, std::uint64_t end, MediaTime duration);

    std::deque<Coming> coming_;
    std::optional<MediaTime> target_;
    MediaTime longest_frame_{};
    MediaTime observed_{}; ///< media that came after the first burst
    int bursts_ = 0;
    std::optional<MonotonicTime> last_fed_;
};

} // namespace minuteswarm
