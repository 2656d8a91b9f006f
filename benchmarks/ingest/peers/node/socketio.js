'use strict';
// A minimal recorder on `socket.io`: node socketio.js FOLDER write|stream|memory
const http = require('http');
const { Server } = require('socket.io');

const record = require('./wav')(process.argv[2], process.argv[3]);
const server = http.createServer();
const io = new Server(server, { transports: ['websocket'], serveClient: false });

io.on('connection', (socket) => {
  const recording = record();
  socket.on('audio', (data) => recording.write(data));
  socket.on('disconnect', () => recording.end());
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, () => console.log(server.address().port));
process.on('SIGTERM', () => io.close());
