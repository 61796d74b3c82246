#include "swarm_status.hpp"
#include "viewer.hpp"

#include <algorithm>

namespace minuteswarm {

Status Viewer::status() const {
    Status status;
    playback_->fill(status);
    status.role = options_.is_relay ? "relay" : "watch";
    status.channel = options_.link.channel.hex();
    auto const in_ms = [](auto time) {
        return std::chrono::duration_cast<std::chrono::milliseconds>(time);
    };
    status.uptime = in_ms(MonotonicClock::now() - started_);
    if (!records_.empty()) status.newest_chunk = records_.rbegin()->first;
    if (first_record_at_) status.startup.link_to_feed = in_ms(*first_record_at_ - started_);
    if (auto const first = playback_->first_byte_at()) {
        status.startup.link_to_first_byte = in_ms(*first - started_);
    }
    status.latency.p50 = latencies_.percentile(0.5);
    status.latency.p99 = latencies_.percentile(0.99);
    fill_swarm_status(status, *swarm_, *channel_);
    status.chunks.from_swarm = from_swarm_;
    status.chunks.from_edge = from_edge_;
    status.chunks.held =
        static_cast<std::size_t>(std::ranges::count_if(records_, [this](auto const& entry) {
            return store_.is_complete(key_of(entry.first));
        }));
    status.disk.used = store_.disk_used();
    status.disk.limit = options_.cache_size;
    status.disk.is_failing = store_.is_disk_failing();
    status.memory_chunks = store_.memory_used();
    status.note = note_.empty() ? missing_ : note_;
    return status;
}

} // namespace minuteswarm
