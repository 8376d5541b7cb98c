// The file of a size, in its format, written as the size's planes are made.
#ifndef APPLIANCE_OUTPUT_H
#define APPLIANCE_OUTPUT_H

#include "webp.h"
#include "writer.h"

typedef struct {
    FastJpegSize *wanted;
    Writer jpeg; // one of the two is used
    Webp webp;
} Output;

// Begin the file; Y alone is grey. What fails in libjpeg, now and later, goes to the `errors`' error_exit.
// Returns 0 where it can't be made.
int output_open(Pool *pool, Output *output, struct jpeg_error_mgr *errors, const Plane *planes, int components,
                FastJpegSize *wanted);

// Take the planes' rows so far.
void output_run(Output *output);

// Returns 0 where it can't be made.
int output_finish(Output *output);

// The finished file becomes the caller's.
void output_hand_over(Output *output);

// Free what is left; also of one that was never opened.
void output_close(Output *output);

#endif
