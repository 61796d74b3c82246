#include "store/disk_strand.hpp"

#include <boost/asio/post.hpp>

namespace minuteswarm {

DiskStrand::DiskStrand(EventLoop& loop, std::size_t limit)
    : loop_(loop)
    , limit_(limit) {}

DiskStrand::~DiskStrand() {
    finish();
}

void DiskStrand::finish() {
    pool_.join();
}

void DiskStrand::start(std::size_t bytes, Task task) {
    queued_ += bytes;
    boost::asio::post(pool_, std::move(task));
}

} // namespace minuteswarm
