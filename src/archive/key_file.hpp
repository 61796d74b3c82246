#pragma once

#include "archive/file.hpp"
#include "base/signature.hpp"
#include "base/time.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace minuteswarm {

/// A channel's key and its last event number on disk, locked while this object lives, so that one
/// process at a time publishes the channel. Used at start-up: errors are StartError.
///
/// The file is text: `#` starts a comment, other lines are a word, a space and a value:
///   channel     64 hex digits, the public key (checked against the seed)
///   seed        64 hex digits, the secret
///   last-event  decimal, 0 before the first event
class KeyFile {
public:
    /// Opens the file, or makes it, mode 0600, with a new key. Refuses malformed ones and those
    /// another process has locked.
    static KeyFile load_or_create(std::filesystem::path const& path);
    /// Makes the file with a new key; refuses a path that exists, and one in no folder.
    static KeyFile create(std::filesystem::path const& path);
    /// Opens the file, which must exist.
    static KeyFile load(std::filesystem::path const& path);

    /// Which channel a key file belongs to, without locking it.
    static ChannelId read_channel(std::filesystem::path const& path);

    [[nodiscard]] ChannelKey const& key() const { return key_; }
    [[nodiscard]] EventId last_event() const { return last_event_; }
    [[nodiscard]] std::filesystem::path const& path() const { return path_; }

    /// Set when others than the owner may read the file.
    [[nodiscard]] std::optional<std::string> warning() const;

    /// The number of a new event: Unix ms, but above every event of the channel before, also
    /// `known`, one seen elsewhere (an archive, the feed).
    [[nodiscard]] EventId next_event(WallTime now, EventId known = {}) const;
    /// `event` becomes the last one. It is on the disk when this returns.
    void store_event(EventId event);

private:
    KeyFile(std::filesystem::path path, File locked, ChannelKey key, EventId last_event)
        : path_(std::move(path))
        , locked_(std::move(locked))
        , key_(std::move(key))
        , last_event_(last_event) {}

    std::filesystem::path path_;
    File locked_;
    ChannelKey key_;
    EventId last_event_;
};

/// Where `--channel NAME` keeps its key: `<user's data folder>/minuteswarm/channels/NAME.key`.
/// `name` is 1-64 of [A-Za-z0-9._-], not starting with a dot.
Expected<std::filesystem::path>
channel_key_path(std::string_view name, std::filesystem::path const& user_data);

/// `$XDG_DATA_HOME`, else `$HOME/.local/share` (XDG Base Directory Specification).
std::filesystem::path user_data_folder();

} // namespace minuteswarm
