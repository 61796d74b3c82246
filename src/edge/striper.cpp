#include "edge/striper.hpp"

#include <algorithm>
#include <cassert>

namespace minuteswarm {
namespace {

SharedBytes data_payload(Group const& group, StripeIndex stripe) {
    auto const size = group.header.payload_size();
    auto payload = std::make_shared<Bytes>(size);
    auto const content = ByteView{group.bytes}.subspan(
        std::min(stripe.value * size, group.bytes.size()), group.header.content_size(stripe)
    );
    std::ranges::copy(content, payload->begin());
    return payload;
}

} // namespace

std::vector<Block> stripe_group(Group const& group, ParityCode const& code, ChannelKey const& key) {
    auto const& header = group.header;
    assert(header.length == group.bytes.size() && header.length > 0);
    assert(header.stripes == code.stripes() && header.all_stripes() == code.all_stripes());
    std::vector<SharedBytes> payloads;
    for (StripeIndex stripe; stripe.value < header.stripes; ++stripe)
        payloads.push_back(data_payload(group, stripe));
    for (auto& parity : code.encode(payloads))
        payloads.push_back(std::move(parity));

    std::vector<Digest> leaves;
    for (StripeIndex stripe; stripe.value < payloads.size(); ++stripe)
        leaves.push_back(leaf_digest(stripe, *payloads[stripe.value]));
    HashTree const tree{std::move(leaves)};
    auto const seal = seal_group(header, tree.root(), key);

    std::vector<Block> blocks;
    for (StripeIndex stripe; stripe.value < payloads.size(); ++stripe) {
        blocks.push_back(
            {header,
             seal.signature,
             stripe,
             tree.branch(stripe),
             payloads[stripe.value],
             {source_node(header.run)},
             {}}
        );
    }
    return blocks;
}

} // namespace minuteswarm
