#pragma once

#include <libtorrent/session_params.hpp>
#include <libtorrent/settings_pack.hpp>

namespace minuteswarm::test {

/// A plain libtorrent session on 127.0.0.1 that finds nobody by itself and dials by TCP.
inline lt::session_params on_loopback() {
    lt::settings_pack pack;
    pack.set_str(lt::settings_pack::listen_interfaces, "127.0.0.1:0");
    pack.set_bool(lt::settings_pack::allow_multiple_connections_per_ip, true);
    for (auto const unwanted :
         {lt::settings_pack::enable_dht,
          lt::settings_pack::enable_lsd,
          lt::settings_pack::enable_upnp,
          lt::settings_pack::enable_natpmp,
          lt::settings_pack::enable_outgoing_utp})
        pack.set_bool(unwanted, false);
    return lt::session_params{pack};
}

} // namespace minuteswarm::test
