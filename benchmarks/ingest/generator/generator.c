/* A load generator: many streams of audio to one server, from one thread, evenly spread over the time.

   It connects at once, and then does what standard input says, a line each; it answers with lines of JSON.

     watch STREAM PATH  note when the file of a watched stream grows
     start              stream, each message at its time
     count              messages so far, and how late they were sent since the last time this was asked
     stop               stream no more; tells what is still under way
     resume COUNT       drop one stream after another without a close frame, and let it come back
     end                end all streams as their dialect does, tell how each fared, and leave

   The log (--log) holds records of 24 bytes: what (0 sent, 1 file seen), stream, samples sent or bytes seen, and the
   time by CLOCK_MONOTONIC. Linux only: epoll, inotify. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "frames.h"
#include "pcm.h"

#define SECOND 1000000000ull
enum { IN_BYTES = 8192, OUT_BYTES = 1 << 20, OPENING_AT_ONCE = 50, EVENTS = 256, IN_A_ROW = 64, COMPLAINTS = 5, RATE = 16000, PATIENCE_S = 60 };

enum dialect { RAW, PLAIN, SOCKETIO, PLUGANDTELL };
enum phase { WAITING, CONNECTING, UPGRADING, GREETING, OPEN, ENDING, CLOSED };

struct stream {
    int fd;
    uint32_t number;
    enum phase phase;
    int is_watched, is_saved, is_writable_awaited;
    unsigned close_code;
    uint64_t samples, acknowledged, dropped_ns;
    size_t in_length, out_at, out_length, out_room;
    unsigned char *out;
    unsigned char in[IN_BYTES];
};

struct record {
    uint32_t what, stream;
    uint64_t value, ns;
};

static struct {
    enum dialect dialect;
    const char *host, *path, *log;
    uint16_t port;
    uint32_t streams, message_bytes, watched, first;
    uint64_t interval_ns;
} set = {.host = "127.0.0.1", .path = "/", .streams = 1, .message_bytes = 640, .interval_ns = 20000000};

static struct stream *streams;
static int epoll, changes, is_streaming, is_leaving;
static uint32_t next_to_connect, opening, open_streams, failed;
static uint64_t began_ns, sent;                         /* of the schedule; messages by it */
static int *watches, watch_room;                        /* inotify's number -> stream and file */
static struct record *records;
static size_t record_count, record_room;
static uint32_t *late_us, *resume_us;                   /* since the last count; of the last resume */
static size_t late_count, late_room, resume_wanted, resume_count;
static uint32_t resuming;

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

static void *need(void *memory)
{
    if (!memory) {
        fputs("generator: out of memory\n", stderr);
        exit(2);
    }
    return memory;
}

static void die(const char *what, const char *detail)
{
    fprintf(stderr, "generator: %s: %s\n", what, detail);
    exit(2);
}

static void tell(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    fflush(stdout);
}

static void note(uint32_t what, uint32_t stream, uint64_t value, uint64_t ns)
{
    if (record_count == record_room) {
        record_room = record_room ? 2 * record_room : 1 << 16;
        records = need(realloc(records, record_room * sizeof *records));
    }
    records[record_count++] = (struct record){what, stream, value, ns};
}

/* ---- one stream ------------------------------------------------------------------------------------------------ */

/* Only of the first few: the rest will have the same to say. */
static void complain(const struct stream *stream, const char *why)
{
    static int complaints;
    if (complaints++ < COMPLAINTS)
        fprintf(stderr, "generator: stream %u: %s\n", stream->number, why);
}

static void fail(struct stream *stream, const char *why)
{
    if (stream->phase == CLOSED)
        return;
    if (stream->phase < OPEN && !stream->dropped_ns)
        die("a stream could not be opened", why);
    complain(stream, why);
    failed++;
    if (stream->phase == OPEN)
        open_streams--;
    stream->phase = CLOSED;
    close(stream->fd);
}

static void await_writable(struct stream *stream, int is_awaited)
{
    if (stream->is_writable_awaited == is_awaited)
        return;
    struct epoll_event event = {.events = EPOLLIN | (is_awaited ? EPOLLOUT : 0), .data.ptr = stream};
    epoll_ctl(epoll, EPOLL_CTL_MOD, stream->fd, &event);
    stream->is_writable_awaited = is_awaited;
}

