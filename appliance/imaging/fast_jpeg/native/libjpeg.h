// libjpeg, found at run time: the functions of a library that is loaded already, by libjpeg-turbo's public interface.
#ifndef APPLIANCE_LIBJPEG_H
#define APPLIANCE_LIBJPEG_H

#include <stddef.h>
#include <stdio.h>

#include <jpeglib.h>

// X(name): each function that is used, as jpeglib.h declares it.
#define LIBJPEG_FUNCTIONS(X)                                                                                           \
    X(jpeg_std_error)                                                                                                  \
    X(jpeg_CreateDecompress)                                                                                           \
    X(jpeg_mem_src)                                                                                                    \
    X(jpeg_read_header)                                                                                                \
    X(jpeg_start_decompress)                                                                                           \
    X(jpeg_read_raw_data)                                                                                              \
    X(jpeg_finish_decompress)                                                                                          \
    X(jpeg_destroy_decompress)                                                                                         \
    X(jpeg_CreateCompress)                                                                                             \
    X(jpeg_set_defaults)                                                                                               \
    X(jpeg_quality_scaling)                                                                                            \
    X(jpeg_add_quant_table)                                                                                            \
    X(jpeg_start_compress)                                                                                             \
    X(jpeg_write_marker)                                                                                               \
    X(jpeg_write_raw_data)                                                                                             \
    X(jpeg_finish_compress)                                                                                            \
    X(jpeg_destroy_compress)

typedef struct {
#define X(name) __typeof__(&name) name;
    LIBJPEG_FUNCTIONS(X)
#undef X
} Libjpeg;

// Every function, once `libjpeg_load` has found them.
extern Libjpeg libjpeg;

// Take the functions from the library at this path. Returns what is wrong, or NULL.
const char *libjpeg_load(const char *path);

#endif
