#include "resampling.h"

#include <complex.h>
#include <math.h>
#include <string.h>

#define LOBES 3

const Kernels *kernels;

// sinc(x) * sinc(x / 3), of a = pi x / 3 and its sine: sin 3a is sin a (3 - 4 sin^2 a), so one sine does for both.
static double lanczos(double angle, double sine) {
    double square = sine * sine;
    if (fabs(angle) >= M_PI) return 0;
    return fabs(angle) < 1e-4 ? 1 : square * (3 - 4 * square) / (LOBES * angle * angle);
}

// The weights of the samples from `first`, around `centre`; they sum up to one. `step` is the angle between two samples,
// and `turn` turns by it.
static void weigh(int16_t *weights, int first, int taps, double centre, double step, double complex turn) {
    double shares[MAX_TAPS], sum = 0;
    int rest = 1 << ONE_BITS, heaviest = 0;
    double complex at = cexp(I * step * (first - centre));
    for (int k = 0; k < taps; k++, at *= turn) sum += shares[k] = lanczos(step * (first + k - centre), cimag(at));
    for (int k = 0; k < taps; k++) {
        weights[k] = (int16_t)lrint(shares[k] / sum * (1 << ONE_BITS));
        rest -= weights[k];
        if (weights[k] > weights[heaviest]) heaviest = k;
    }
    weights[heaviest] += rest;
}

int axis_taps(double scale, int group) {
    int taps = (int)ceil(2 * LOBES * (scale < 1 ? 1 : scale));
    return taps <= FEW_TAPS ? FEW_TAPS : rounded_up(taps, group);
}

Axis axis_make(Pool *pool, int count, double scale, double mirrored_at, int group) {
    double stretch = scale < 1 ? 1 : scale, step = M_PI / LOBES / stretch;
    double complex turn = cexp(I * step);
    int taps = axis_taps(scale, group), room = rounded_up(count, COUNT_GROUP);
    Axis axis = {room, taps, NULL, NULL};
    axis.first = pool_take(pool, sizeof *axis.first * room);
    axis.weights = pool_take(pool, sizeof *axis.weights * room * taps);
    for (int x = 0; x < count; x++) {
        double centre = (x + 0.5) * scale;
        centre = (mirrored_at != 0 ? mirrored_at - centre : centre) - 0.5;
        axis.first[x] = (int)ceil(centre - LOBES * stretch);
        weigh(axis.weights + (size_t)x * taps, axis.first[x], taps, centre, step, turn);
    }
    return axis;
}

void plane_make(Pool *pool, Plane *plane, int width, int height, int kept, int margin) {
    plane->width = width;
    plane->height = height;
    plane->kept = kept;
    plane->margin = margin;
    plane->stride = rounded_up(margin + width + margin, WIDTH_GROUP);
    plane->made = 0;
    plane->memory = pool_take(pool, (size_t)plane->stride * plane->kept);
}

void plane_extend(const Plane *plane, uint8_t *row) {
    memset(row - plane->margin, row[0], plane->margin);
    memset(row + plane->width, row[plane->width - 1], plane->margin);
}

void plane_transpose(const Plane *from, Plane *to) {
    enum { TILE = 32 }; // so that both planes' lines of the cache are used whole
    for (int top = 0; top < to->height; top += TILE)
        for (int left = 0; left < to->width; left += TILE)
            for (int y = top; y < to->height && y < top + TILE; y++) {
                uint8_t *row = plane_row(to, y);
                for (int x = left; x < to->width && x < left + TILE; x++) row[x] = plane_row(from, x)[y];
            }
    for (int y = 0; y < to->height; y++) plane_extend(to, plane_row(to, y));
    to->made = to->height;
}

void scaler_make(Pool *pool, Scaler *scaler, Axis across, Axis down, Plane *from, Plane *to, int is_backward) {
    *scaler = (Scaler){across, down, from, to, NULL, 0, is_backward};
    scaler->line = pool_take(pool, from->stride);
}

void scaler_run(Scaler *scaler) {
    const Axis *down = &scaler->down, *across = &scaler->across;
    Plane *from = scaler->from, *to = scaler->to;
    const uint8_t *rows[MAX_TAPS];
    for (; scaler->made < to->height; scaler->made++) {
        int y = scaler->is_backward ? to->height - 1 - scaler->made : scaler->made;
        int first = down->first[y], bottom = from->height - 1;
        int last = first + down->taps - 1;
        if ((last < bottom ? last : bottom) >= from->made) return;
        for (int k = 0; k < down->taps; k++) {
            int at = first + k;
            rows[k] = plane_row(from, at < 0 ? 0 : at > bottom ? bottom : at) - from->margin;
        }
        const int16_t *weights = down->weights + (size_t)y * down->taps;
        kernels->sum_rows(scaler->line, rows, weights, down->taps, from->stride);
        uint8_t *row = plane_row(to, y);
        kernels->sum_columns(row, scaler->line + from->margin, across->first, across->weights, across->taps,
                             across->count);
        plane_extend(to, row);
        int made = scaler->made + 1;
        to->made = scaler->is_backward && made < to->height ? 0 : made; // backward: once all are there
    }
}
