#include "writer.h"

#include "quantisation.h"

#include <stdlib.h>
#include <string.h>

enum {
    ICC_MARKER = JPEG_APP0 + 2,
    MAX_MARKER_BYTES = 65533,
    FIRST_BYTES = 4096, // and one for each so many pixels, which is usually enough
    PIXELS_A_BYTE = 4,
    TABLES = 2, // of brightness, and of both colours
};
static const char ICC_HEAD[] = "ICC_PROFILE\0\1\1"; // the first part of one

// --- the file --------------------------------------------------------------------------------------------------------

static void grow(Writer *writer, size_t capacity) {
    uint8_t *bytes = realloc(writer->bytes, capacity);
    if (!bytes) writer->encoder.err->error_exit((j_common_ptr)&writer->encoder);
    writer->destination.next_output_byte = bytes + writer->capacity;
    writer->destination.free_in_buffer = capacity - writer->capacity;
    writer->bytes = bytes;
    writer->capacity = capacity;
}

static void on_begin(j_compress_ptr encoder) {
    size_t pixels = (size_t)encoder->image_width * encoder->image_height;
    grow((Writer *)encoder->dest, FIRST_BYTES + pixels / PIXELS_A_BYTE);
}

static boolean on_full(j_compress_ptr encoder) {
    Writer *writer = (Writer *)encoder->dest;
    grow(writer, writer->capacity * 2);
    return TRUE;
}

static void on_end(j_compress_ptr encoder) {
    (void)encoder;
}

static void write_profile(Writer *writer, const uint8_t *profile, size_t bytes) {
    uint8_t marker[MAX_MARKER_BYTES];
    size_t head = sizeof ICC_HEAD - 1;
    if (head + bytes > sizeof marker) writer->encoder.err->error_exit((j_common_ptr)&writer->encoder);
    memcpy(marker, ICC_HEAD, head);
    memcpy(marker + head, profile, bytes);
    libjpeg.jpeg_write_marker(&writer->encoder, ICC_MARKER, marker, head + bytes);
}

// --- the rows --------------------------------------------------------------------------------------------------------

static int rows_at_once(const Writer *writer, int component) {
    return writer->encoder.comp_info[component].v_samp_factor * DCTSIZE;
}

static int lesser(int one, int other) {
    return one < other ? one : other;
}

// Whether every component has the rows of this block of lines, or all that there will be.
static int has_rows(const Writer *writer, int block) {
    for (int i = 0; i < writer->encoder.num_components; i++) {
        const Plane *plane = &writer->planes[i];
        if (plane->made < lesser((block + 1) * rows_at_once(writer, i), plane->height)) return 0;
    }
    return 1;
}

void writer_run(Writer *writer) {
    struct jpeg_compress_struct *encoder = &writer->encoder;
    JSAMPROW rows[COMPONENTS][2 * DCTSIZE];
    JSAMPARRAY arrays[COMPONENTS] = {rows[0], rows[1], rows[2]};
    const int lines = encoder->max_v_samp_factor * DCTSIZE;
    while (encoder->next_scanline < encoder->image_height) {
        const int block = encoder->next_scanline / lines;
        if (!has_rows(writer, block)) return;
        for (int i = 0; i < encoder->num_components; i++) {
            const Plane *plane = &writer->planes[i];
            const int count = rows_at_once(writer, i);
            for (int k = 0; k < count; k++) rows[i][k] = plane_row(plane, lesser(block * count + k, plane->height - 1));
        }
        libjpeg.jpeg_write_raw_data(encoder, arrays, lines);
    }
}

static void set_tables(j_compress_ptr encoder, int quality) {
    const int scale = libjpeg.jpeg_quality_scaling(quality);
    for (int i = 0; i < TABLES; i++) libjpeg.jpeg_add_quant_table(encoder, i, QUANTISATION_TABLE, scale, TRUE);
}

void writer_open(Writer *writer, struct jpeg_error_mgr *errors, const Plane *planes, int components,
                 const FastJpegSize *wanted) {
    struct jpeg_compress_struct *encoder = &writer->encoder;
    encoder->err = errors;
    libjpeg.jpeg_CreateCompress(encoder, JPEG_LIB_VERSION, sizeof *encoder);
    writer->is_open = 1;
    writer->planes = planes;
    writer->destination.init_destination = on_begin;
    writer->destination.empty_output_buffer = on_full;
    writer->destination.term_destination = on_end;
    encoder->dest = &writer->destination;
    encoder->image_width = wanted->width;
    encoder->image_height = wanted->height;
    encoder->input_components = components;
    encoder->in_color_space = components == 1 ? JCS_GRAYSCALE : JCS_YCbCr;
    libjpeg.jpeg_set_defaults(encoder); // colours at half the width and height
    set_tables(encoder, wanted->quality);
    encoder->optimize_coding = wanted->effort > 0;
    encoder->raw_data_in = TRUE;
    libjpeg.jpeg_start_compress(encoder, TRUE);
    if (wanted->profile) write_profile(writer, wanted->profile, wanted->profile_bytes);
}

void writer_finish(Writer *writer) {
    libjpeg.jpeg_finish_compress(&writer->encoder);
}

void writer_hand_over(Writer *writer, FastJpegSize *wanted) {
    wanted->file = writer->bytes;
    wanted->file_bytes = writer->capacity - writer->destination.free_in_buffer;
    writer->bytes = NULL;
}

void writer_close(Writer *writer) {
    if (writer->is_open) libjpeg.jpeg_destroy_compress(&writer->encoder);
    free(writer->bytes);
}
