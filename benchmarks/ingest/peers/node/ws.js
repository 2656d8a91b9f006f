'use strict';
// A minimal recorder on `ws`: node ws.js FOLDER write|stream|memory
const { WebSocketServer } = require('ws');

const record = require('./wav')(process.argv[2], process.argv[3]);
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false, backlog: 1024 });

server.on('connection', (socket) => {
  const recording = record();
  socket.on('message', (data) => recording.write(data));
  socket.on('close', () => recording.end());
});
server.on('listening', () => console.log(server.address().port));
process.on('SIGTERM', () => server.close(() => process.exitCode = 0));
