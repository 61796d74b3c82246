#pragma once

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/expected.hpp"
#include "base/statements.hpp"
#include "input/libav.hpp"
#include "input/packet.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace minuteswarm {

/// Wraps the packets of one epoch into its container's bytes. One libav muxer for the whole epoch,
/// so that its chunks one after the other are a clean stream. Input thread only.
class ChunkMuxer {
public:
    /// `streams`: at most one video, then at most one audio; copied.
    static Expected<std::unique_ptr<ChunkMuxer>>
    open(Container container, std::vector<AVCodecParameters const*> const& streams);

    ~ChunkMuxer();
    ChunkMuxer(ChunkMuxer const&) = delete;
    ChunkMuxer& operator=(ChunkMuxer const&) = delete;

    /// `packet`: of streams[index], timestamps in 90 kHz ticks as they shall stand in the bytes.
    std::optional<Error> write(Packet& packet, std::size_t index);

    /// Before a random access point and at the end of a chunk: all that was written so far is in
    /// `take`, the next bytes begin with headers.
    void complete();

    /// How many bytes `take` would give.
    [[nodiscard]] std::size_t waiting() const { return bytes_.size(); }
    /// The bytes made since the last call.
    Bytes take();

private:
    struct Free {
        void operator()(AVFormatContext* format) const { avformat_free_context(format); }
    };
    struct FreeIo {
        void operator()(AVIOContext* io) const;
    };

    explicit ChunkMuxer(Container container);
    std::optional<Error> set_up(std::vector<AVCodecParameters const*> const& streams);
    int write_header();
    [[nodiscard]] bool is_complete_by_itself(Packet const& packet) const;
    static int collect(void* self, std::uint8_t* bytes, int size);

    Container container_;
    Bytes bytes_;
    std::unique_ptr<AVIOContext, FreeIo> io_;
    std::unique_ptr<AVFormatContext, Free> format_;
    bool has_header_ = false;
};

} // namespace minuteswarm