static void flush_out(struct stream *stream)
{
    while (stream->out_at < stream->out_length) {
        ssize_t put = send(stream->fd, stream->out + stream->out_at, stream->out_length - stream->out_at, MSG_NOSIGNAL);
        if (put < 0) {
            if (errno != EAGAIN)
                fail(stream, strerror(errno));
            else
                await_writable(stream, 1);
            return;
        }
        stream->out_at += (size_t)put;
    }
    stream->out_at = stream->out_length = 0;
    await_writable(stream, 0);
}

/* Sends now what the socket takes, and keeps the rest, in order. */
static void put(struct stream *stream, const void *data, size_t length)
{
    if (stream->phase == CLOSED)
        return;
    ssize_t taken = 0;
    if (stream->out_at == stream->out_length) {
        taken = send(stream->fd, data, length, MSG_NOSIGNAL);
        if (taken < 0 && errno != EAGAIN) {
            fail(stream, strerror(errno));
            return;
        }
        if (taken < 0)
            taken = 0;
    }
    size_t rest = length - (size_t)taken;
    if (!rest)
        return;
    if (stream->out_length + rest > stream->out_room) {
        stream->out_room = 2 * (stream->out_length + rest);
        if (stream->out_room > OUT_BYTES) {
            fail(stream, "the server has not read for so long that what it was to read fills the memory");
            return;
        }
        stream->out = need(realloc(stream->out, stream->out_room));
    }
    memcpy(stream->out + stream->out_length, (const char *)data + taken, rest);
    stream->out_length += rest;
    await_writable(stream, 1);
}

static void put_message(struct stream *stream, int opcode, const void *payload, size_t length)
{
    unsigned char *frame = need(malloc(length + FRAME_OVERHEAD));
    put(stream, frame, put_frame(frame, opcode, payload, length));
    free(frame);
}

static void put_text(struct stream *stream, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    put_message(stream, OP_TEXT, text, (size_t)length);
}

static void put_audio(struct stream *stream)
{
    static const char event[] = "451-[\"audio\",{\"_placeholder\":true,\"num\":0}]";
    static unsigned char payload[OUT_BYTES / 4], frames[OUT_BYTES / 2];
    uint32_t count = set.message_bytes / 2;
    size_t index_bytes = set.dialect == PLUGANDTELL ? 8 : 0, length = 0;
    if (index_bytes)
        memcpy(payload, &stream->samples, 8);
    put_samples((int16_t *)(payload + index_bytes), stream->number, (uint32_t)stream->samples, count);
    stream->samples += count;
    if (stream->is_watched)
        note(0, stream->number, stream->samples, now_ns());
    if (set.dialect == RAW) {
        put(stream, payload, set.message_bytes);
        return;
    }
    if (set.dialect == SOCKETIO)
        length = put_frame(frames, OP_TEXT, event, sizeof event - 1);
    length += put_frame(frames + length, OP_BINARY, payload, index_bytes + set.message_bytes);
    put(stream, frames, length);
}

static void connect_stream(struct stream *stream)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(set.port)};
    inet_pton(AF_INET, set.host, &address.sin_addr);
    stream->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;
    if (stream->fd < 0)
        die("socket", strerror(errno));
    setsockopt(stream->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    stream->phase = CONNECTING;
    stream->in_length = stream->out_at = stream->out_length = 0;
    stream->is_writable_awaited = 1;
    if (connect(stream->fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS)
        die("connect", strerror(errno));
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = stream};
    epoll_ctl(epoll, EPOLL_CTL_ADD, stream->fd, &event);
    opening++;
}

static void connect_more(void)
{
    while (next_to_connect < set.streams && opening < OPENING_AT_ONCE)
        connect_stream(&streams[next_to_connect++]);
}

static void resume_next(void);

static void opened(struct stream *stream)
{
    stream->phase = OPEN;
    opening--;
    open_streams++;
    if (stream->dropped_ns) {
        resume_us[resume_count++] = (uint32_t)((now_ns() - stream->dropped_ns) / 1000);
        stream->dropped_ns = 0;
        resume_next();
    } else if (open_streams == set.streams) {
        tell("{\"event\": \"open\", \"streams\": %u}", open_streams);
    }
    connect_more();
}

