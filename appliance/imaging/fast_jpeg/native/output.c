#include "output.h"

static int is_webp(const Output *output) {
    return output->wanted->format == FAST_JPEG_WEBP;
}

int output_open(Pool *pool, Output *output, struct jpeg_error_mgr *errors, const Plane *planes, int components,
                FastJpegSize *wanted) {
    output->wanted = wanted;
    if (is_webp(output)) return webp_open(pool, &output->webp, planes, components, wanted);
    writer_open(&output->jpeg, errors, planes, components, wanted);
    return 1;
}

void output_run(Output *output) {
    if (is_webp(output)) webp_run(&output->webp);
    else writer_run(&output->jpeg);
}

int output_finish(Output *output) {
    if (is_webp(output)) return webp_finish(&output->webp);
    writer_finish(&output->jpeg);
    return 1;
}

void output_hand_over(Output *output) {
    if (is_webp(output)) webp_hand_over(&output->webp, output->wanted);
    else writer_hand_over(&output->jpeg, output->wanted);
}

void output_close(Output *output) {
    webp_close(&output->webp);
    writer_close(&output->jpeg);
}
