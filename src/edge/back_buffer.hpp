#pragma once

#include "base/limits.hpp"
#include "edge/group_assembler.hpp"
#include "edge/stripe_list.hpp"

#include <map>
#include <optional>
#include <vector>

namespace minuteswarm {

/// The newest limits::edge_window of one rendition's live edge, for those that attach or want
/// single blocks, and the only gate for foreign blocks: what it holds is genuine. A group's first
/// block needs its seal checked, the others are known by their digests alone.
///
/// What is out of bounds is dropped before anything is checked: bounds follow from the newest
/// genuine group, so a replay never moves them, and a group far ahead that the channel did sign
/// makes what it left behind go. A run that is not known yet gets a place of its own; the one
/// before it stays until its groups are out of the window, older ones go at once. Pure.
class BackBuffer {
public:
    struct Options {
        EventId event;
        RenditionId rendition;
        std::size_t memory = limits::edge_memory;
    };
    enum class Outcome {
        added,
        duplicate,
        old,         ///< behind the window, or of a run that is over
        elsewhere,   ///< of another event or rendition
        conflicting, ///< signed, but not what the channel signed first: the source's fault
        unchecked    ///< may be forged: not taken before its seal has been checked
    };
    struct Added {
        Outcome outcome = Outcome::added;
        StripeMask rebuilt = 0;         ///< stripes of the group that this block let make
        bool has_all_data = false;      ///< of the group, for the first time
        bool is_faulty = false;         ///< the source signed a group that is no code word
        std::vector<EdgeBytes> bytes{}; ///< of the chunk, that have become known
    };

    explicit BackBuffer(Options options)
        : options_(options) {}

    /// A block from a peer; `checked` is its seal, if that is known to be genuine.
    Added add(Block block, MonotonicTime now, std::optional<GenuineSeal> const& checked = {});
    /// The blocks of a group that this node signed itself.
    void add_own(std::vector<Block> blocks, MonotonicTime now);

    /// As it was received, its age with the time it has been here; a rebuilt one has an empty path.
    [[nodiscard]] std::optional<Block>
    block(RunId const& run, GroupNumber group, StripeIndex stripe, MonotonicTime now) const;
    /// Makes what is missing of a group, if that is possible, and says which.
    StripeMask regenerate(RunId const& run, GroupNumber group, MonotonicTime now);

    /// What is here from a group on: at most `most` groups, oldest first.
    [[nodiscard]] std::vector<StripeList::Entry>
    held_since(RunId const& run, GroupNumber first, std::size_t most) const;
    [[nodiscard]] std::optional<GroupHeader> newest() const { return newest_; }
    /// The newest group with a random access point whose media time is not after `latest`. Some of
    /// its blocks may be missing.
    [[nodiscard]] std::optional<GroupHeader> random_access_point(MediaTime latest) const;

    [[nodiscard]] std::size_t memory() const { return memory_; }
    [[nodiscard]] std::size_t groups() const { return groups_; }

private:
    struct Run {
        RunId id;
        ParityCode code;
        GroupHeader newest;
        GroupNumber floor; ///< what is below it has been here, and gone
        std::map<GroupNumber, GroupAssembler> groups;
    };

    [[nodiscard]] Outcome check_bounds(GroupHeader const& header, StripeIndex stripe) const;
    [[nodiscard]] Outcome
    check_seal(GroupSeal const& seal, std::optional<GenuineSeal> const& checked) const;
    [[nodiscard]] Run const* find(RunId const& run) const;
    Run* find(RunId const& run);
    [[nodiscard]] GroupAssembler const* find(RunId const& run, GroupNumber group) const;
    GroupAssembler& place_for(GroupSeal const& seal);
    Expected<StripeMask> rebuild(GroupAssembler& group, MonotonicTime now);
    void note_newest(GroupHeader const& header);
    void keep_within_bounds();
    void drop_oldest();

    Options options_;
    std::vector<Run> runs_; ///< oldest first, at most limits::edge_runs
    std::optional<GroupHeader> newest_;
    std::size_t memory_ = 0;
    std::size_t groups_ = 0;
};

} // namespace minuteswarm
