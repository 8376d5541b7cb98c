// A baseline JPEG at a quarter of its size, from the four lowest coefficients of each block. The others are run past.
#ifndef APPLIANCE_QUARTER_H
#define APPLIANCE_QUARTER_H

#include "codes.h"
#include "libjpeg.h"
#include "pool.h"
#include "resampling.h"
#include "segments.h"

enum {
    QUARTER_COMPONENTS = 3,
    QUARTER_SIDE = DCTSIZE / 4, // samples that a block becomes, each way
};

typedef struct {
    const Codes *dc;
    const BlockCodes *ac;
    int factors[4];   // by which the wanted coefficients were divided
    int across, down; // blocks in an MCU
    int last_dc;
} QuarterComponent;

typedef struct {
    Segment segment;
    QuarterComponent components[QUARTER_COMPONENTS];
    int count;                  // of components
    int columns, rows;          // of MCUs
    int row;                    // the next one
    int interval, until_marker; // MCUs between two restart markers, 0 for no markers; and those before the next one
    int markers;                // so far
} Quarter;

// Begin with a decoder that has read the header. Returns whether the JPEG is one of the usual kind.
int quarter_open(Pool *pool, Quarter *quarter, const struct jpeg_decompress_struct *decoder);

// The next rows of each component's plane: `down` times QUARTER_SIDE. Returns 0 if anything is odd.
int quarter_read(Quarter *quarter, const Plane *planes);

// Whether the file ends where it should, after all rows.
int quarter_is_whole(Quarter *quarter);

#endif
