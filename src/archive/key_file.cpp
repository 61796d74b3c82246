#include "archive/key_file.hpp"

#include "base/text.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <sstream>

namespace minuteswarm {

namespace {

constexpr std::size_t key_file_size = 4096; ///< ours are 400 bytes; the rest is room for comments
constexpr std::uint64_t event_limit = std::uint64_t{1}
                                      << 62; ///< far beyond any clock, so that + 1 is safe
constexpr unsigned owner_only = 0600;

struct KeyText {
    ChannelKey key;
    EventId last_event;
};

[[noreturn]] void refuse(Error const& error) {
    throw StartError(error.message);
}

[[noreturn]] void refuse_text(std::filesystem::path const& path, std::string_view why) {
    throw StartError(concat(path.string(), " is not a usable channel key: ", why));
}

std::string format_key(ChannelKey const& key, EventId last_event) {
    return concat(
        "# A minuteswarm channel key. Whoever has this file can broadcast as the channel:\n"
        "# keep a copy in a safe place, and show it to nobody.\n",
        "channel ",
        key.channel().hex(),
        "\nseed ",
        to_hex(key.seed()),
        "\nlast-event ",
        last_event.value,
        "\n"
    );
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
    std::uint64_t value = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

KeyText parse_key(std::filesystem::path const& path, ByteView bytes) {
    std::optional<ChannelId> channel;
    std::optional<ChannelKey::Seed> seed;
    std::optional<std::uint64_t> last_event;
    std::istringstream lines{std::string(as_text(bytes))};
    for (std::string line; std::getline(lines, line);) {
        std::string word;
        std::string value;
        std::string rest;
        std::istringstream(line) >> word >> value >> rest;
        if (word.empty() || word.front() == '#') continue;
        if (!rest.empty()) refuse_text(path, "a line with more than a word and a value");
        if (word == "channel") {
            channel = ChannelId::parse_hex(value);
        } else if (word == "seed") {
            ChannelKey::Seed parsed{};
            if (from_hex(value, parsed)) seed = parsed;
        } else if (word == "last-event") {
            last_event = parse_number(value);
        } else {
            refuse_text(path, "it has lines this version does not know");
        }
    }
    if (!seed) refuse_text(path, "no seed of 64 hex digits");
    if (!last_event || *last_event > event_limit) refuse_text(path, "no last-event number");
    auto key = ChannelKey::from_seed(*seed);
    if (channel != key.channel()) refuse_text(path, "seed and channel do not belong together");
    return {std::move(key), EventId{*last_event}};
}

KeyText read_key(std::filesystem::path const& path) {
    std::error_code error;
    if (auto const size = std::filesystem::file_size(path, error); !error && size > key_file_size)
        throw StartError(concat(path.string(), " is no key file: give one that keygen made"));
    auto const bytes = read_file(path, key_file_size);
    if (!bytes) refuse(bytes.error());
    return parse_key(path, *bytes);
}

bool lock(File const& file) {
    while (::flock(file.descriptor(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) return false;
        if (errno != EINTR) refuse(file_error("lock", file.path(), errno));
    }
    return true;
}

/// Whether `path` still names this open file: an owner that stores a new event number replaces it.
bool is_current(File const& file, std::filesystem::path const& path) {
    struct stat open_status {};
    struct stat path_status {};
    return ::fstat(file.descriptor(), &open_status) == 0 &&
           ::stat(path.c_str(), &path_status) == 0 && open_status.st_dev == path_status.st_dev &&
           open_status.st_ino == path_status.st_ino;
}

File open_locked(std::filesystem::path const& path) {
    while (true) {
        auto file = File::open(path, File::Access::write);
        if (!file) refuse(file.error());
        if (!lock(*file)) {
            throw StartError(concat(
                "this channel is being published by another process (",
                path.string(),
                " is locked): stop that one first"
            ));
        }
        if (is_current(*file, path)) return std::move(*file);
    }
}

std::filesystem::path folder_of(std::filesystem::path const& path) {
    return path.has_parent_path() ? path.parent_path() : std::filesystem::path{"."};
}

/// A locked new file beside `path`, complete and on the disk, for a rename to put in place.
File write_beside(std::filesystem::path const& path, std::string const& text) {
    auto const beside = std::filesystem::path(concat(path.string(), ".", random_u64(), ".new"));
    auto const folder = concat("a file in the key's folder ", folder_of(path).string());
    auto file = File::create(beside, owner_only);
    if (!file) refuse(with_known_name(file.error(), beside, folder));
    auto done = file->write_at(0, as_bytes(text));
    if (done) done = file->sync();
    if (done && lock(*file)) return std::move(*file);
    ::unlink(beside.c_str());
    refuse(
        done ? Error{concat("cannot lock ", folder)} : with_known_name(done.error(), beside, folder)
    );
}

bool is_there(std::filesystem::path const& path) {
    struct stat status {};
    return ::lstat(path.c_str(), &status) == 0;
}

/// A rename would replace a symbolic link and leave the key it points to as it was.
std::filesystem::path resolve(std::filesystem::path const& path) {
    std::error_code error;
    auto resolved = std::filesystem::canonical(path, error);
    return error ? path : resolved;
}

} // namespace

KeyFile KeyFile::create(std::filesystem::path const& path) {
    auto const folder = folder_of(path);
    if (std::error_code error; !std::filesystem::is_directory(folder, error)) {
        throw StartError(concat(
            "cannot make ",
            path.string(),
            ": there is no folder ",
            folder.string(),
            "; make it first"
        ));
    }
    auto key = ChannelKey::generate();
    auto file = write_beside(path, format_key(key, {}));
    // link(2) refuses to replace a key that appeared meanwhile; file systems without links get a
    // rename.
    bool done = ::link(file.path().c_str(), path.c_str()) == 0;
    if (!done && errno == EPERM && !is_there(path)) {
        done = std::rename(file.path().c_str(), path.c_str()) == 0;
    }
    auto const error_number = errno;
    ::unlink(file.path().c_str());
    if (!done) refuse(file_error("make", path, error_number));
    if (auto synced = sync_folder(folder); !synced) {
        refuse(synced.error());
    }
    return {resolve(path), std::move(file), std::move(key), {}};
}

KeyFile KeyFile::load(std::filesystem::path const& path) {
    auto const resolved = resolve(path);
    auto file = open_locked(resolved);
    auto text = read_key(resolved);
    return {resolved, std::move(file), std::move(text.key), text.last_event};
}

KeyFile KeyFile::load_or_create(std::filesystem::path const& path) {
    return is_there(path) ? load(path) : create(path);
}

ChannelId KeyFile::read_channel(std::filesystem::path const& path) {
    return read_key(path).key.channel();
}

std::optional<std::string> KeyFile::warning() const {
    struct stat status {};
    if (::fstat(locked_.descriptor(), &status) != 0) return std::nullopt;
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) == 0) return std::nullopt;
    return concat("other users may read the channel key: run `chmod 600 ", path_.string(), "`");
}

EventId KeyFile::next_event(WallTime now, EventId known) const {
    auto const unix_ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
    auto const clock = static_cast<std::uint64_t>(std::max<std::int64_t>(unix_ms, 0));
    auto const event = EventId{std::max(clock, std::max(last_event_, known).value + 1)};
    if (event.value > event_limit) refuse_text(path_, "no event number is left");
    return event;
}

void KeyFile::store_event(EventId event) {
    // The successor is locked before it takes the name, so the channel is never without a lock.
    auto successor = write_beside(path_, format_key(key_, event));
    if (auto moved = move_file(successor.path(), path_); !moved) {
        ::unlink(successor.path().c_str());
        refuse(with_known_name(moved.error(), successor.path(), path_));
    }
    locked_ = std::move(successor);
    last_event_ = event;
}

Expected<std::filesystem::path>
channel_key_path(std::string_view name, std::filesystem::path const& user_data) {
    constexpr std::size_t longest_name = 64;
    auto const is_allowed = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
    };
    if (name.empty() || name.size() > longest_name || name.front() == '.' ||
        !std::all_of(name.begin(), name.end(), is_allowed)) {
        return Error{"a channel's name is 1 to 64 letters, digits, '.', '_' or '-', and does not "
                     "start with a dot"};
    }
    return user_data / "minuteswarm" / "channels" / concat(name, ".key");
}

std::filesystem::path user_data_folder() {
    // The specification has relative paths ignored.
    if (auto const* set = std::getenv("XDG_DATA_HOME"); set != nullptr && *set == '/') return set;
    auto const* home = std::getenv("HOME");
    if (home == nullptr || *home == '\0') {
        throw StartError("neither XDG_DATA_HOME nor HOME is set: give --key FILE");
    }
    return std::filesystem::path(home) / ".local" / "share";
}

} // namespace minuteswarm
