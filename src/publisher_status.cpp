#include "publisher.hpp"
#include "swarm_status.hpp"

namespace minuteswarm {

Status Publisher::status() const {
    Status status;
    if (playback_) playback_->fill(status);
    status.role = "publish";
    status.channel = key_.key().channel().hex();
    status.event = folder_.event();
    status.title = descriptor_.title;
    status.state = ended_at_ ? "ended" : (kept_.empty() ? "starting" : "live");
    status.uptime =
        std::chrono::duration_cast<std::chrono::milliseconds>(MonotonicClock::now() - started_);
    status.newest_chunk = kept_.empty() ? ChunkNumber{0} : kept_.back().number;
    if (swarm_) fill_swarm_status(status, *swarm_, *channel_);
    status.chunks.held = kept_.size();
    status.disk.used = store_.disk_used();
    status.disk.limit = options_.retain.size.value_or(0);
    status.disk.is_failing = steps_ && steps_->is_failing();
    status.memory_chunks = store_.memory_used();
    status.note = note_;
    return status;
}

} // namespace minuteswarm
