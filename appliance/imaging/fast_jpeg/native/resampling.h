// Lanczos3 on planes of bytes, row by row: of a plane, only the rows that are still wanted are kept.
#ifndef APPLIANCE_RESAMPLING_H
#define APPLIANCE_RESAMPLING_H

#include <stdint.h>

#include "kernels.h"
#include "pool.h"

#define MAX_TAPS 512

// Those in use, before anything is scaled.
extern const Kernels *kernels;

// Which input samples each output sample is made of, along one side.
typedef struct {
    int count;        // of output samples, and some more for vectors
    int taps;         // weights of each
    int *first;       // input sample of its first weight; may lie outside, where the edge is repeated
    int16_t *weights; // `taps` of each, in 1/16384
} Axis;

// A plane of which the last `kept` rows are there. Its samples continue beyond both edges of a row.
typedef struct {
    int width, height, kept, margin, stride;
    int made; // rows written so far
    uint8_t *memory;
} Plane;

// Makes one plane from another.
typedef struct {
    Axis across, down;
    Plane *from, *to;
    uint8_t *line;
    int made;        // rows so far
    int is_backward; // the last row comes first
} Scaler;

static inline int divided_up(int count, int divisor) { // and rounded up
    return (count + divisor - 1) / divisor;
}

static inline int rounded_up(int count, int group) { // to a multiple of `group`
    return divided_up(count, group) * group;
}

// How many weights a sample gets, a multiple of `group`; `scale` is input samples for an output sample.
int axis_taps(double scale, int group);

// At most MAX_TAPS. `mirrored_at`, if not 0, is the input's extent: then its last sample comes first.
Axis axis_make(Pool *pool, int count, double scale, double mirrored_at, int group);

void plane_make(Pool *pool, Plane *plane, int width, int height, int kept, int margin);

static inline uint8_t *plane_row(const Plane *plane, int y) {
    return plane->memory + (size_t)(y % plane->kept) * plane->stride + plane->margin;
}

// Repeat the first and the last sample of a row in its margins.
void plane_extend(const Plane *plane, uint8_t *row);

// The plane with rows and columns exchanged. Both have all of their rows.
void plane_transpose(const Plane *from, Plane *to);

void scaler_make(Pool *pool, Scaler *scaler, Axis across, Axis down, Plane *from, Plane *to, int is_backward);

// Make as many rows as the input so far allows.
void scaler_run(Scaler *scaler);

#endif
