#pragma once

#include "base/time.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace minuteswarm {

/// Status line and fields of an HTTP/1.1 answer (RFC 7230 3). Pure.
class ResponseHead {
public:
    explicit ResponseHead(unsigned status);

    /// `value` must hold no line break.
    ResponseHead& set(std::string_view name, std::string value);

    [[nodiscard]] unsigned status() const { return status_; }
    /// What goes over the wire, up to and including the empty line.
    [[nodiscard]] std::string text(WallTime now) const;

private:
    unsigned status_;
    std::vector<std::pair<std::string_view, std::string>> fields_;
};

} // namespace minuteswarm
