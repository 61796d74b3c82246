#pragma once

#include "input/libav.hpp"

#include <memory>
#include <stop_token>

namespace minuteswarm {

/// Feeds libav from a pipe and gives up when stopped, which libav's own `pipe:` cannot.
/// Input thread only. The descriptor is closed with it if `owns_descriptor`.
class DescriptorReader {
public:
    DescriptorReader(int descriptor, bool owns_descriptor, std::stop_token stop);
    ~DescriptorReader();
    DescriptorReader(DescriptorReader const&) = delete;
    DescriptorReader& operator=(DescriptorReader const&) = delete;

    AVIOContext* io() { return io_.get(); }
    [[nodiscard]] bool has_read() const { return has_read_; }

private:
    struct FreeIo {
        void operator()(AVIOContext* io) const;
    };

    static int read(void* self, std::uint8_t* to, int size);
    int read_some(std::uint8_t* to, int size);

    int descriptor_;
    bool owns_descriptor_;
    bool has_read_ = false;
    std::stop_token stop_;
    std::unique_ptr<AVIOContext, FreeIo> io_;
};

} // namespace minuteswarm
