#pragma once

#include "archive/chunk_sequence.hpp"
#include "archive/libav.hpp"
#include "base/time.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace minuteswarm {

/// A packet of an epoch on its way into an export.
struct EpochPacket {
    AvPacket packet;           ///< timestamps in the stream's time base, without wraps
    std::size_t stream = 0;    ///< index into streams()
    MediaTime time{};          ///< media time of its presentation
    MediaTime decode_time{};   ///< the same in decoding order: never goes back
    bool is_reference = false; ///< of the stream whose keyframes are random access points
};

/// Demuxes the chunks of one epoch as one stream. Blocking.
class ExportInput {
public:
    /// Nothing when no chunk of `numbers` can be read. `chunks` must outlive this.
    static Expected<std::unique_ptr<ExportInput>> open(ChunkSequence& chunks, Container container);

    /// Video and audio, with their parameters.
    [[nodiscard]] std::vector<AVStream const*> const& streams() const { return streams_; }

    /// Nothing at the end.
    Expected<std::optional<EpochPacket>> next();

private:
    ExportInput(ChunkSequence& chunks, AvInput input);

    std::optional<EpochPacket> place(AvPacket packet);
    std::int64_t unwrap(std::int64_t timestamp, AVStream const& stream) const;
    [[nodiscard]] MediaTime to_media_time(std::int64_t timestamp, AVRational base) const;

    ChunkSequence& chunks_;
    AvInput input_;
    std::vector<AVStream const*> streams_;
    std::vector<std::optional<std::size_t>> indices_; ///< libav's stream index → ours
    std::size_t reference_ = 0;
    std::optional<MediaTime> last_;   ///< of the newest packet, on the streams' clock, unwrapped
    std::optional<MediaTime> anchor_; ///< of the first reference packet, on the same clock
    MediaTime reorder_delay_{}; ///< of the reference stream, between decoding and presentation
};

} // namespace minuteswarm
