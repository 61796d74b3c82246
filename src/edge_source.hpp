#pragma once

#include "base/event_loop.hpp"
#include "base/timer.hpp"
#include "edge/group_cutter.hpp"
#include "segmenter/epoch.hpp"

#include <deque>
#include <functional>
#include <optional>

namespace minuteswarm {

/// Cuts what a publisher has recorded into the live edge's groups: nothing that is not on disk yet,
/// each group as soon as it is due. Loop-only.
class EdgeSource {
public:
    using OnGroup = std::function<void(Group const&)>;

    EdgeSource(EventLoop& loop, GroupCutter::Options const& options, OnGroup on_group)
        : cutter_(options)
        , on_group_(std::move(on_group))
        , timer_(loop) {}

    /// The bytes that follow are this chunk's.
    void open_chunk(ChunkNumber chunk, bool is_discontinuity);
    void add(MuxedSpan span);
    /// So many more bytes are on disk.
    void on_stored(std::size_t bytes);
    /// The chunk is complete, and all of it is on disk.
    void close_chunk() { send(cutter_.close_chunk()); }

private:
    struct Waiting {
        MuxedSpan span;
        ChunkNumber chunk;
        ByteOffset offset;
        bool is_discontinuity = false;
    };

    void send(std::optional<Group> const& group);
    void wait();

    GroupCutter cutter_;
    OnGroup on_group_;
    Timer timer_;
    std::deque<Waiting> waiting_;
    std::size_t stored_ = 0; // bytes of waiting_ that are on disk
    ChunkNumber chunk_;
    ByteOffset offset_;
    bool is_discontinuity_ = false;
};

} // namespace minuteswarm
