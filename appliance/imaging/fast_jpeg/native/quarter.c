#include "quarter.h"

enum {
    OVER = DCTSIZE2, // the place after a block's last
    NO_PLACE = 512,  // after what is no code, or leads beyond the block
    MAX_DC_BITS = 15,
    MAX_MCU_BLOCKS = 10, // T.81, B.2.3
    MAX_FACTOR = 255,    // of a table with bytes
    FIRST_RESTART = 0xD0,
    RESTARTS = 8,
    END_OF_IMAGE = 0xD9,
    MIDDLE = 128,
};

// --- one block -------------------------------------------------------------------------------------------------------

// Of a block's values. The first is read before the others, but put last: until then, what isn't wanted goes there.
enum { FLAT, ACROSS, DOWN, BOTH, SLOTS };

// Where the value of a place goes, in zigzag order. Places are below 256.
static inline int slot_of(unsigned place) {
    static const uint8_t slots[256] = {[1] = ACROSS, [2] = DOWN, [4] = BOTH};
    return slots[place & 255];
}

// One code of the block, by the way that knows them all: the place after it, or NO_PLACE. Inline, because the bits then
// stay in registers.
static inline __attribute__((always_inline)) int read_value(Bits *bits, const Codes *codes, int place,
                                                            int16_t *values) {
    const Code code = codes_find(codes, bits->window);
    const int size = code.symbol & 15, zeros = code.symbol >> 4;
    if (!code.length) return NO_PLACE;
    bits_drop(bits, code.length);
    if (!size && zeros < 15) return BLOCK_OVER;
    if (place + zeros >= OVER) return NO_PLACE;
    values[slot_of(place + zeros)] = (int16_t)value_of(bits->window, size);
    bits_drop(bits, size);
    return place + zeros + 1;
}

static inline int read_dc(Bits *bits, const Codes *codes, int *difference) {
    Code code = codes->shorts[upcoming(bits->window)];
    if (!code.length) code = codes_find(codes, bits->window);
    if (!code.length) return 0;
    bits_drop(bits, code.length);
    *difference = value_of(bits->window, code.symbol & 15);
    bits_drop(bits, code.symbol & 15);
    return 1;
}

static inline int read_wanted(Bits *bits, const BlockCodes *codes, int16_t *values) {
    int place = 1;
    while (place <= LAST_PAIR_PLACE) {
        bits_fill(bits);
        const Pair pair = codes->pairs[upcoming(bits->window)];
        if (!pair.bits) {
            place = read_value(bits, &codes->codes, place, values);
            continue;
        }
        values[slot_of(place + pair.offsets[0])] = pair.values[0];
        values[slot_of(place + pair.offsets[1])] = pair.values[1];
        bits_drop(bits, pair.bits);
        place += pair.places;
    }
    return place;
}

static inline int skip_rest(Bits *bits, const BlockCodes *codes, int place) {
    int16_t ignored[SLOTS];
    while (place < OVER) {
        bits_fill(bits);
        const Run run = codes->runs[upcoming(bits->window)];
        const int after = place + run.places;
        if (!run.bits || (after & (BLOCK_OVER - 1)) > OVER) {
            place = read_value(bits, &codes->codes, place, ignored);
            continue;
        }
        bits_drop(bits, run.bits);
        place = after;
    }
    return place;
}

static inline int read_block(Bits *bits, QuarterComponent *component, int16_t *values) {
    int difference;
    bits_fill(bits);
    if (!read_dc(bits, component->dc, &difference)) return 0;
    component->last_dc += difference;
    if (component->last_dc != (int16_t)component->last_dc) return 0;
    const int place = skip_rest(bits, component->ac, read_wanted(bits, component->ac, values));
    values[FLAT] = (int16_t)component->last_dc;
    return place != NO_PLACE;
}

