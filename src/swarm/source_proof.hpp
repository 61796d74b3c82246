#pragma once

#include "base/signature.hpp"

namespace minuteswarm {

/// How a channel's source shows to one neighbour that it is: the channel's signature on the two
/// sessions that a connection joins. Each process has a session of its own, so that nobody can show
/// to others what was made for it.
///
/// Signed: `minuteswarm:source:1:` ‖ channel ‖ the source's session (8) ‖ the receiver's (8).
Signature prove_source(ChannelKey const& key, SessionId const& source, SessionId const& receiver);

/// Whether the channel signed it for just these sessions.
bool is_source_proof(
    Signature const& proof,
    ChannelId const& channel,
    SessionId const& source,
    SessionId const& receiver
);

} // namespace minuteswarm
