// JPEG to smaller JPEGs and WebPs without leaving Y, Cb and Cr: planes are decoded, resampled and encoded, row by row.
#ifndef APPLIANCE_FAST_JPEG_H
#define APPLIANCE_FAST_JPEG_H

#include <stddef.h>
#include <stdint.h>

enum { FAST_JPEG_DONE, FAST_JPEG_UNSUITED, FAST_JPEG_DAMAGED, FAST_JPEG_NO_MEMORY };
enum { FAST_JPEG_JPEG, FAST_JPEG_WEBP };

// A wanted size, and its file once it is made.
typedef struct {
    int32_t width, height;    // upright
    int32_t source;           // the earlier size that it is made from; -1 for the decoded image
    int32_t format;           // FAST_JPEG_JPEG or FAST_JPEG_WEBP
    int32_t quality;          // 1 to 100, as libjpeg or libwebp has it
    int32_t effort;           // of JPEG 1 for Huffman tables of its own, 0 for none; of WebP 0 to 6
    const uint8_t *profile;   // an ICC profile that fits into one marker of a JPEG; NULL for none
    size_t profile_bytes;
    uint8_t *file;
    size_t file_bytes;
} FastJpegSize;

#pragma GCC visibility push(default) // these alone are seen from outside

// Use the libjpeg-turbo at this path, and these kernels, or the fastest for NULL. Returns what is wrong, or NULL.
const char *fast_jpeg_load(const char *path, const char *kernels);

// Make WebP too, by the libwebp at this path. Returns what is wrong, or NULL.
const char *fast_jpeg_load_webp(const char *path);

// The name of the kernels in use.
const char *fast_jpeg_kernels(void);

// Make every size of a JPEG, decoded at 1/`shrink` (1, 2, 4, 8) and turned from its Exif `orientation` (1 to 8).
// What isn't done has no files. Not reentrant.
int fast_jpeg_render(const uint8_t *jpeg, size_t bytes, int shrink, int orientation, FastJpegSize *sizes, int count);

void fast_jpeg_free(FastJpegSize *sizes, int count);

#pragma GCC visibility pop

#endif