static void connected(struct stream *stream)
{
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error)
        die("connect", strerror(error));
    await_writable(stream, 0);
    if (set.dialect == RAW) {
        opened(stream);
        return;
    }
    char request[512];
    const char *protocol = set.dialect == PLUGANDTELL ? "Sec-WebSocket-Protocol: plugandtell.v1\r\n" : "";
    int size = snprintf(request, sizeof request,
                        "GET %s HTTP/1.1\r\nHost: %s:%u\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n%s\r\n",
                        set.path, set.host, set.port, protocol);
    stream->phase = UPGRADING;
    put(stream, request, (size_t)size);
}

static void greet(struct stream *stream)
{
    stream->phase = GREETING;
    if (set.dialect == PLAIN)
        opened(stream);
    else if (set.dialect == PLUGANDTELL)
        put_text(stream,
                 "{\"type\": \"hello\", \"stream_id\": \"00000000-0000-4000-8000-%012x\", \"sample_rate\": %d, "
                 "\"channels\": 1, \"encoding\": \"pcm_s16le\", \"started_at\": \"2026-01-01T00:00:00+00:00\", "
                 "\"client\": {\"name\": \"benchmark\", \"version\": \"1\"}, \"labels\": {\"name\": \"s%05u\"}}",
                 stream->number, RATE, stream->number);
}

static void hung_up(struct stream *stream)
{
    if (stream->phase != ENDING) {
        char why[64];
        snprintf(why, sizeof why, "the server hung up, close code %u", stream->close_code);
        fail(stream, why);
        return;
    }
    stream->phase = CLOSED;
    close(stream->fd);
}

static uint64_t number_after(const char *text, const char *key)
{
    const char *at = strstr(text, key);
    return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

static void told_plugandtell(struct stream *stream, const char *text)
{
    if (strstr(text, "\"ack\"")) {
        stream->acknowledged = number_after(text, "\"stored_to\":");
    } else if (strstr(text, "\"segment_saved\"")) {
        stream->is_saved = 1;
    } else if (strstr(text, "\"welcome\"")) {
        stream->samples = stream->acknowledged = number_after(text, "\"resume_from\":");
        opened(stream);
    } else if (strstr(text, "\"error\"")) {
        complain(stream, text);
    }
}

static void told_socketio(struct stream *stream, const char *text)
{
    if (text[0] == '0')
        put_text(stream, "40");
    else if (text[0] == '2')
        put_text(stream, "3");
    else if (!strncmp(text, "40", 2) && stream->phase == GREETING)
        opened(stream);
}

static void told(struct stream *stream, struct frame *frame)
{
    if (frame->opcode == OP_TEXT) {
        char text[IN_BYTES];
        size_t length = frame->length < IN_BYTES - 1 ? frame->length : IN_BYTES - 1;
        memcpy(text, frame->payload, length);
        text[length] = 0;
        if (set.dialect == PLUGANDTELL)
            told_plugandtell(stream, text);
        else if (set.dialect == SOCKETIO)
            told_socketio(stream, text);
    } else if (frame->opcode == OP_PING) {
        put_message(stream, OP_PONG, frame->payload, frame->length);
    } else if (frame->opcode == OP_CLOSE) {
        stream->close_code = frame->length >= 2 ? (unsigned)(frame->payload[0] << 8 | frame->payload[1]) : 1005;
        if (set.dialect == PLUGANDTELL)
            put_message(stream, OP_CLOSE, frame->payload, frame->length);
    }
}

static size_t take_upgrade(struct stream *stream)
{
    unsigned char *end = memmem(stream->in, stream->in_length, "\r\n\r\n", 4);
    if (!end)
        return 0;
    if (memcmp(stream->in, "HTTP/1.1 101", 12)) {
        stream->in[stream->in_length - 1] = 0;
        die("the server did not upgrade", (char *)stream->in);
    }
    greet(stream);
    return (size_t)(end + 4 - stream->in);
}

static void readable(struct stream *stream)
{
    ssize_t got = recv(stream->fd, stream->in + stream->in_length, IN_BYTES - stream->in_length, 0);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        hung_up(stream);
        return;
    }
    stream->in_length += (size_t)got;
    size_t at = 0, taken = 1;
    struct frame frame;
    while (stream->phase != CLOSED && at < stream->in_length && taken) {
        if (stream->phase == UPGRADING) {
            taken = take_upgrade(stream);
        } else {
            taken = get_frame(stream->in + at, stream->in_length - at, &frame);
            if (taken)
                told(stream, &frame);
        }
        at += taken;
    }
    memmove(stream->in, stream->in + at, stream->in_length - at);
    stream->in_length -= at;
    if (stream->in_length == IN_BYTES)
        fail(stream, "the server sent a longer message than expected");
}

