#include "fast_jpeg.h"

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "libjpeg.h"
#include "libwebp.h"
#include "output.h"
#include "pool.h"
#include "quarter.h"
#include "resampling.h"

enum {
    DOUBTFUL = -1, // an outcome of the quick scan: libjpeg is asked
    MAX_SIZES = 8,
    MAX_DOWN = 2,                  // rows of a component's blocks that are read at once
    MAX_ROWS = MAX_DOWN * DCTSIZE, // of its samples
    ROWS_AT_ONCE = 128, // kept beyond what the next scaler reaches, for those made at once and not yet encoded
    MAX_ENLARGING = ROWS_AT_ONCE / MAX_ROWS / 2, // times; rows read at once fill half of those that are kept
    MARGIN = 32,        // samples that are read beyond an edge where no weight reaches: whole blocks and vectors
};

typedef struct {
    Plane planes[COMPONENTS]; // as they are encoded
    Plane stored[COMPONENTS]; // as the decoded image lies, of a size that is turned
    Scaler scalers[COMPONENTS];
    Output output;
} Size;

typedef struct {
    struct jpeg_decompress_struct decoder;
    struct jpeg_error_mgr errors;
    int is_quick;    // whether the scan is read by `quarter`, and not by the decoder
    Quarter quarter;
    Plane decoded[COMPONENTS];
    int rows_at_once[COMPONENTS]; // of decoded ones
    double extents[COMPONENTS][2]; // of the image in each plane: whole samples and a part of one
    Size sizes[MAX_SIZES];
    FastJpegSize *wanted;
    int count, components;
    int is_transposed, is_mirrored[2]; // across, down
    Pool pool;
    jmp_buf over;
} Work;

static Work *work; // what is under way: libjpeg's callbacks have no other way to it

static void on_error(j_common_ptr codec) {
    (void)codec;
    longjmp(work->over, FAST_JPEG_DAMAGED);
}

static void on_message(j_common_ptr codec, int level) {
    if (level < 0) on_error(codec); // a warning: the file is damaged, and libvips shows what can be shown
}

static void on_no_memory(void *context) {
    (void)context;
    longjmp(work->over, FAST_JPEG_NO_MEMORY);
}

// --- decoding --------------------------------------------------------------------------------------------------------

static int is_suited(const struct jpeg_decompress_struct *decoder) {
    const jpeg_component_info *component = decoder->comp_info;
    if (decoder->data_precision != 8 || decoder->arith_code || decoder->max_v_samp_factor > MAX_DOWN) return 0;
    if (decoder->min_DCT_scaled_size != DCTSIZE) return 0; // lossless (SOF3): samples, not blocks
    if (decoder->num_components == 1) return decoder->jpeg_color_space == JCS_GRAYSCALE;
    if (decoder->num_components != COMPONENTS || decoder->jpeg_color_space != JCS_YCbCr) return 0;
    return component->h_samp_factor == decoder->max_h_samp_factor &&
           component->v_samp_factor == decoder->max_v_samp_factor;
}

static void start_libjpeg(int shrink) {
    struct jpeg_decompress_struct *decoder = &work->decoder;
    decoder->raw_data_out = TRUE;
    decoder->out_color_space = decoder->jpeg_color_space;
    decoder->do_fancy_upsampling = FALSE;
    decoder->scale_num = 1;
    decoder->scale_denom = shrink;
    libjpeg.jpeg_start_decompress(decoder);
}

static void open_decoder(const uint8_t *jpeg, size_t bytes, int shrink, int may_be_quick) {
    struct jpeg_decompress_struct *decoder = &work->decoder;
    decoder->err = &work->errors;
    libjpeg.jpeg_CreateDecompress(decoder, JPEG_LIB_VERSION, sizeof *decoder);
    libjpeg.jpeg_mem_src(decoder, jpeg, bytes);
    libjpeg.jpeg_read_header(decoder, TRUE);
    if (!is_suited(decoder)) longjmp(work->over, FAST_JPEG_UNSUITED);
    work->components = decoder->num_components;
    work->is_quick = may_be_quick && shrink * QUARTER_SIDE == DCTSIZE &&
                     quarter_open(&work->pool, &work->quarter, decoder);
    if (!work->is_quick) start_libjpeg(shrink);
    for (int i = 0; i < work->components; i++) {
        const jpeg_component_info *component = &decoder->comp_info[i];
        int side = work->is_quick ? QUARTER_SIDE : component->DCT_scaled_size;
        int down = work->is_quick ? work->quarter.components[i].down : component->v_samp_factor;
        double part = side / (double)DCTSIZE;
        work->rows_at_once[i] = side * down;
        work->extents[i][0] = decoder->image_width * part * component->h_samp_factor / decoder->max_h_samp_factor;
        work->extents[i][1] = decoder->image_height * part * component->v_samp_factor / decoder->max_v_samp_factor;
    }
}

