#include "codes.h"

enum {
    SIXTEEN_ZEROS = 15, // of a symbol without a value; any other without one ends the block
    MAX_PLACES = 63,    // of a block after its first
    MAX_PAIR_PLACES = MAX_PLACES - LAST_PAIR_PLACE,
};

static int size_of(Code code) {
    return code.symbol & 15;
}

static int is_end(Code code) {
    return !size_of(code) && code.symbol >> 4 != SIXTEEN_ZEROS;
}

static int places_of(Code code) {
    return (code.symbol >> 4) + 1;
}

int codes_make(Codes *codes, const JHUFF_TBL *table, int max_symbol) {
    uint32_t code = 0;
    int known = 0;
    for (int length = 1; length <= MAX_CODE_BITS; length++, code <<= 1) {
        const int count = table->bits[length];
        if (known + count > 256 || code + count >= 1u << length) return 0; // as libjpeg
        codes->offsets[length] = known - (int)code;
        for (int i = 0; i < count; i++, code++, known++) {
            if (table->huffval[known] > max_symbol) return 0;
            codes->symbols[known] = table->huffval[known];
            if (length > LOOK_BITS) continue;
            const int spare = LOOK_BITS - length;
            for (uint32_t look = code << spare; look < (code + 1) << spare; look++)
                codes->shorts[look] = (Code){length, table->huffval[known]};
        }
        codes->limits[length] = code << (MAX_CODE_BITS - length);
    }
    return known > 0;
}

Code codes_find(const Codes *codes, uint64_t window) {
    const Code brief = codes->shorts[upcoming(window)];
    if (brief.length) return brief;
    const uint32_t bits = (uint32_t)(window >> (64 - MAX_CODE_BITS));
    for (int length = LOOK_BITS + 1; length <= MAX_CODE_BITS; length++)
        if (bits < codes->limits[length]) {
            const int at = codes->offsets[length] + (int)(bits >> (MAX_CODE_BITS - length));
            return (Code){length, codes->symbols[at & 255]};
        }
    return (Code){0, 0};
}

// The code in these LOOK_BITS after the first `used` of them; of length 0 unless all of it is there.
static Code code_at(const Codes *codes, uint32_t look, int used) {
    const Code code = codes->shorts[look << used & (LOOKS - 1)];
    return code.length <= LOOK_BITS - used ? code : (Code){0, 0};
}

// Add the next code and its value to a pair. Returns whether it did.
static int add(Pair *pair, int number, const Codes *codes, uint32_t look) {
    const Code code = code_at(codes, look, pair->bits);
    const int bits = pair->bits + code.length + size_of(code);
    if (!code.length || bits > LOOK_BITS) return 0;
    const int places = pair->places + (is_end(code) ? 0 : places_of(code));
    if (places > MAX_PAIR_PLACES) return 0;
    if (size_of(code)) {
        const uint64_t window = (uint64_t)look << (64 - LOOK_BITS) << (pair->bits + code.length);
        pair->values[number] = (int16_t)value_of(window, size_of(code));
        pair->offsets[number] = places - 1;
    }
    pair->places = places + (is_end(code) ? BLOCK_OVER : 0);
    pair->bits = bits;
    return 1;
}

static Pair pair_of(const Codes *codes, uint32_t look) {
    Pair pair = {{0, 0}, {NOWHERE, NOWHERE}, 0, 0};
    if (add(&pair, 0, codes, look) && pair.places < BLOCK_OVER) add(&pair, 1, codes, look);
    return pair;
}

// The last value's bits may lie beyond those looked at.
static Run run_of(const Codes *codes, uint32_t look) {
    Run run = {0, 0};
    while (run.bits < LOOK_BITS) {
        const Code code = code_at(codes, look, run.bits);
        if (!code.length) break;
        if (is_end(code)) return (Run){run.places + 1 + BLOCK_OVER, run.bits + code.length};
        const int places = run.places + places_of(code), bits = run.bits + code.length + size_of(code);
        if (places > MAX_PLACES || bits > MAX_STEP_BITS) break;
        run = (Run){places, bits};
    }
    return run;
}

int block_codes_make(BlockCodes *made, const JHUFF_TBL *table) {
    if (!codes_make(&made->codes, table, 255)) return 0;
    for (uint32_t look = 0; look < LOOKS; look++) {
        made->pairs[look] = pair_of(&made->codes, look);
        made->runs[look] = run_of(&made->codes, look);
    }
    return 1;
}
