// The bits of a JPEG's scan, from one restart marker to the next.
#ifndef APPLIANCE_SEGMENTS_H
#define APPLIANCE_SEGMENTS_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "pool.h"

enum {
    MAX_STEP_BITS = 31,       // of a Huffman code and the value after it
    MAX_MCU_BYTES = 10 * 256, // ten blocks of 64 coefficients, each of MAX_STEP_BITS at most
    NO_MARKER = -1,
};

// Upcoming bits. The topmost `count` of the window are sure.
typedef struct {
    uint64_t window;
    int count;
    const uint8_t *next; // the byte after those bits
} Bits;

typedef struct {
    Bits bits;
    const uint8_t *source, *source_end; // what isn't unpacked yet
    uint8_t *unpacked, *unpacked_end;   // a part of the segment, without stuffing
    int is_last;                        // whether the segment ends with it; zeros follow then
} Segment;

// Have 56 bits or more. Reads eight bytes.
static inline void bits_fill(Bits *bits) {
    uint64_t more;
    memcpy(&more, bits->next, sizeof more);
    bits->window |= be64toh(more) >> bits->count;
    bits->next += (63 - bits->count) >> 3;
    bits->count |= 56;
}

// At most as many as there are.
static inline void bits_drop(Bits *bits, int count) {
    bits->window <<= count;
    bits->count -= count;
}

// The first segment of the scan that begins there.
void segment_open(Pool *pool, Segment *segment, const uint8_t *scan, size_t bytes);

// The bits that are left; below zero if more were read than there are.
static inline ptrdiff_t segment_left(const Segment *segment) {
    return (segment->unpacked_end - segment->bits.next) * 8 + segment->bits.count;
}

// The second byte of the marker that ends the segment, or NO_MARKER. What follows becomes the next segment.
int segment_next(Segment *segment);

// Unpack more of the segment.
void segment_unpack(Segment *segment);

// Have the bytes of any MCU ready, and zeros where the segment has fewer.
static inline void segment_prepare(Segment *segment) {
    if (!segment->is_last && segment->unpacked_end - segment->bits.next < MAX_MCU_BYTES + 16) segment_unpack(segment);
}

#endif
