'use strict';
// Three ways to put a stream into a WAV file: append each message, put it into a write stream, keep it until the end.
const fs = require('fs');
const path = require('path');

const HEADER_BYTES = 44;
const RATE = 16000;

function header(dataBytes) {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.write('RIFF', 0);
  bytes.writeUInt32LE(36 + dataBytes, 4);
  bytes.write('WAVEfmt ', 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(RATE, 24);
  bytes.writeUInt32LE(2 * RATE, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36);
  bytes.writeUInt32LE(dataBytes, 40);
  return bytes;
}

function mend(file, dataBytes) {
  const descriptor = fs.openSync(file, 'r+');
  fs.writeSync(descriptor, header(dataBytes), 0, HEADER_BYTES, 0);
  fs.closeSync(descriptor);
}

class Appended {
  constructor(file) {
    this.file = file;
    this.size = 0;
    this.descriptor = fs.openSync(file, 'w');
    fs.writeSync(this.descriptor, header(0));
  }

  write(data) {
    fs.writeSync(this.descriptor, data);
    this.size += data.length;
  }

  end() {
    fs.closeSync(this.descriptor);
    mend(this.file, this.size);
  }
}

class Streamed {
  constructor(file) {
    this.file = file;
    this.size = 0;
    this.stream = fs.createWriteStream(file);
    this.stream.write(header(0));
  }

  write(data) {
    this.stream.write(data);
    this.size += data.length;
  }

  end() {
    this.stream.end(() => mend(this.file, this.size));
  }
}

class Kept {
  constructor(file) {
    this.file = file;
    this.chunks = [];
  }

  write(data) {
    this.chunks.push(data);
  }

  end() {
    const audio = Buffer.concat(this.chunks);
    fs.writeFileSync(this.file, Buffer.concat([header(audio.length), audio]));
  }
}

const WAYS = { write: Appended, stream: Streamed, memory: Kept };

module.exports = function recorder(folder, way) {
  let count = 0;
  return () => new WAYS[way](path.join(folder, `${count++}.wav`));
};
