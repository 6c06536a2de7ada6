// ShareDB over WebSocket as its manual shows it, and a route over HTTP that submits an operation to the one document.
// SCRIPT PORT
import http from 'node:http';
import express from 'express';
import ShareDB from 'sharedb';
import WebSocketJSONStream from '@teamwork/websocket-json-stream';
import { WebSocketServer } from 'ws';

const backend = new ShareDB();
const doc = backend.connect().get('ledgers', 'main');
const app = express();
app.use(express.json());
app.post('/entries', (request, response) => {
  const { reference } = request.body;
  doc.submitOp([{ p: [reference], oi: { reference } }], (error) =>
    error ? response.status(500).json({ error: String(error) }) : response.status(201).json({ reference }));
});
const server = http.createServer(app);
const sockets = new WebSocketServer({ server, path: '/share' });
sockets.on('connection', (socket) => {
  const stream = new WebSocketJSONStream(socket);
  // An operation on its way to a client that has just gone ends the process otherwise.
  for (const one of [socket, stream]) one.on('error', () => {});
  backend.listen(stream);
});
doc.create({}, () => server.listen(Number(process.argv[2]), '127.0.0.1'));
