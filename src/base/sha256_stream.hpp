#pragma once

#include "base/ids.hpp"

#include <memory>

namespace minuteswarm {

/// SHA-256 of bytes that come in parts: files too large to hold in memory. Used once.
class Sha256Stream {
public:
    Sha256Stream();
    ~Sha256Stream();
    Sha256Stream(Sha256Stream&&) noexcept;
    Sha256Stream& operator=(Sha256Stream&&) noexcept;

    void add(ByteView bytes);
    [[nodiscard]] Sha256 finish();

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace minuteswarm