static inline uint8_t sample(int eighths) {
    const int value = (eighths >> 3) + MIDDLE;
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

// The inverse transform of two by two samples.
static inline void draw(const QuarterComponent *component, const int16_t *values, uint8_t *upper, uint8_t *lower) {
    const int *factors = component->factors;
    const int flat = values[FLAT] * factors[FLAT] + 4, both = values[BOTH] * factors[BOTH];
    const int across = values[ACROSS] * factors[ACROSS], down = values[DOWN] * factors[DOWN];
    upper[0] = sample(flat + across + down + both);
    upper[1] = sample(flat - across + down - both);
    lower[0] = sample(flat + across - down - both);
    lower[1] = sample(flat - across - down + both);
}

// --- rows of them ----------------------------------------------------------------------------------------------------

static int read_component(Bits *bits, QuarterComponent *component, const Plane *plane, int column) {
    for (int y = 0; y < component->down; y++) {
        const int top = plane->made + y * QUARTER_SIDE, left = column * component->across * QUARTER_SIDE;
        uint8_t *upper = plane_row(plane, top) + left, *lower = plane_row(plane, top + 1) + left;
        for (int x = 0; x < component->across; x++) {
            int16_t values[SLOTS] = {0};
            if (!read_block(bits, component, values)) return 0;
            draw(component, values, upper + x * QUARTER_SIDE, lower + x * QUARTER_SIDE);
        }
    }
    return 1;
}

// At most seven bits fill up the last byte.
static int is_used_up(const Quarter *quarter) {
    const ptrdiff_t left = segment_left(&quarter->segment);
    return quarter->segment.is_last && left >= 0 && left < 8;
}

static int restart(Quarter *quarter) {
    if (!is_used_up(quarter)) return 0;
    if (segment_next(&quarter->segment) != FIRST_RESTART + quarter->markers++ % RESTARTS) return 0;
    for (int i = 0; i < quarter->count; i++) quarter->components[i].last_dc = 0;
    quarter->until_marker = quarter->interval;
    return 1;
}

static int prepare_mcu(Quarter *quarter) {
    if (quarter->interval && !quarter->until_marker && !restart(quarter)) return 0;
    quarter->until_marker--;
    segment_prepare(&quarter->segment);
    return 1;
}

int quarter_read(Quarter *quarter, const Plane *planes) {
    for (int column = 0; column < quarter->columns; column++) {
        if (!prepare_mcu(quarter)) return 0;
        Bits bits = quarter->segment.bits;
        for (int i = 0; i < quarter->count; i++)
            if (!read_component(&bits, &quarter->components[i], &planes[i], column)) return 0;
        quarter->segment.bits = bits;
        if (segment_left(&quarter->segment) < 0) return 0;
    }
    quarter->row++;
    return 1;
}

int quarter_is_whole(Quarter *quarter) {
    return is_used_up(quarter) && segment_next(&quarter->segment) == END_OF_IMAGE;
}

// --- the header ------------------------------------------------------------------------------------------------------

static int is_usual(const struct jpeg_decompress_struct *decoder) {
    if (decoder->progressive_mode || decoder->arith_code || decoder->data_precision != 8) return 0;
    if (decoder->Ss || decoder->Se != DCTSIZE2 - 1 || decoder->Ah || decoder->Al) return 0;
    if (decoder->comps_in_scan != decoder->num_components || decoder->num_components > QUARTER_COMPONENTS) return 0;
    int blocks = 0;
    for (int i = 0; i < decoder->num_components; i++) {
        const jpeg_component_info *component = &decoder->comp_info[i];
        if (decoder->cur_comp_info[i] != component) return 0;
        blocks += component->h_samp_factor * component->v_samp_factor;
    }
    return decoder->num_components == 1 || blocks <= MAX_MCU_BLOCKS;
}

static int take_factors(QuarterComponent *component, const JQUANT_TBL *table) {
    static const int places[] = {[FLAT] = 0, [ACROSS] = 1, [DOWN] = DCTSIZE, [BOTH] = DCTSIZE + 1};
    if (!table) return 0;
    for (int i = 0; i < SLOTS; i++) {
        component->factors[i] = table->quantval[places[i]];
        if (component->factors[i] > MAX_FACTOR) return 0;
    }
    return 1;
}

static int open_component(Pool *pool, QuarterComponent *component, const struct jpeg_decompress_struct *decoder,
                          const jpeg_component_info *info) {
    if (info->dc_tbl_no >= NUM_HUFF_TBLS || info->ac_tbl_no >= NUM_HUFF_TBLS || info->quant_tbl_no >= NUM_QUANT_TBLS)
        return 0; // libjpeg hasn't looked yet
    const JHUFF_TBL *dc = decoder->dc_huff_tbl_ptrs[info->dc_tbl_no], *ac = decoder->ac_huff_tbl_ptrs[info->ac_tbl_no];
    Codes *dc_codes = pool_take(pool, sizeof *dc_codes);
    BlockCodes *ac_codes = pool_take(pool, sizeof *ac_codes);
    component->dc = dc_codes;
    component->ac = ac_codes;
    component->across = decoder->num_components == 1 ? 1 : info->h_samp_factor;
    component->down = decoder->num_components == 1 ? 1 : info->v_samp_factor;
    return dc && ac && codes_make(dc_codes, dc, MAX_DC_BITS) && block_codes_make(ac_codes, ac) &&
           take_factors(component, decoder->quant_tbl_ptrs[info->quant_tbl_no]);
}

int quarter_open(Pool *pool, Quarter *quarter, const struct jpeg_decompress_struct *decoder) {
    if (!is_usual(decoder)) return 0;
    quarter->count = decoder->num_components;
    for (int i = 0; i < quarter->count; i++)
        if (!open_component(pool, &quarter->components[i], decoder, &decoder->comp_info[i])) return 0;
    const int is_single = quarter->count == 1;
    quarter->columns = divided_up(decoder->image_width, DCTSIZE * (is_single ? 1 : decoder->max_h_samp_factor));
    quarter->rows = divided_up(decoder->image_height, DCTSIZE * (is_single ? 1 : decoder->max_v_samp_factor));
    quarter->interval = quarter->until_marker = decoder->restart_interval;
    segment_open(pool, &quarter->segment, decoder->src->next_input_byte, decoder->src->bytes_in_buffer);
    return 1;
}
