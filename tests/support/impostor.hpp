#pragma once

#include "support/edge_bench.hpp"

#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace minuteswarm::test {

/// A hostile neighbour of a node of the live edge: promises everything, and does what a test makes
/// it do. As the source it has the channel's key, and is the worst there can be.
class Impostor {
public:
    struct Options {
        bool is_source = false;
        std::optional<SessionId> session; ///< any, if there is none
    };

    Impostor(EdgeBench& bench, SwarmNode& victim, Options options)
        : bench_(bench)
        , session_(options.session.value_or(random_id<SessionId>())) {
        ChannelHandshake handshake;
        handshake.session = session_;
        handshake.has_edge = true;
        handshake.claims_source = options.is_source;
        peer_ = bench.swarm.connect(victim, handshake);
        if (options.is_source) {
            bench.swarm.prove(*peer_, session_);
            path_.append(run_node());
        } else {
            path_ = path_through({run_node(), node_of(session_)});
        }
    }
    Impostor(EdgeBench& bench, SwarmNode& victim)
        : Impostor(bench, victim, {}) {}

    /// Reads nothing from now on.
    void stop_reading() {
        bench_.swarm.driver.run([&] { peer_->stop_reading(); });
    }
    void say(SubscriptionMessage const& message) { send(encode_said(message)); }
    void send(Bytes const& message) {
        bench_.swarm.driver.run([&] { peer_->send(message); });
    }
    /// From within the loop.
    void say_now(SubscriptionMessage const& message) { send_now(encode_said(message)); }
    void send_now(Bytes const& message) { peer_->send(message); }
    void send(Block block) { send(encode_block(std::move(block))); }
    /// Many at once, as a flood comes.
    void flood(std::size_t times, Bytes const& message) {
        bench_.swarm.driver.run([&] {
            for (std::size_t i = 0; i < times; ++i)
                peer_->send(message);
        });
    }
    [[nodiscard]] Bytes encode_said(SubscriptionMessage const& message) const {
        return encode(SubscriptionEnvelope{run_node(), message});
    }
    [[nodiscard]] Bytes encode_block(Block block) const {
        block.path.assign(path_.nodes().begin(), path_.nodes().end());
        return encode(message_of(block));
    }

    /// Every stripe, fresh, and room for everybody.
    void promise_everything(std::uint64_t newest = 0) { say(promises(newest)); }
    /// From within the loop; no more often than a node that means it.
    void keep_promising() {
        auto const now = MonotonicClock::now();
        if (now - promised_ < std::chrono::milliseconds{250}) return;
        promised_ = now;
        say_now(promises(bench_.published));
    }
    [[nodiscard]] static AdvertMessage promises(std::uint64_t newest) {
        AdvertMessage advert;
        advert.newest = {newest};
        advert.slots = advert.spare = 255;
        for (StripeIndex stripe; stripe.value < 9; ++stripe)
            advert.stripes.push_back(
                {stripe, true, true, true, 0, 1, 0, std::chrono::milliseconds{0}}
            );
        return advert;
    }
    /// Accepts what was asked since the last call, from within the loop; all stripes ever accepted.
    StripeMask accept() {
        auto const& received = peer_->received();
        for (; answered_ < received.size(); ++answered_) {
            auto const* asked = subscription<SubscribeMessage>(received[answered_]);
            if (!asked) continue;
            peer_->send(encode_said(AcceptMessage{asked->stripe, path_, {}}));
            accepted_ |= mask_of(asked->stripe);
        }
        return accepted_;
    }
    /// Subscribes to the first stripes; false if not all of them are accepted.
    bool be_child(std::uint8_t stripes) {
        for (StripeIndex stripe; stripe.value < stripes; ++stripe)
            say(SubscribeMessage{stripe, {0}, 0, true, true, true, true});
        return bench_.swarm.driver.until([&] { return heard<AcceptMessage>().size() == stripes; });
    }
    /// Takes subscriptions until it has `least` of them.
    bool be_parent(std::size_t least = 1) {
        return bench_.swarm.driver.until([&] { return count(accept()) >= least; });
    }
    [[nodiscard]] StripeMask accepted() const { return accepted_; }
    [[nodiscard]] StripeIndex first_accepted() const {
        return {static_cast<std::uint8_t>(std::countr_zero(accepted_))};
    }

    /// Messages of the policy of a kind that the victim sent.
    template <class T>
    [[nodiscard]] std::vector<T> heard() const {
        std::vector<T> found;
        for (auto const& message : peer_->received()) {
            if (auto const* one = subscription<T>(message)) found.push_back(*one);
        }
        return found;
    }
    /// Of which groups the victim has asked it for which blocks, once for each time.
    [[nodiscard]] std::vector<StripeList::Entry> wanted() const {
        std::vector<StripeList::Entry> found;
        for (auto const& message : peer_->received()) {
            auto const* want = std::get_if<WantMessage>(&message);
            if (want) found.insert(found.end(), want->list.groups.begin(), want->list.groups.end());
        }
        return found;
    }
    /// How many messages with a block came before the last one of a kind.
    template <class T>
    [[nodiscard]] std::size_t blocks_before_last() const {
        std::size_t blocks = 0;
        std::size_t found = 0;
        for (auto const& message : peer_->received()) {
            blocks += std::holds_alternative<BlockMessage>(message) ? 1U : 0U;
            if (subscription<T>(message)) found = blocks;
        }
        return found;
    }
    [[nodiscard]] std::vector<Block> blocks() const {
        std::vector<Block> found;
        for (auto const& message : peer_->received()) {
            auto const* one = std::get_if<BlockMessage>(&message);
            if (!one) continue;
            if (auto block = decode_block(one->body, bench_.scope())) found.push_back(*block);
        }
        return found;
    }
    /// Of the blocks, how many are not copies of one before.
    [[nodiscard]] std::size_t distinct() const {
        std::set<BlockKey> keys;
        for (auto const& block : blocks())
            keys.insert(block.key());
        return keys.size();
    }
    /// When this returns, the victim has handled all that was sent to it before.
    void settle() {
        auto const answers = [this] {
            return std::ranges::count_if(peer_->received(), [](Message const& message) {
                return std::holds_alternative<PeersMessage>(message);
            });
        };
        auto const before = answers();
        send(encode(GetPeersMessage{}));
        bench_.swarm.driver.until([&] { return answers() > before || peer_->is_closed(); });
    }
    [[nodiscard]] bool is_closed() const { return peer_->is_closed(); }
    bool is_cut_off() {
        return bench_.swarm.driver.until([&] { return peer_->is_closed(); });
    }
    [[nodiscard]] SessionId const& session() const { return session_; }
    [[nodiscard]] NodeId run_node() const { return source_node(bench_.parameters.run); }

    static NodePath path_through(std::initializer_list<NodeId> nodes) {
        NodePath path;
        for (auto const node : nodes)
            path.append(node);
        return path;
    }

private:
    template <class T>
    static T const* subscription(Message const& message) {
        auto const* envelope = std::get_if<SubscriptionEnvelope>(&message);
        return envelope ? std::get_if<T>(&envelope->message) : nullptr;
    }

    EdgeBench& bench_;
    SessionId session_;
    NodePath path_;
    std::shared_ptr<RawPeer> peer_;
    std::size_t answered_ = 0;
    StripeMask accepted_ = 0;
    MonotonicTime promised_{};
};

} // namespace minuteswarm::test
