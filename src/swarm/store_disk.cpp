#include "swarm/store_disk.hpp"

#include "swarm/libtorrent_access.hpp"

#include <boost/asio/post.hpp>
#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/file_storage.hpp>
#include <libtorrent/hasher.hpp>
#include <libtorrent/peer_request.hpp>
#include <libtorrent/storage_defs.hpp>

#include <algorithm>

namespace minuteswarm {
namespace {

lt::storage_error as_storage_error(DiskError error, lt::operation_t operation) {
    lt::storage_error result;
    result.ec = error;
    result.operation = operation;
    return result;
}

lt::storage_error unknown_storage(lt::operation_t operation) {
    return as_storage_error(
        make_error_code(boost::system::errc::no_such_file_or_directory), operation
    );
}

} // namespace

lt::storage_holder
StoreDisk::new_torrent(lt::storage_params const& params, std::shared_ptr<void> const&) {
    auto const index = next_;
    ++next_;
    auto const layout = layouts_.find(from_sha1(params.info_hash));
    storages_[index] = {
        &params.files, layout == layouts_.end() ? std::vector<ChunkKey>{} : layout->second};
    return {index, *this};
}

void StoreDisk::remove_torrent(lt::storage_index_t storage) {
    storages_.erase(storage);
}

std::vector<StoreDisk::Slice> StoreDisk::slices(
    lt::storage_index_t storage, lt::piece_index_t piece, int start, int length
) const {
    std::vector<Slice> result;
    auto const found = storages_.find(storage);
    if (found == storages_.end()) return result;
    for (auto const& part : found->second.files->map_block(piece, start, length)) {
        auto const index = static_cast<std::size_t>(static_cast<int>(part.file_index));
        if (index >= found->second.chunks.size()) return {};
        result.push_back(
            {found->second.chunks[index],
             static_cast<std::uint64_t>(part.offset),
             static_cast<std::size_t>(part.size)}
        );
    }
    return result;
}

void StoreDisk::read_slices(
    std::vector<Slice> slices, std::function<void(lt::storage_error const&, SharedBytes)> done
) {
    struct Gathered {
        std::vector<SharedBytes> parts;
        std::size_t missing = 0;
        DiskError error;
    };
    auto const gathered = std::make_shared<Gathered>();
    gathered->parts.resize(slices.size());
    gathered->missing = slices.size();
    for (std::size_t i = 0; i < slices.size(); ++i) {
        auto const& slice = slices[i];
        store_.read(slice.key, slice.offset, slice.length, [=](DiskError error, SharedBytes bytes) {
            if (error) gathered->error = error;
            gathered->parts[i] = std::move(bytes);
            if (--gathered->missing > 0) return;
            if (gathered->error) {
                done(as_storage_error(gathered->error, lt::operation_t::file_read), nullptr);
            } else if (gathered->parts.size() == 1) {
                done({}, gathered->parts.front());
            } else {
                auto all = std::make_shared<Bytes>();
                for (auto const& part : gathered->parts)
                    append(*all, *part);
                done({}, std::move(all));
            }
        });
    }
}

void StoreDisk::async_read(
    lt::storage_index_t storage,
    lt::peer_request const& request,
    std::function<void(lt::disk_buffer_holder, lt::storage_error const&)> handler,
    lt::disk_job_flags_t
) {
    auto parts = slices(storage, request.piece, request.start, request.length);
    if (parts.empty()) {
        boost::asio::post(io_, [handler = std::move(handler)] {
            handler(lt::disk_buffer_holder{}, unknown_storage(lt::operation_t::file_read));
        });
        return;
    }
    read_slices(
        std::move(parts),
        [this,
         handler = std::move(handler)](lt::storage_error const& error, SharedBytes const& bytes) {
            if (error) {
                handler(lt::disk_buffer_holder{}, error);
                return;
            }
            auto* const buffer = new char[bytes->size()]; // freed by free_disk_buffer
            std::copy(bytes->begin(), bytes->end(), buffer);
            handler(lt::disk_buffer_holder{*this, buffer, static_cast<int>(bytes->size())}, error);
        }
    );
}

bool StoreDisk::async_write(
    lt::storage_index_t storage,
    lt::peer_request const& request,
    char const* buffer,
    std::shared_ptr<lt::disk_observer> observer,
    std::function<void(lt::storage_error const&)> handler,
    lt::disk_job_flags_t
) {
    auto const parts = slices(storage, request.piece, request.start, request.length);
    if (parts.size() != 1) { // chunk torrents have one file; nothing else is downloaded
        boost::asio::post(io_, [handler = std::move(handler)] {
            handler(unknown_storage(lt::operation_t::file_write));
        });
        return false;
    }
    auto bytes = std::make_shared<Bytes const>(
        reinterpret_cast<std::uint8_t const*>(buffer),
        reinterpret_cast<std::uint8_t const*>(buffer) + request.length
    );
    auto const is_slow = store_.is_disk_slow();
    Store::Done written;
    if (is_slow)
        written = [observer = std::move(observer)](DiskError) {
            if (observer) observer->on_disk();
        };
    store_.write(parts[0].key, parts[0].offset, std::move(bytes), std::move(written));
    // The block can be read from now on, so libtorrent is told now, and not when it is in the file:
    // its piece may have been hashed by then, found wrong and cleared, and a block that arrives
    // after that is never asked for again. That a disk is full is the store's to report.
    boost::asio::post(io_, [handler = std::move(handler)] { handler({}); });
    return is_slow;
}

void StoreDisk::async_hash(
    lt::storage_index_t storage,
    lt::piece_index_t piece,
    lt::span<lt::sha256_hash>,
    lt::disk_job_flags_t,
    std::function<void(lt::piece_index_t, lt::sha1_hash const&, lt::storage_error const&)> handler
) {
    auto const found = storages_.find(storage);
    auto parts = found == storages_.end()
                     ? std::vector<Slice>{}
                     : slices(storage, piece, 0, found->second.files->piece_size(piece));
    if (parts.empty()) {
        boost::asio::post(io_, [piece, handler = std::move(handler)] {
            handler(piece, {}, unknown_storage(lt::operation_t::file_read));
        });
        return;
    }
    read_slices(
        std::move(parts),
        [piece,
         handler = std::move(handler)](lt::storage_error const& error, SharedBytes const& bytes) {
            if (error) {
                handler(piece, {}, error);
                return;
            }
            auto const* data = reinterpret_cast<char const*>(bytes->data());
            lt::hasher hasher{
                lt::span<char const>{data, static_cast<std::ptrdiff_t>(bytes->size())}};
            handler(piece, hasher.final(), {});
        }
    );
}

void StoreDisk::async_hash2(
    lt::storage_index_t,
    lt::piece_index_t piece,
    int,
    lt::disk_job_flags_t,
    std::function<void(lt::piece_index_t, lt::sha256_hash const&, lt::storage_error const&)> handler
) {
    boost::asio::post(io_, [piece, handler = std::move(handler)] { // v2 torrents are never added
        handler(piece, {}, unknown_storage(lt::operation_t::file_read));
    });
}

void StoreDisk::async_move_storage(
    lt::storage_index_t,
    std::string path,
    lt::move_flags_t,
    std::function<void(lt::status_t, std::string const&, lt::storage_error const&)> handler
) {
    boost::asio::post(io_, [path = std::move(path), handler = std::move(handler)] {
        handler(lt::status_t::no_error, path, {});
    });
}

void StoreDisk::async_release_files(lt::storage_index_t, std::function<void()> handler) {
    if (handler) boost::asio::post(io_, std::move(handler));
}

void StoreDisk::async_check_files(
    lt::storage_index_t,
    lt::add_torrent_params const*,
    lt::aux::vector<std::string, lt::file_index_t>,
    std::function<void(lt::status_t, lt::storage_error const&)> handler
) {
    boost::asio::post(io_, [handler = std::move(handler)] { handler(lt::status_t::no_error, {}); });
}

void StoreDisk::async_stop_torrent(lt::storage_index_t, std::function<void()> handler) {
    if (handler) boost::asio::post(io_, std::move(handler));
}

void StoreDisk::async_rename_file(
    lt::storage_index_t,
    lt::file_index_t index,
    std::string name,
    std::function<void(std::string const&, lt::file_index_t, lt::storage_error const&)> handler
) {
    boost::asio::post(io_, [index, name = std::move(name), handler = std::move(handler)] {
        handler(name, index, {});
    });
}

void StoreDisk::async_delete_files(
    lt::storage_index_t, lt::remove_flags_t, std::function<void(lt::storage_error const&)> handler
) {
    boost::asio::post(io_, [handler = std::move(handler)] { handler({}); }); // the store's to do
}

void StoreDisk::async_set_file_priority(
    lt::storage_index_t,
    lt::aux::vector<lt::download_priority_t, lt::file_index_t> priorities,
    std::function<
        void(lt::storage_error const&, lt::aux::vector<lt::download_priority_t, lt::file_index_t>)>
        handler
) {
    boost::asio::post(io_, [priorities = std::move(priorities), handler = std::move(handler)] {
        handler({}, priorities);
    });
}

void StoreDisk::async_clear_piece(
    lt::storage_index_t, lt::piece_index_t piece, std::function<void(lt::piece_index_t)> handler
) {
    boost::asio::post(io_, [piece, handler = std::move(handler)] { handler(piece); });
}

} // namespace minuteswarm
