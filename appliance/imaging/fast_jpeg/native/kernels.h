// The two sums that take the time, for each kind of processor. All give the same bytes.
#ifndef APPLIANCE_KERNELS_H
#define APPLIANCE_KERNELS_H

#include <stdint.h>

enum {
    ONE_BITS = 14, // weights are in 1 / (1 << ONE_BITS), and those of one sample sum up to one
    ROWS_GROUP = 2,   // weights of a column are a multiple of it
    TAPS_GROUP = 16,  // and those of a row, but for FEW_TAPS
    FEW_TAPS = 8,
    WIDTH_GROUP = 32, // widths of rows
    COUNT_GROUP = 8,  // and counts of samples, of which those beyond a row's end are written too
};

typedef struct {
    const char *name;
    // Each sample of `out` from those of `taps` rows below each other.
    void (*sum_rows)(uint8_t *out, const uint8_t *const *rows, const int16_t *weights, int taps, int width);
    // Each sample of `out` from `taps` samples of the row, of which the first is at `first`.
    void (*sum_columns)(uint8_t *out, const uint8_t *row, const int *first, const int16_t *weights, int taps,
                        int count);
} Kernels;

// Kernels by name ("plain", "avx2", "neon"), or the fastest for NULL. NULL if this processor has none of the name.
const Kernels *kernels_find(const char *name);

#endif