/* ---- all streams ----------------------------------------------------------------------------------------------- */

static uint64_t due_ns(void)
{
    return began_ns + sent * set.interval_ns / set.streams;
}

static void send_due(void)
{
    uint64_t now = now_ns();
    for (int i = 0; i < IN_A_ROW && due_ns() <= now; i++) {
        uint64_t late = (now - due_ns()) / 1000;
        if (late_count < late_room)
            late_us[late_count++] = (uint32_t)late;
        struct stream *stream = &streams[sent++ % set.streams];
        if (stream->phase == OPEN)
            put_audio(stream);
        now = now_ns();
    }
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static uint32_t share(uint32_t *values, size_t count, double of)
{
    return count ? values[(size_t)(of * (double)(count - 1))] : 0;
}

static void count_messages(void)
{
    uint64_t messages = sent, at = now_ns();
    qsort(late_us, late_count, sizeof *late_us, by_value);
    tell("{\"event\": \"count\", \"messages\": %llu, \"ns\": %llu, \"late_p99_us\": %u, \"late_max_us\": %u, "
         "\"failed\": %u}",
         (unsigned long long)messages, (unsigned long long)at, share(late_us, late_count, 0.99),
         share(late_us, late_count, 1), failed);
    late_count = 0;
}

/* What the server's side of the connections holds unread (proc_net_tcp(5)): the most of one, and how many hold more
   than `limit` bytes. */
static void unread(size_t limit, size_t *most, unsigned *behind)
{
    FILE *table = fopen("/proc/net/tcp", "r");
    char line[512];
    *most = 0;
    *behind = 0;
    if (!table)
        return;
    while (fgets(line, sizeof line, table)) {
        unsigned port, state, waiting;
        if (sscanf(line, " %*d: %*x:%x %*x:%*x %x %*x:%x", &port, &state, &waiting) != 3 || port != set.port || state != 1)
            continue;
        if (waiting > *most)
            *most = waiting;
        *behind += waiting > limit;
    }
    fclose(table);
}

static void stop(void)
{
    size_t unsent_most = 0, unread_most, limit = 2 * (set.message_bytes + 64);
    unsigned unsent_streams = 0, unread_streams;
    is_streaming = 0;
    unread(limit, &unread_most, &unread_streams);
    for (uint32_t i = 0; i < set.streams; i++) {
        int in_kernel = 0;
        if (streams[i].phase == OPEN)
            ioctl(streams[i].fd, SIOCOUTQNSD, &in_kernel);
        size_t unsent = streams[i].out_length - streams[i].out_at + (size_t)in_kernel;
        unsent_streams += unsent > limit;
        if (unsent > unsent_most)
            unsent_most = unsent;
    }
    tell("{\"event\": \"stopped\", \"messages\": %llu, \"unsent_most_bytes\": %zu, \"unsent_streams\": %u, "
         "\"unread_most_bytes\": %zu, \"unread_streams\": %u, \"failed\": %u}",
         (unsigned long long)sent, unsent_most, unsent_streams, unread_most, unread_streams, failed);
}

static void resume_next(void)
{
    if (resume_count == resume_wanted) {
        qsort(resume_us, resume_count, sizeof *resume_us, by_value);
        tell("{\"event\": \"resumed\", \"count\": %zu, \"p50_us\": %u, \"p99_us\": %u, \"max_us\": %u, \"failed\": %u}",
             resume_count, share(resume_us, resume_count, 0.5), share(resume_us, resume_count, 0.99),
             share(resume_us, resume_count, 1), failed);
        return;
    }
    struct stream *stream = &streams[resuming++ % set.streams];
    struct linger cut = {.l_onoff = 1};
    setsockopt(stream->fd, SOL_SOCKET, SO_LINGER, &cut, sizeof cut);
    close(stream->fd);
    open_streams--;
    stream->dropped_ns = now_ns();
    connect_stream(stream);
}

static void end_stream(struct stream *stream)
{
    static const unsigned char normal[] = {1000 >> 8, 1000 & 0xff};
    if (stream->phase != OPEN)
        return;
    stream->phase = ENDING;
    if (set.dialect == RAW) {
        shutdown(stream->fd, SHUT_WR);
    } else if (set.dialect == PLUGANDTELL) {
        put_text(stream, "{\"type\": \"end\", \"index\": %llu}", (unsigned long long)stream->samples);
    } else {
        if (set.dialect == SOCKETIO)
            put_text(stream, "41");
        put_message(stream, OP_CLOSE, normal, sizeof normal);
    }
}

static void write_log(void)
{
    FILE *file = set.log ? fopen(set.log, "wb") : NULL;
    if (!file)
        return;
    fwrite(records, sizeof *records, record_count, file);
    fclose(file);
}

static void leave(void)
{
    unsigned saved = 0, acknowledged = 0;
    write_log(); /* first: whoever is told that this is over looks at the log */
    printf("{\"event\": \"ended\", \"samples\": [");
    for (uint32_t i = 0; i < set.streams; i++) {
        printf("%s%llu", i ? ", " : "", (unsigned long long)streams[i].samples);
        saved += (unsigned)streams[i].is_saved;
        acknowledged += streams[i].acknowledged == streams[i].samples;
    }
    tell("], \"saved\": %u, \"acknowledged\": %u, \"failed\": %u}", saved, acknowledged, failed);
    exit(failed ? 1 : 0);
}

/* ---- what comes in --------------------------------------------------------------------------------------------- */

static void watch(char *arguments)
{
    char *path;
    uint32_t number = (uint32_t)strtoul(arguments, &path, 10);
    int watch = inotify_add_watch(changes, path + 1, IN_MODIFY);
    if (watch < 0)
        die(path + 1, strerror(errno));
    if (watch >= watch_room) {
        watches = need(realloc(watches, sizeof *watches * 2 * (size_t)(watch + 64)));
        watch_room = watch + 64;
    }
    /* two numbers for each watch: the stream, and the file, opened to ask for its size */
    watches[2 * watch] = (int)number;
    watches[2 * watch + 1] = open(path + 1, O_RDONLY | O_CLOEXEC);
}

static void changed(void)
{
    _Alignas(struct inotify_event) char buffer[16384];
    ssize_t got;
    while ((got = read(changes, buffer, sizeof buffer)) > 0) {
        for (ssize_t at = 0; at < got;) {
            struct inotify_event *event = (struct inotify_event *)(buffer + at);
            struct stat file;
            if (event->mask & IN_MODIFY && !fstat(watches[2 * event->wd + 1], &file))
                note(1, (uint32_t)watches[2 * event->wd], (uint64_t)file.st_size, now_ns());
            at += (ssize_t)sizeof *event + event->len;
        }
    }
}

static void obey(char *line)
{
    if (!strncmp(line, "watch ", 6)) {
        watch(line + 6);
    } else if (!strcmp(line, "start")) {
        began_ns = now_ns();
        sent = 0;
        is_streaming = 1;
    } else if (!strcmp(line, "count")) {
        count_messages();
    } else if (!strcmp(line, "stop")) {
        stop();
    } else if (!strncmp(line, "resume ", 7)) {
        resume_wanted = strtoul(line + 7, NULL, 10);
        resume_us = need(realloc(resume_us, (resume_wanted + 1) * sizeof *resume_us));
        resume_count = 0;
        resume_next();
    } else if (!strcmp(line, "end")) {
        is_leaving = 1;
        is_streaming = 0;
        began_ns = now_ns();
        for (uint32_t i = 0; i < set.streams; i++)
            end_stream(&streams[i]);
    } else {
        die("unknown command", line);
    }
}

static void read_commands(void)
{
    static char text[65536];
    static size_t length;
    ssize_t got = read(STDIN_FILENO, text + length, sizeof text - 1 - length);
    if (got <= 0)
        exit(3); /* whoever gave the commands is gone */
    length += (size_t)got;
    char *line = text, *newline;
    while ((newline = memchr(line, '\n', length - (size_t)(line - text)))) {
        *newline = 0;
        obey(line);
        line = newline + 1;
    }
    length -= (size_t)(line - text);
    memmove(text, line, length);
}

static void happened(struct epoll_event *event)
{
    struct stream *stream = event->data.ptr;
    if (event->data.ptr == &epoll) {
        read_commands();
        return;
    }
    if (event->data.ptr == &changes) {
        changed();
        return;
    }
    if (stream->phase == CONNECTING && event->events & (EPOLLOUT | EPOLLERR))
        connected(stream);
    else if (event->events & EPOLLOUT && stream->phase != CLOSED)
        flush_out(stream);
    if (event->events & (EPOLLIN | EPOLLHUP | EPOLLERR) && stream->phase > CONNECTING && stream->phase < CLOSED)
        readable(stream);
}

static void give_up(void)
{
    for (uint32_t i = 0; i < set.streams; i++)
        fail(&streams[i], "was not closed in time");
    leave();
}

static int all_closed(void)
{
    for (uint32_t i = 0; i < set.streams; i++)
        if (streams[i].phase != CLOSED)
            return 0;
    return 1;
}

static void run(void)
{
    struct epoll_event events[EVENTS];
    for (;;) {
        struct timespec wait = {.tv_sec = 1};
        if (is_streaming) {
            send_due();
            uint64_t now = now_ns(), due = due_ns();
            wait = (struct timespec){.tv_nsec = (long)(due > now ? due - now : 0) % (long)SECOND};
        }
        int count = epoll_pwait2(epoll, events, EVENTS, &wait, NULL);
        for (int i = 0; i < count; i++)
            happened(&events[i]);
        if (is_leaving && all_closed())
            leave();
        if (is_leaving && now_ns() - began_ns > PATIENCE_S * SECOND)
            give_up();
    }
}

static void read_options(int count, char **words)
{
    static const char *dialects[] = {"raw", "plain", "socketio", "plugandtell"};
    for (int i = 1; i + 1 < count; i += 2) {
        const char *name = words[i], *value = words[i + 1];
        uint64_t number = strtoull(value, NULL, 10);
        if (!strcmp(name, "--dialect")) {
            for (int d = 0; d < 4; d++)
                if (!strcmp(value, dialects[d]))
                    set.dialect = (enum dialect)d;
        } else if (!strcmp(name, "--host")) {
            set.host = value;
        } else if (!strcmp(name, "--path")) {
            set.path = value;
        } else if (!strcmp(name, "--log")) {
            set.log = value;
        } else if (!strcmp(name, "--port")) {
            set.port = (uint16_t)number;
        } else if (!strcmp(name, "--streams")) {
            set.streams = (uint32_t)number;
        } else if (!strcmp(name, "--bytes")) {
            set.message_bytes = (uint32_t)number;
        } else if (!strcmp(name, "--interval-us")) {
            set.interval_ns = number * 1000;
        } else if (!strcmp(name, "--first")) {
            set.first = (uint32_t)number;
        } else if (!strcmp(name, "--watched")) {
            set.watched = (uint32_t)number;
        } else {
            die("unknown option", name);
        }
    }
    if (!set.port || !set.streams || set.message_bytes > OUT_BYTES / 8)
        die("options", "--port, --streams or --bytes is missing or out of range");
}

int main(int count, char **words)
{
    read_options(count, words);
    prctl(PR_SET_TIMERSLACK, 1);
    streams = need(calloc(set.streams, sizeof *streams));
    late_room = 1 << 23;
    late_us = need(malloc(late_room * sizeof *late_us));
    epoll = epoll_create1(EPOLL_CLOEXEC);
    changes = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    struct epoll_event commands = {.events = EPOLLIN, .data.ptr = &epoll};
    struct epoll_event growth = {.events = EPOLLIN, .data.ptr = &changes};
    epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &commands);
    epoll_ctl(epoll, EPOLL_CTL_ADD, changes, &growth);
    for (uint32_t i = 0; i < set.streams; i++)
        streams[i].number = set.first + i;
    for (uint32_t i = 0; i < set.watched; i++)
        streams[(uint64_t)i * set.streams / set.watched].is_watched = 1;
    connect_more();
    run();
}
