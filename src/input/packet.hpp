#pragma once

#include "base/bytes.hpp"
#include "input/libav.hpp"

#include <memory>
#include <new>

namespace minuteswarm {

/// Owner of one AVPacket: coded bytes of one stream with their timestamps.
class Packet {
public:
    Packet()
        : packet_(av_packet_alloc()) {
        if (!packet_) throw std::bad_alloc();
    }

    AVPacket* get() { return packet_.get(); }
    AVPacket* operator->() { return packet_.get(); }
    AVPacket const* operator->() const { return packet_.get(); }

    [[nodiscard]] bool is_key() const { return (packet_->flags & AV_PKT_FLAG_KEY) != 0; }
    [[nodiscard]] ByteView bytes() const {
        return {packet_->data, static_cast<std::size_t>(packet_->size)};
    }
    /// Empty unless the packet carries side data of this type.
    [[nodiscard]] ByteView side_data(AVPacketSideDataType type) const {
        std::size_t size = 0;
        auto const* bytes = av_packet_get_side_data(packet_.get(), type, &size);
        return bytes ? ByteView{bytes, size} : ByteView{};
    }

private:
    struct Free {
        void operator()(AVPacket* packet) const { av_packet_free(&packet); }
    };
    std::unique_ptr<AVPacket, Free> packet_;
};

} // namespace minuteswarm
