// Huffman codes by look-up: what follows in the bits, in as few steps as the first eleven of them allow.
#ifndef APPLIANCE_CODES_H
#define APPLIANCE_CODES_H

#include <stdint.h>

#include "libjpeg.h"
#include "segments.h"

enum {
    LOOK_BITS = 11,
    LOOKS = 1 << LOOK_BITS,
    MAX_CODE_BITS = 16,
    BLOCK_OVER = 128,    // in a number of places: the block ends there
    NOWHERE = 127,       // the offset of a value that isn't there
    LAST_PAIR_PLACE = 4, // of a block, where a pair is looked up; it ends within the block then
};

// One code: its length, 0 for none, and its symbol: how many zeros come before a value of how many bits.
typedef struct {
    uint8_t length, symbol;
} Code;

// Up to two values of a block, by their offset from the place where the bits are.
typedef struct {
    int16_t values[2];
    uint8_t offsets[2];
    uint8_t places; // to go, and BLOCK_OVER
    uint8_t bits;   // 0 where the first code and its value are longer: `codes_find` has it
} Pair;

// Any number of values that nobody wants.
typedef struct {
    uint8_t places, bits; // as those of a pair
} Run;

typedef struct {
    Code shorts[LOOKS];                 // codes of up to LOOK_BITS
    uint32_t limits[MAX_CODE_BITS + 1]; // by length: codes below, left-aligned in 16 bits, are no longer
    int offsets[MAX_CODE_BITS + 1];     // by length: of a code's symbol
    uint8_t symbols[256];
} Codes;

typedef struct {
    Codes codes;
    Pair pairs[LOOKS];
    Run runs[LOOKS];
} BlockCodes;

// Both take zeroed memory, and return 0 for a table that libjpeg wouldn't use or with a symbol beyond the largest.
int codes_make(Codes *codes, const JHUFF_TBL *table, int max_symbol);
int block_codes_make(BlockCodes *made, const JHUFF_TBL *table);

// The code that the bits begin with.
Code codes_find(const Codes *codes, uint64_t window);

static inline uint32_t upcoming(uint64_t window) {
    return (uint32_t)(window >> (64 - LOOK_BITS));
}

// The value in the topmost `size` bits (0 to 15), where negative ones begin with 0 (T.81, F.2.2.1).
static inline int value_of(uint64_t window, int size) {
    const int bits = (int)(window >> 1 >> (63 - size));
    const int is_negative = size > 0 && !(window >> 63);
    return bits - (is_negative ? (1 << size) - 1 : 0);
}

#endif
