#include "webp.h"

#include <stdlib.h>
#include <string.h>

// The ranges of BT.601, in which WebP has Y, Cb and Cr. A JPEG's go from 0 to WIDE.
enum {
    WIDE = 255,
    LOWEST = 16,  // of Y: black
    LEVELS = 219, // from there to white
    MIDDLE = 128, // of Cb and Cr: grey
    COLOUR_LEVELS = 224, // around it
    FIRST_BYTES = 4096,
};

int webp_open(Pool *pool, Webp *webp, const Plane *planes, int components, const FastJpegSize *wanted) {
    if (!libwebp.WebPEncode || wanted->width > WEBP_MAX_SIDE || wanted->height > WEBP_MAX_SIDE) return 0;
    webp->planes = planes;
    webp->components = components;
    webp->quality = wanted->quality;
    webp->effort = wanted->effort;
    for (int i = 0; i < COMPONENTS; i++) {
        int width = divided_up(wanted->width, i ? 2 : 1), height = divided_up(wanted->height, i ? 2 : 1);
        plane_make(pool, &webp->narrow[i], width, height, height, 0);
        if (i >= components) memset(webp->narrow[i].memory, MIDDLE, (size_t)webp->narrow[i].stride * height);
    }
    return 1;
}

// (sample * levels + lowest) / WIDE, rounded, in 16 bits: then vectors take twice as many.
static void narrow(uint8_t *out, const uint8_t *row, int width, int levels, int lowest) {
    const uint16_t factor = (uint16_t)levels, term = (uint16_t)(lowest + (WIDE + 1) / 2);
    for (int x = 0; x < width; x++) {
        const uint16_t sum = (uint16_t)(row[x] * factor + term);
        out[x] = (uint8_t)((uint16_t)(sum + (sum >> 8)) >> 8);
    }
}

void webp_run(Webp *webp) {
    for (int i = 0; i < webp->components; i++) {
        const Plane *from = &webp->planes[i];
        Plane *to = &webp->narrow[i];
        const int levels = i ? COLOUR_LEVELS : LEVELS;
        const int lowest = i ? MIDDLE * (WIDE - COLOUR_LEVELS) : LOWEST * WIDE;
        for (; to->made < from->made; to->made++)
            narrow(plane_row(to, to->made), plane_row(from, to->made), to->width, levels, lowest);
    }
}

static int on_bytes(const uint8_t *bytes, size_t count, const WebpPicture *picture) {
    Webp *webp = picture->context;
    if (webp->count + count > webp->capacity) {
        size_t capacity = (webp->count + count) * 2 + FIRST_BYTES;
        uint8_t *grown = realloc(webp->bytes, capacity);
        if (!grown) return 0;
        webp->bytes = grown;
        webp->capacity = capacity;
    }
    memcpy(webp->bytes + webp->count, bytes, count);
    webp->count += count;
    return 1;
}

int webp_finish(Webp *webp) {
    WebpSettings settings;
    WebpPicture picture;
    if (!libwebp.WebPConfigInitInternal(&settings, 0, webp->quality, WEBP_INTERFACE)) return 0;
    if (!libwebp.WebPPictureInitInternal(&picture, WEBP_INTERFACE)) return 0;
    settings.method = webp->effort;
    picture.width = webp->narrow[0].width;
    picture.height = webp->narrow[0].height;
    for (int i = 0; i < COMPONENTS; i++) picture.planes[i] = plane_row(&webp->narrow[i], 0);
    picture.stride = webp->narrow[0].stride;
    picture.colour_stride = webp->narrow[1].stride;
    picture.write = on_bytes;
    picture.context = webp;
    return libwebp.WebPEncode(&settings, &picture);
}

void webp_hand_over(Webp *webp, FastJpegSize *wanted) {
    wanted->file = webp->bytes;
    wanted->file_bytes = webp->count;
    webp->bytes = NULL;
}

void webp_close(Webp *webp) {
    free(webp->bytes);
}
