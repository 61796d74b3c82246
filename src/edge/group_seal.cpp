#include "edge/group_seal.hpp"

#include "base/big_endian.hpp"

namespace minuteswarm {
namespace {

constexpr std::string_view domain = "minuteswarm:group:1:";

Bytes signed_fields(GroupHeader const& header) {
    Bytes bytes;
    append_be(bytes, header.event.value);
    append_be(bytes, header.rendition.value);
    append(bytes, header.run.view());
    append_be(bytes, header.group.value);
    append_be(bytes, header.chunk.value);
    append_be(bytes, header.offset.value);
    append_be(bytes, header.length);
    append_be(bytes, header.stripes);
    append_be(bytes, header.parity);
    append_be(bytes, header.flags);
    append_be(bytes, static_cast<std::uint64_t>(header.media_time.count()));
    append_be(bytes, static_cast<std::uint64_t>(header.wall_time.time_since_epoch().count()));
    return bytes;
}

} // namespace

GroupSeal seal_group(GroupHeader const& header, Digest const& root, ChannelKey const& key) {
    auto const fields = signed_fields(header);
    auto const signature = key.sign({as_bytes(domain), key.channel().view(), fields, root.view()});
    return {header, root, signature};
}

bool is_genuine(GroupSeal const& seal, ChannelId const& channel) {
    auto const fields = signed_fields(seal.header);
    return verify(
        channel, seal.signature, {as_bytes(domain), channel.view(), fields, seal.root.view()}
    );
}

std::optional<GenuineSeal> GenuineSeal::check(GroupSeal const& seal, ChannelId const& channel) {
    if (!is_genuine(seal, channel)) return std::nullopt;
    return GenuineSeal{seal};
}

} // namespace minuteswarm
