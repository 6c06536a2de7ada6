// Streams of npm's ws on one port: PORT. A tick every 200 ms, numbered from 1 on each connection; what the client sends comes
// back.
//
// /unpinged has the defaults; /pinged has the loop of the project's README that ends broken connections, shortened to a second.
// A message has at most 1024 bytes.
import http from 'node:http'
import { WebSocketServer } from 'ws'

const serve = () => {
  const server = new WebSocketServer({ noServer: true, maxPayload: 1024 })
  server.on('connection', stream => {
    let number = 0
    const ticking = setInterval(() => stream.send(JSON.stringify({ type: 'tick', seq: ++number })), 200)
    stream.on('close', () => clearInterval(ticking))
    stream.on('error', () => {})
    stream.on('message', message => stream.send(message.toString()))
  })
  return server
}
const paths = { '/unpinged': serve(), '/pinged': serve() }

const pinged = paths['/pinged']
pinged.on('connection', stream => {
  stream.isAlive = true
  stream.on('pong', () => { stream.isAlive = true })
})
setInterval(() => {
  for (const stream of pinged.clients) {
    if (!stream.isAlive) {
      stream.terminate()
    } else {
      stream.isAlive = false
      stream.ping()
    }
  }
}, 1000)

const server = http.createServer((request, response) => response.writeHead(426).end())
server.on('upgrade', (request, socket, head) => {
  const streams = paths[request.url]
  streams.handleUpgrade(request, socket, head, stream => streams.emit('connection', stream, request))
})
server.listen(Number(process.argv[2]), '127.0.0.1')
