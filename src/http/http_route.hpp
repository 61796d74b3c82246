#pragma once

#include "base/ids.hpp"
#include "base/statements.hpp"

#include <string>
#include <string_view>

namespace minuteswarm {

/// What a request's target asks for.
struct HttpRoute {
    enum class Kind {
        page,
        page_script,
        page_style,
        hls_script,
        status,
        metrics,
        any_stream,
        stream,
        live,
        dvr,
        chunk,
        none
    };

    Kind kind = Kind::none;
    ChunkNumber number;  ///< of a chunk
    std::string message; ///< why there is nothing, for a person; only with `none`
};

/// A target in origin form (RFC 7230 5.3.1), whose query is ignored. Media names end as `container`
/// says; another ending leads to `none` with a message that says which one to use.
HttpRoute route_of(std::string_view target, Container container);

} // namespace minuteswarm
