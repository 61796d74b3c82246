// A BitTorrent tracker over UDP: node tracker.mjs PATH/TO/bittorrent-tracker/server.js HOST PORT
const [module, host, port] = process.argv.slice(2)
const { default: Server } = await import(module)
const server = new Server({ udp: true, http: false, ws: false, stats: false })
server.on('error', (error) => { console.error(error.message); process.exit(1) })
server.on('warning', (warning) => console.error(warning.message))
server.listen(Number(port), { udp: host, udp6: '::' }, () => console.log('listens'))
