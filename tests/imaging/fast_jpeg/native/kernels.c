// Holds this processor's fastest kernels to the plain ones: of random samples and weights, they give the same bytes.
// Buffers are of just their size, so that a sanitizer sees what is read or written beyond them.
#include "kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 3000, MAX_ROWS = 512, MAX_GROUPS = 6 };

static uint64_t chance = 1;

static int below(int count) {
    chance = chance * 6364136223846793005u + 1442695040888963407u;
    return (int)((chance >> 33) % count);
}

static void *allocated(size_t bytes) {
    void *memory = malloc(bytes);
    if (!memory) exit(2);
    return memory;
}

static uint8_t *samples(int count) {
    uint8_t *made = allocated(count);
    const int is_extreme = below(3) == 0;
    for (int i = 0; i < count; i++) made[i] = (uint8_t)(is_extreme ? 255 * below(2) : below(256));
    return made;
}

// Of both signs, and large enough that some sums lie below 0 and above 255.
static int16_t *weights(int taps, int count) {
    int16_t *made = allocated(sizeof *made * taps * count);
    const int largest = (2 << ONE_BITS) / taps + 1;
    for (int i = 0; i < taps * count; i++) made[i] = (int16_t)(below(2 * largest + 1) - largest + largest / 4);
    return made;
}

static void check(const uint8_t *one, const uint8_t *other, int count, const char *kernel, int taps) {
    if (!memcmp(one, other, count)) return;
    fprintf(stderr, "%s: %d taps, %d samples differ\n", kernel, taps, count);
    exit(1);
}

static void check_rows(const Kernels *fast, const Kernels *plain) {
    const int width = WIDTH_GROUP * (1 + below(MAX_GROUPS));
    const int most = below(20) ? 20 : (MAX_ROWS - FEW_TAPS) / ROWS_GROUP;
    const int taps = FEW_TAPS + ROWS_GROUP * (below(2) ? 0 : below(most));
    uint8_t *rows[MAX_ROWS], *one = allocated(width), *other = allocated(width);
    int16_t *each = weights(taps, 1);
    for (int k = 0; k < taps; k++) rows[k] = samples(width);
    fast->sum_rows(one, (const uint8_t *const *)rows, each, taps, width);
    plain->sum_rows(other, (const uint8_t *const *)rows, each, taps, width);
    check(one, other, width, "sum_rows", taps);
    for (int k = 0; k < taps; k++) free(rows[k]);
    free(one), free(other), free(each);
}

static void check_columns(const Kernels *fast, const Kernels *plain) {
    const int count = COUNT_GROUP * (1 + below(MAX_GROUPS)), taps = below(2) ? FEW_TAPS : TAPS_GROUP * (1 + below(8));
    const int width = taps + below(200);
    uint8_t *row = samples(width), *one = allocated(count), *other = allocated(count);
    int16_t *each = weights(taps, count);
    int *first = allocated(sizeof *first * count);
    for (int x = 0; x < count; x++) first[x] = below(width - taps + 1);
    fast->sum_columns(one, row, first, each, taps, count);
    plain->sum_columns(other, row, first, each, taps, count);
    check(one, other, count, "sum_columns", taps);
    free(row), free(one), free(other), free(each), free(first);
}

int main(void) {
    const Kernels *fast = kernels_find(NULL), *plain = kernels_find("plain");
    for (int n = 0; n < ROUNDS; n++) {
        check_rows(fast, plain);
        check_columns(fast, plain);
    }
    puts(fast->name);
}
