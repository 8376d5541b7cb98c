// A JPEG that is written as its planes' rows come.
#ifndef APPLIANCE_WRITER_H
#define APPLIANCE_WRITER_H

#include "libjpeg.h"
#include "fast_jpeg.h"
#include "resampling.h"

enum { COMPONENTS = 3 }; // Y, Cb, Cr

typedef struct {
    struct jpeg_destination_mgr destination; // first, so that libjpeg's pointer to it leads to the writer
    struct jpeg_compress_struct encoder;
    const Plane *planes;
    uint8_t *bytes;
    size_t capacity;
    int is_open;
} Writer;

// Begin a file of the planes; Y alone is grey. What fails, now and later, goes to the `errors`' error_exit.
void writer_open(Writer *writer, struct jpeg_error_mgr *errors, const Plane *planes, int components,
                 const FastJpegSize *wanted);

// Write what the planes' rows so far allow.
void writer_run(Writer *writer);

void writer_finish(Writer *writer);

// The finished file becomes the caller's.
void writer_hand_over(Writer *writer, FastJpegSize *wanted);

// Free what is left; also of a writer that was never opened.
void writer_close(Writer *writer);

#endif