static int has_more_rows(void) {
    if (work->is_quick) return work->quarter.row < work->quarter.rows;
    return work->decoder.output_scanline < work->decoder.output_height;
}

static void read_rows(void) { // as libjpeg decodes them
    struct jpeg_decompress_struct *decoder = &work->decoder;
    JSAMPROW rows[COMPONENTS][MAX_ROWS];
    JSAMPARRAY arrays[COMPONENTS] = {rows[0], rows[1], rows[2]};
    for (int i = 0; i < work->components; i++) {
        Plane *plane = &work->decoded[i];
        for (int k = 0; k < work->rows_at_once[i]; k++) rows[i][k] = plane_row(plane, plane->made + k);
    }
    if (!libjpeg.jpeg_read_raw_data(decoder, arrays, decoder->max_v_samp_factor * decoder->min_DCT_scaled_size))
        longjmp(work->over, FAST_JPEG_DAMAGED);
}

// The next rows of each component. They may be fewer than are read at the image's end.
static void decode_rows(void) {
    if (!work->is_quick) read_rows();
    else if (!quarter_read(&work->quarter, work->decoded)) longjmp(work->over, DOUBTFUL);
    for (int i = 0; i < work->components; i++) {
        Plane *plane = &work->decoded[i];
        int made = plane->made + work->rows_at_once[i];
        for (int y = plane->made; y < made; y++) plane_extend(plane, plane_row(plane, y));
        plane->made = made < plane->height ? made : plane->height;
    }
}

static void close_decoder(void) {
    if (!work->is_quick) libjpeg.jpeg_finish_decompress(&work->decoder);
    else if (!quarter_is_whole(&work->quarter)) longjmp(work->over, DOUBTFUL);
}

// --- sizes -----------------------------------------------------------------------------------------------------------

static void turn(int orientation) {
    work->is_transposed = orientation >= 5;
    work->is_mirrored[0] = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    work->is_mirrored[1] = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
}

// Whether the first row comes last: then all rows are kept.
static int is_turned(void) {
    return work->is_transposed || work->is_mirrored[1];
}

// The planes that a size's scalers write: stored as the decoded image is, for one that is turned afterwards.
static Plane *scaled(Size *size, int number) {
    return work->wanted[number].source < 0 && work->is_transposed ? size->stored : size->planes;
}

// The sides of a component of a size; `extent` is what the image covers of them, where a side is odd.
static void sides_of(int number, int component, int is_stored, int sides[2], double extents[2]) {
    int upright[2] = {work->wanted[number].width, work->wanted[number].height};
    for (int side = 0; side < 2; side++) {
        int whole = upright[is_stored ? !side : side];
        sides[side] = component ? divided_up(whole, 2) : whole;
        extents[side] = component ? whole / 2.0 : whole;
    }
}

static Axis axis_of(int number, int component, int side, const double *from) {
    int is_decoded = work->wanted[number].source < 0, sides[2];
    double extents[2];
    sides_of(number, component, is_decoded && work->is_transposed, sides, extents);
    double mirrored_at = is_decoded && work->is_mirrored[side] ? from[side] : 0;
    double scale = from[side] / extents[side];
    int group = side ? ROWS_GROUP : TAPS_GROUP;
    if (scale > MAX_TAPS || scale * MAX_ENLARGING < 1 || axis_taps(scale, group) > MAX_TAPS)
        longjmp(work->over, FAST_JPEG_UNSUITED);
    return axis_make(&work->pool, sides[side], scale, mirrored_at, group);
}

