/* WebSocket frames (RFC 6455, section 5): those of a client, which are masked, and those of a server, which are not. */
#ifndef FRAMES_H
#define FRAMES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { OP_TEXT = 1, OP_BINARY = 2, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };
enum { FRAME_OVERHEAD = 14 };

static uint32_t next_mask(void)
{
    static uint32_t state = 2463534242u;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

/* Writes a whole frame to `to`, which has room for FRAME_OVERHEAD bytes more than the payload; returns its length. */
static size_t put_frame(unsigned char *to, int opcode, const void *payload, size_t length)
{
    size_t at = 2;
    to[0] = (unsigned char)(0x80 | opcode);
    if (length < 126) {
        to[1] = (unsigned char)(0x80 | length);
    } else if (length < 65536) {
        to[1] = 0x80 | 126;
        to[2] = (unsigned char)(length >> 8);
        to[3] = (unsigned char)length;
        at = 4;
    } else {
        to[1] = 0x80 | 127;
        for (int i = 0; i < 8; i++)
            to[2 + i] = (unsigned char)((uint64_t)length >> (56 - 8 * i));
        at = 10;
    }
    uint32_t mask = next_mask();
    memcpy(to + at, &mask, 4);
    at += 4;
    uint64_t wide = (uint64_t)mask << 32 | mask;
    const unsigned char *from = payload;
    size_t i = 0;
    for (; i + 8 <= length; i += 8) {
        uint64_t eight;
        memcpy(&eight, from + i, 8);
        eight ^= wide;
        memcpy(to + at + i, &eight, 8);
    }
    for (; i < length; i++)
        to[at + i] = from[i] ^ to[at - 4 + i % 4];
    return at + length;
}

struct frame {
    int opcode;
    unsigned char *payload;
    size_t length;
};

/* Finds the frame that `data` begins with; returns how many bytes it takes, or 0 if it is not whole yet. */
static size_t get_frame(unsigned char *data, size_t have, struct frame *frame)
{
    if (have < 2)
        return 0;
    size_t length = data[1] & 0x7f, at = 2;
    if (length == 126) {
        if (have < 4)
            return 0;
        length = (size_t)data[2] << 8 | data[3];
        at = 4;
    } else if (length == 127) {
        if (have < 10)
            return 0;
        length = 0;
        for (int i = 0; i < 8; i++)
            length = length << 8 | data[2 + i];
        at = 10;
    }
    if (have < at + length)
        return 0;
    *frame = (struct frame){data[0] & 0x0f, data + at, length};
    return at + length;
}

#endif
