#include "segments.h"

enum {
    MARK = 0xFF,
    PART_BYTES = 32 * 1024,             // unpacked at once
    PADDING_BYTES = MAX_MCU_BYTES + 16,   // what an MCU can read beyond the end
};

// Append as much of the segment as there is room for.
void segment_unpack(Segment *segment) {
    const uint8_t *kept = segment->bits.next;
    size_t rest = kept < segment->unpacked_end ? segment->unpacked_end - kept : 0;
    memmove(segment->unpacked, kept, rest);
    segment->bits.next = segment->unpacked;
    uint8_t *to = segment->unpacked + rest, *full = segment->unpacked + PART_BYTES;
    while (to < full && !segment->is_last) {
        size_t left = segment->source_end - segment->source, room = full - to;
        size_t most = left < room ? left : room;
        const uint8_t *mark = memchr(segment->source, MARK, most);
        size_t plain = mark ? (size_t)(mark - segment->source) : most;
        memcpy(to, segment->source, plain);
        to += plain;
        segment->source += plain;
        if (mark && left - plain >= 2 && mark[1] == 0) {
            *to++ = MARK;
            segment->source += 2;
        } else if (mark || most == left) segment->is_last = 1;
    }
    segment->unpacked_end = to;
    memset(to, 0, PADDING_BYTES);
}

static void begin(Segment *segment) {
    segment->unpacked_end = segment->unpacked;
    segment->bits = (Bits){0, 0, segment->unpacked};
    segment->is_last = 0;
    segment_unpack(segment);
}

void segment_open(Pool *pool, Segment *segment, const uint8_t *scan, size_t bytes) {
    segment->unpacked = pool_take(pool, PART_BYTES + PADDING_BYTES);
    segment->source = scan;
    segment->source_end = scan + bytes;
    begin(segment);
}

int segment_next(Segment *segment) {
    const uint8_t *next = segment->source;
    while (next < segment->source_end && *next == MARK) next++; // more than one is allowed
    if (next == segment->source || next == segment->source_end) return NO_MARKER;
    segment->source = next + 1;
    begin(segment);
    return *next;
}
