// A WebP whose picture is filled as its planes' rows come. libwebp wants all of it, and then writes the file.
#ifndef APPLIANCE_WEBP_H
#define APPLIANCE_WEBP_H

#include "libwebp.h"
#include "fast_jpeg.h"
#include "pool.h"
#include "resampling.h"
#include "writer.h"

typedef struct {
    const Plane *planes; // as JPEG has them
    int components;
    Plane narrow[COMPONENTS]; // as WebP has them
    int quality, effort;
    uint8_t *bytes;
    size_t count, capacity;
} Webp;

// Begin a picture of the planes; Y alone is grey. Returns 0 where libwebp isn't there or holds no picture of the size.
int webp_open(Pool *pool, Webp *webp, const Plane *planes, int components, const FastJpegSize *wanted);

// Take the planes' rows so far.
void webp_run(Webp *webp);

// Write the file. Returns whether that could be done.
int webp_finish(Webp *webp);

// The finished file becomes the caller's.
void webp_hand_over(Webp *webp, FastJpegSize *wanted);

// Free what is left; also of one that was never opened.
void webp_close(Webp *webp);

#endif