// The scalers of one component. Planes are made last: how much of them is kept depends on what is made from them.
static void plan(int component) {
    double extents[MAX_SIZES][2];
    int reach[MAX_SIZES + 1][2] = {0}, sides[2]; // of the decoded plane, then of each size
    Axis axes[MAX_SIZES][2];
    for (int n = 0; n < work->count; n++) {
        int source = work->wanted[n].source;
        for (int side = 0; side < 2; side++) {
            axes[n][side] = axis_of(n, component, side, source < 0 ? work->extents[component] : extents[source]);
            if (axes[n][side].taps > reach[source + 1][side]) reach[source + 1][side] = axes[n][side].taps;
        }
        sides_of(n, component, 0, sides, extents[n]);
    }
    Plane *decoded = &work->decoded[component];
    plane_make(&work->pool, decoded, (int)ceil(work->extents[component][0]), (int)ceil(work->extents[component][1]),
               reach[0][1] + ROWS_AT_ONCE, reach[0][0] + MARGIN);
    for (int n = 0; n < work->count; n++) {
        Size *size = &work->sizes[n];
        int source = work->wanted[n].source, *reached = reach[n + 1];
        int kept = is_turned() ? work->wanted[n].height : reached[1] + ROWS_AT_ONCE;
        double ignored[2];
        sides_of(n, component, 0, sides, ignored);
        plane_make(&work->pool, &size->planes[component], sides[0], sides[1], kept, reached[0] + MARGIN);
        if (scaled(size, n) == size->stored)
            plane_make(&work->pool, &size->stored[component], sides[1], sides[0], sides[0], MARGIN);
        Plane *from = source < 0 ? decoded : &work->sizes[source].planes[component];
        scaler_make(&work->pool, &size->scalers[component], axes[n][0], axes[n][1], from,
                    &scaled(size, n)[component], source < 0 && work->is_mirrored[1]);
    }
}

// Make of a size what its source's rows allow.
static void advance(int number) {
    Size *size = &work->sizes[number];
    for (int i = 0; i < work->components; i++) {
        scaler_run(&size->scalers[i]);
        Plane *stored = &size->stored[i];
        if (stored->memory && stored->made == stored->height && !size->planes[i].made)
            plane_transpose(stored, &size->planes[i]);
    }
    output_run(&size->output);
}

static void make_files(void) {
    for (int i = 0; i < work->components; i++) plan(i);
    for (int n = 0; n < work->count; n++) {
        Size *size = &work->sizes[n];
        if (!output_open(&work->pool, &size->output, &work->errors, size->planes, work->components, &work->wanted[n]))
            longjmp(work->over, FAST_JPEG_UNSUITED);
    }
    while (has_more_rows()) {
        decode_rows();
        for (int n = 0; n < work->count; n++) advance(n);
    }
    close_decoder();
    for (int n = 0; n < work->count; n++)
        if (!output_finish(&work->sizes[n].output)) longjmp(work->over, FAST_JPEG_UNSUITED);
    for (int n = 0; n < work->count; n++) output_hand_over(&work->sizes[n].output);
}

const char *fast_jpeg_load(const char *path, const char *kernels_name) {
    kernels = kernels_find(kernels_name);
    return kernels ? libjpeg_load(path) : "this processor has no such kernels";
}

const char *fast_jpeg_load_webp(const char *path) {
    return libwebp_load(path);
}

const char *fast_jpeg_kernels(void) {
    return kernels->name;
}

static int attempt(const uint8_t *jpeg, size_t bytes, int shrink, int orientation, FastJpegSize *sizes, int count,
                   int may_be_quick) {
    if (!(work = calloc(1, sizeof *work))) return FAST_JPEG_NO_MEMORY;
    work->wanted = sizes;
    work->count = count;
    work->pool.on_no_memory = on_no_memory;
    libjpeg.jpeg_std_error(&work->errors);
    work->errors.error_exit = on_error;
    work->errors.emit_message = on_message;
    turn(orientation);
    int outcome = setjmp(work->over);
    if (outcome == FAST_JPEG_DONE) {
        open_decoder(jpeg, bytes, shrink, may_be_quick);
        make_files();
    }
    libjpeg.jpeg_destroy_decompress(&work->decoder);
    for (int n = 0; n < count; n++) output_close(&work->sizes[n].output);
    pool_free(&work->pool);
    free(work);
    return outcome;
}

int fast_jpeg_render(const uint8_t *jpeg, size_t bytes, int shrink, int orientation, FastJpegSize *sizes, int count) {
    if (count < 1 || count > MAX_SIZES) return FAST_JPEG_UNSUITED;
    int outcome = attempt(jpeg, bytes, shrink, orientation, sizes, count, 1);
    return outcome == DOUBTFUL ? attempt(jpeg, bytes, shrink, orientation, sizes, count, 0) : outcome;
}

void fast_jpeg_free(FastJpegSize *sizes, int count) {
    for (int n = 0; n < count; n++) {
        free(sizes[n].file);
        sizes[n].file = NULL;
        sizes[n].file_bytes = 0;
    }
}
