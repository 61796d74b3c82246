#pragma once

#include "base/limits.hpp"
#include "edge/stripe.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace minuteswarm {

/// The nodes that a block came through: the source first, its sender last; at most
/// limits::edge_path.
class NodePath {
public:
    /// False, and nothing is appended, when the path is full.
    bool append(NodeId node) {
        if (is_full()) return false;
        nodes_[size_++] = node;
        return true;
    }
    void clear() { size_ = 0; }

    [[nodiscard]] std::span<NodeId const> nodes() const { return {nodes_.data(), size_}; }
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] bool is_full() const { return size_ == nodes_.size(); }
    [[nodiscard]] bool starts_at(NodeId node) const { return size_ > 0 && nodes_[0] == node; }
    [[nodiscard]] bool ends_at(NodeId node) const { return size_ > 0 && nodes_[size_ - 1] == node; }
    [[nodiscard]] bool contains(NodeId node) const {
        auto const all = nodes();
        return std::find(all.begin(), all.end(), node) != all.end();
    }
    bool operator==(NodePath const& other) const {
        return std::equal(
            nodes().begin(), nodes().end(), other.nodes().begin(), other.nodes().end()
        );
    }

private:
    std::array<NodeId, limits::edge_path> nodes_{};
    std::uint8_t size_ = 0;
};

} // namespace minuteswarm
