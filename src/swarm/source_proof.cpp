#include "swarm/source_proof.hpp"

namespace minuteswarm {
namespace {

constexpr std::string_view domain = "minuteswarm:source:1:";

} // namespace

Signature prove_source(ChannelKey const& key, SessionId const& source, SessionId const& receiver) {
    return key.sign({as_bytes(domain), key.channel().view(), source.view(), receiver.view()});
}

bool is_source_proof(
    Signature const& proof,
    ChannelId const& channel,
    SessionId const& source,
    SessionId const& receiver
) {
    return verify(
        channel, proof, {as_bytes(domain), channel.view(), source.view(), receiver.view()}
    );
}

} // namespace minuteswarm
