#pragma once

#include "base/expected.hpp"
#include "edge/stripe.hpp"

#include <vector>

namespace minuteswarm {

/// Some stripes of some groups of one run and rendition: the body of `want`, which asks for these
/// blocks, and of `missing`, which answers that they are not here.
///
/// On the wire: rendition † ‖ run (8) ‖ count u8 ‖ for each group: its number less the one
/// before it † (the first as it is) ‖ stripes †. † compact, see append_compact.
struct StripeList {
    struct Entry {
        GroupNumber group;
        StripeMask stripes = 0; ///< at least one
        bool operator==(Entry const&) const = default;
    };
    RenditionId rendition;
    RunId run;
    std::vector<Entry> groups; ///< ascending; 1 to limits::wanted_groups
    bool operator==(StripeList const&) const = default;
};

Bytes encode(StripeList const& list);
Expected<StripeList> decode_stripe_list(ByteView body);

} // namespace minuteswarm
