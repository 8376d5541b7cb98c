// Holds the quick scan to libjpeg: of a JPEG that it reads to the end, libjpeg reads the same coefficients and warns of
// nothing. Stops the process where that isn't so. Built with the extension's own sources and the sanitizers.
//
//   quick_scan LIBJPEG LIBWEBP ROUNDS SECONDS FILE...   each file as it is, then so many damaged ones, so long at most
//   clang -DFUZZER: an entry for libFuzzer, which finds the libraries by LIBJPEG and LIBWEBP in its environment
#include "fast_jpeg.c"
#include "quarter.c"

#include <dlfcn.h>
#include <time.h>

// --- coefficients ----------------------------------------------------------------------------------------------------

static jvirt_barray_ptr *(*read_coefficients)(j_decompress_ptr);
static long blocks_compared;

static int quick_block(Work *one, Bits *bits, int component, int16_t *values) {
    return read_block(bits, &one->quarter.components[component], values);
}

static void compare_block(Work *one, jvirt_barray_ptr *all, int component, int row, int column, const int16_t *values) {
    JBLOCKARRAY rows = one->decoder.mem->access_virt_barray((j_common_ptr)&one->decoder, all[component], row, 1, FALSE);
    const JCOEF *block = rows[0][column];
    if (block[0] != values[FLAT] || block[1] != values[ACROSS] || block[DCTSIZE] != values[DOWN] ||
        block[DCTSIZE + 1] != values[BOTH])
        abort();
    blocks_compared++;
}

// The blocks of the scan, read by the quick scan alone, or once more and compared with what libjpeg has read. Whether
// all could be.
static int walk(Work *one, jvirt_barray_ptr *all) {
    Quarter *quarter = &one->quarter;
    for (int mcu = 0; mcu < quarter->columns * quarter->rows; mcu++) {
        if (!prepare_mcu(quarter)) return 0;
        Bits bits = quarter->segment.bits;
        for (int i = 0; i < quarter->count; i++) {
            const int across = quarter->components[i].across, down = quarter->components[i].down;
            for (int n = 0; n < across * down; n++) {
                int16_t values[SLOTS] = {0};
                if (!quick_block(one, &bits, i, values)) return 0;
                const int row = mcu / quarter->columns * down + n / across;
                const int column = mcu % quarter->columns * across + n % across;
                if (all) compare_block(one, all, i, row, column, values);
            }
        }
        quarter->segment.bits = bits;
        if (segment_left(&quarter->segment) < 0) return 0;
    }
    return quarter_is_whole(quarter);
}

static void open_work(const uint8_t *jpeg, size_t bytes) {
    work = calloc(1, sizeof *work);
    if (!work) abort();
    work->pool.on_no_memory = on_no_memory;
    work->decoder.err = libjpeg.jpeg_std_error(&work->errors);
    work->errors.error_exit = on_error;
    work->errors.emit_message = on_message;
    libjpeg.jpeg_CreateDecompress(&work->decoder, JPEG_LIB_VERSION, sizeof work->decoder);
    libjpeg.jpeg_mem_src(&work->decoder, jpeg, bytes);
}

static void close_work(void) {
    libjpeg.jpeg_destroy_decompress(&work->decoder);
    pool_free(&work->pool);
    free(work);
}

// Whether the quick scan takes the JPEG. Then libjpeg has to, and to read the same.
static int compare(const uint8_t *jpeg, size_t bytes) {
    volatile int is_taken = 0;
    open_work(jpeg, bytes);
    if (setjmp(work->over) == 0) {
        libjpeg.jpeg_read_header(&work->decoder, TRUE);
        if (is_suited(&work->decoder) && quarter_open(&work->pool, &work->quarter, &work->decoder)) {
            is_taken = walk(work, NULL);
            if (is_taken) {
                quarter_open(&work->pool, memset(&work->quarter, 0, sizeof work->quarter), &work->decoder);
                walk(work, read_coefficients(&work->decoder));
                libjpeg.jpeg_finish_decompress(&work->decoder);
            }
        }
    } else if (is_taken) abort(); // libjpeg finds fault with it
    close_work();
    return is_taken;
}

// --- files -----------------------------------------------------------------------------------------------------------

static int is_small(const uint8_t *jpeg, size_t bytes) {
    volatile int is_it = 0;
    open_work(jpeg, bytes);
    if (setjmp(work->over) == 0) {
        libjpeg.jpeg_read_header(&work->decoder, TRUE);
        is_it = (uint64_t)work->decoder.image_width * work->decoder.image_height <= 1 << 24;
    }
    close_work();
    return is_it;
}

// Half of them are made at a quarter, the others at any shrink.
static int shrink_for(size_t bytes) {
    return bytes / 8 % 2 ? DCTSIZE / QUARTER_SIDE : 1 << bytes / 16 % 4;
}

