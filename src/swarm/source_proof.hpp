#pragma once

#include "base/signature.hpp"

namespace minuteswarm {

/// How a channel's source shows to one neighbour that it is: the channel's signature on the two
/// sessions that a connection joins. Each process has a session of its own, so that what was made
/// for one is worth nothing to another. Who stands between a receiver and the source, as each of
/// them to the other, can pass it on: connections are not authenticated. Bytes are.
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
