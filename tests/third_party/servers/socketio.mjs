// Socket.IO as its manual shows it: a tick to a room, and who connects is told whether its session was recovered.
// SCRIPT recovers|forgets PORT
import http from 'node:http';
import { Server } from 'socket.io';

const [, , mode, port] = process.argv;
const options = { pingInterval: 1000, pingTimeout: 800 };
if (mode === 'recovers') options.connectionStateRecovery = { maxDisconnectionDuration: 15000 };
// Without this nobody answers what is not for Socket.IO.
const server = http.createServer((_, response) => {
  response.writeHead(404, { 'content-type': 'application/json' }).end('{"code":404,"message":"not found"}');
});
const io = new Server(server, options);
io.on('connection', (socket) => {
  socket.emit('welcome', { recovered: socket.recovered });
  socket.join('prices');
});
let seq = 0;
setInterval(() => io.to('prices').emit('tick', { seq: ++seq }), 40);
server.listen(Number(port), '127.0.0.1');