// JPEGs, one with a profile, and WebPs, of the decoded image and of another size.
static int make_sizes(const uint8_t *jpeg, size_t bytes) {
    static const uint8_t profile[300] = {0};
    FastJpegSize sizes[] = {
        {31, 20, -1, FAST_JPEG_JPEG, 81, 1, profile, sizeof profile, NULL, 0},
        {31, 20, 0, FAST_JPEG_WEBP, 80, 2, NULL, 0, NULL, 0},
        {33, 21, -1, FAST_JPEG_WEBP, 80, 0, NULL, 0, NULL, 0},
        {9, 8, 0, FAST_JPEG_JPEG, 81, 0, NULL, 0, NULL, 0},
    };
    const int count = sizeof sizes / sizeof *sizes, orientation = 1 + bytes % 8;
    const int outcome = fast_jpeg_render(jpeg, bytes, shrink_for(bytes), orientation, sizes, count);
    fast_jpeg_free(sizes, count);
    return outcome;
}

static int check(const uint8_t *jpeg, size_t bytes) {
    if (!bytes || !is_small(jpeg, bytes)) return 0;
    const int is_taken = compare(jpeg, bytes), outcome = make_sizes(jpeg, bytes);
    if (is_taken && outcome != FAST_JPEG_DONE && outcome != FAST_JPEG_UNSUITED) abort();
    return is_taken;
}

static void stop(const char *path, const char *wrong) {
    fprintf(stderr, "%s: %s\n", path, wrong);
    exit(2);
}

static void load(const char *jpeg_path, const char *webp_path) {
    if (!jpeg_path || !webp_path) stop("LIBJPEG, LIBWEBP", "both libraries have to be named");
    const char *wrong = fast_jpeg_load(jpeg_path, NULL);
    void *library = dlopen(jpeg_path, RTLD_NOW | RTLD_LOCAL);
    if (wrong || !library) stop(jpeg_path, wrong ? wrong : dlerror());
    if ((wrong = fast_jpeg_load_webp(webp_path))) stop(webp_path, wrong);
    *(void **)&read_coefficients = dlsym(library, "jpeg_read_coefficients");
}

#ifdef FUZZER

int LLVMFuzzerTestOneInput(const uint8_t *jpeg, size_t bytes) {
    if (!kernels) load(getenv("LIBJPEG"), getenv("LIBWEBP"));
    check(jpeg, bytes);
    return 0;
}

#else

enum { MAX_FILE_BYTES = 64 << 20 };

typedef struct {
    uint8_t *bytes;
    size_t count;
} File;

static File read_file(const char *path) {
    FILE *stream = fopen(path, "rb");
    File file = {malloc(MAX_FILE_BYTES), 0};
    if (!stream || !file.bytes) exit(2);
    file.count = fread(file.bytes, 1, MAX_FILE_BYTES, stream);
    fclose(stream);
    file.bytes = realloc(file.bytes, file.count ? file.count : 1);
    return file;
}

static uint64_t chance = 1;

static size_t below(size_t count) {
    chance = chance * 6364136223846793005u + 1442695040888963407u;
    return count ? (size_t)(chance >> 33) % count : 0;
}

// A copy with bits and bytes changed, a part gone or there twice, or cut off; in memory of just its size.
static File damaged(File whole, File other) {
    static const uint8_t telling[] = {0x00, 0xFF, 0x01, 0x7F, 0x80, 0xD0, 0xD7, 0xD9, 0xDA, 0xC4, 0x11, 0xF0};
    uint8_t *bytes = malloc(2 * whole.count + 1);
    size_t count = whole.count;
    memcpy(bytes, whole.bytes, count);
    for (size_t n = 1 + (below(2) ? 0 : below(24)); n && count; n--) {
        const size_t at = below(4) ? below(count) : below(count < 700 ? count : 700);
        switch (below(6)) {
        case 0: bytes[at] ^= 1 << below(8); break;
        case 1: bytes[at] = telling[below(sizeof telling)]; break;
        case 2: bytes[at] = (uint8_t)below(256); break;
        case 3: memcpy(bytes + at, other.bytes, below(count - at < other.count ? count - at : other.count) % 64); break;
        case 4: {
            const size_t gone = below(count - at) % (below(2) ? 8 : 300);
            memmove(bytes + at, bytes + at + gone, count - at - gone);
            count -= gone;
            break;
        }
        default: {
            const size_t again = below(count - at) % (below(2) ? 8 : 300);
            if (count + again > 2 * whole.count) break;
            memmove(bytes + at + again, bytes + at, count - at);
            count += again;
        }
        }
    }
    if (!below(12)) count = below(count);
    return (File){realloc(bytes, count ? count : 1), count};
}

int main(int argc, char **argv) {
    if (argc < 6) return 2;
    load(argv[1], argv[2]);
    const long rounds = atol(argv[3]), last = time(NULL) + atol(argv[4]);
    const int count = argc - 5;
    File *files = calloc(count, sizeof *files);
    long taken = 0, done = 0;
    for (int i = 0; i < count; i++) {
        files[i] = read_file(argv[5 + i]);
        const int is_taken = check(files[i].bytes, files[i].count);
        printf("%s %s\n", is_taken ? "taken" : "left", argv[5 + i]);
    }
    const long whole = blocks_compared;
    for (; done < rounds && time(NULL) < last; done++) {
        chance = done + 1;
        File one = damaged(files[below(count)], files[below(count)]);
        taken += check(one.bytes, one.count);
        free(one.bytes);
    }
    const long of_damaged = blocks_compared - whole;
    printf("%ld blocks of the files; %ld damaged ones, %ld of them taken, %ld blocks\n", whole, done, taken, of_damaged);
    for (int i = 0; i < count; i++) free(files[i].bytes);
    free(files);
}

#endif
