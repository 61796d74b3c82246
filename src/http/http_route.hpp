#pragma once

#include "base/ids.hpp"
#include "base/statements.hpp"

#include <cstdint>
#include <optional>
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
        part,
        none
    };

    Kind kind = Kind::none;
    ChunkNumber number;                ///< of a chunk or the chunk of a part
    std::string message;               ///< why there is nothing, for a person; only with `none`
    std::optional<std::uint64_t> part; ///< its index; none: all parts there are
};

/// Delivery directives of a playlist's target (draft-pantos-hls-rfc8216bis 6.2.5.2).
struct ReloadDirectives {
    std::optional<std::uint64_t> sequence; ///< _HLS_msn
    std::optional<std::uint64_t> part;     ///< _HLS_part; only with a sequence
    bool is_malformed = false;
};

/// Parameters of other names are ignored.
ReloadDirectives directives_of(std::string_view target);

/// A target in origin form (RFC 7230 5.3.1), whose query is ignored. Media names end as `container`
/// says; another ending leads to `none` with a message that says which one to use.
HttpRoute route_of(std::string_view target, Container container);

} // namespace minuteswarm
