#include "kernels.h"

#include <stddef.h>
#include <string.h>

static uint8_t rounded(int32_t sum) {
    int32_t value = (sum + (1 << (ONE_BITS - 1))) >> ONE_BITS;
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

static void sum_rows(uint8_t *out, const uint8_t *const *rows, const int16_t *weights, int taps, int width) {
    for (int x = 0; x < width; x++) {
        int32_t sum = 0;
        for (int k = 0; k < taps; k++) sum += rows[k][x] * weights[k];
        out[x] = rounded(sum);
    }
}

static void sum_columns(uint8_t *out, const uint8_t *row, const int *first, const int16_t *weights, int taps,
                        int count) {
    for (int x = 0; x < count; x++, weights += taps) {
        int32_t sum = 0;
        for (int k = 0; k < taps; k++) sum += row[first[x] + k] * weights[k];
        out[x] = rounded(sum);
    }
}

static const Kernels PLAIN = {"plain", sum_rows, sum_columns};

#if defined(__x86_64__)

#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))

// 32 samples at once; two rows at once, as pairs of neighbours for the multiplication that adds pairs.
AVX2 static inline __attribute__((always_inline)) void sum_so_many_rows(uint8_t *out, const uint8_t *const *rows,
                                                                        const int16_t *weights, int taps, int width) {
    const __m256i half = _mm256_set1_epi32(1 << (ONE_BITS - 1)), zero = _mm256_setzero_si256();
    for (int x = 0; x < width; x += 32) {
        __m256i sum[4] = {half, half, half, half};
        for (int k = 0; k < taps; k += 2) {
            int32_t pair;
            memcpy(&pair, weights + k, sizeof pair);
            const __m256i both = _mm256_set1_epi32(pair);
            const __m256i upper = _mm256_loadu_si256((const void *)(rows[k] + x));
            const __m256i lower = _mm256_loadu_si256((const void *)(rows[k + 1] + x));
            const __m256i low = _mm256_unpacklo_epi8(upper, lower), high = _mm256_unpackhi_epi8(upper, lower);
            sum[0] = _mm256_add_epi32(sum[0], _mm256_madd_epi16(_mm256_unpacklo_epi8(low, zero), both));
            sum[1] = _mm256_add_epi32(sum[1], _mm256_madd_epi16(_mm256_unpackhi_epi8(low, zero), both));
            sum[2] = _mm256_add_epi32(sum[2], _mm256_madd_epi16(_mm256_unpacklo_epi8(high, zero), both));
            sum[3] = _mm256_add_epi32(sum[3], _mm256_madd_epi16(_mm256_unpackhi_epi8(high, zero), both));
        }
        for (int i = 0; i < 4; i++) sum[i] = _mm256_srai_epi32(sum[i], ONE_BITS);
        const __m256i low = _mm256_packs_epi32(sum[0], sum[1]), high = _mm256_packs_epi32(sum[2], sum[3]);
        _mm256_storeu_si256((void *)(out + x), _mm256_packus_epi16(low, high));
    }
}

AVX2 static void sum_rows_avx2(uint8_t *out, const uint8_t *const *rows, const int16_t *weights, int taps, int width) {
    if (taps == FEW_TAPS) sum_so_many_rows(out, rows, weights, FEW_TAPS, width); // a loop of a known length is unrolled
    else if (taps == 12) sum_so_many_rows(out, rows, weights, 12, width);
    else sum_so_many_rows(out, rows, weights, taps, width);
}

AVX2 static inline __m256i products(const uint8_t *samples, const int16_t *weights) { // of 16 taps, in 8 sums
    const __m256i wide = _mm256_cvtepu8_epi16(_mm_loadu_si128((const void *)samples));
    return _mm256_madd_epi16(wide, _mm256_loadu_si256((const void *)weights));
}

AVX2 static inline void put_eight(uint8_t *out, __m256i sums) {
    const __m256i values = _mm256_srai_epi32(_mm256_add_epi32(sums, _mm256_set1_epi32(1 << (ONE_BITS - 1))), ONE_BITS);
    const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(values), _mm256_extracti128_si256(values, 1));
    _mm_storel_epi64((void *)out, _mm_packus_epi16(words, words));
}

AVX2 static inline __m256i added(const __m256i parts[4]) {
    return _mm256_hadd_epi32(_mm256_hadd_epi32(parts[0], parts[1]), _mm256_hadd_epi32(parts[2], parts[3]));
}

// Of 8 taps: two samples in the halves of a vector.
AVX2 static void sum_few_columns(uint8_t *out, const uint8_t *row, const int *first, const int16_t *weights,
                                 int count) {
    const __m256i in_order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    for (int x = 0; x < count; x += COUNT_GROUP) {
        __m256i pairs[4];
        for (int i = 0; i < 4; i++, weights += 16) {
            const __m128i one = _mm_loadl_epi64((const void *)(row + first[x + 2 * i]));
            const __m128i two = _mm_loadl_epi64((const void *)(row + first[x + 2 * i + 1]));
            const __m256i wide = _mm256_cvtepu8_epi16(_mm_unpacklo_epi64(one, two));
            pairs[i] = _mm256_madd_epi16(wide, _mm256_loadu_si256((const void *)weights));
        }
        put_eight(out + x, _mm256_permutevar8x32_epi32(added(pairs), in_order));
    }
}

// Eight samples at once, whose sums are added up together.
AVX2 static void sum_columns_avx2(uint8_t *out, const uint8_t *row, const int *first, const int16_t *weights, int taps,
                                  int count) {
    if (taps == FEW_TAPS) {
        sum_few_columns(out, row, first, weights, count);
        return;
    }
    for (int x = 0; x < count; x += COUNT_GROUP) {
        __m256i sums[COUNT_GROUP];
        for (int i = 0; i < COUNT_GROUP; i++, weights += taps) {
            const uint8_t *samples = row + first[x + i];
            sums[i] = products(samples, weights);
            for (int k = 16; k < taps; k += 16) sums[i] = _mm256_add_epi32(sums[i], products(samples + k, weights + k));
        }
        const __m256i one = added(sums), two = added(sums + 4);
        const __m256i low = _mm256_permute2x128_si256(one, two, 0x20), high = _mm256_permute2x128_si256(one, two, 0x31);
        put_eight(out + x, _mm256_add_epi32(low, high));
    }
}

static const Kernels FAST = {"avx2", sum_rows_avx2, sum_columns_avx2};

static int is_fast_here(void) {
    return __builtin_cpu_supports("avx2");
}

#elif defined(__aarch64__)

#include <arm_neon.h>

static void sum_rows_neon(uint8_t *out, const uint8_t *const *rows, const int16_t *weights, int taps, int width) {
    for (int x = 0; x < width; x += 16) {
        int32x4_t sum[4] = {vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)};
        for (int k = 0; k < taps; k++) {
            const uint8x16_t samples = vld1q_u8(rows[k] + x);
            const int16x8_t low = vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(samples)));
            const int16x8_t high = vreinterpretq_s16_u16(vmovl_high_u8(samples));
            sum[0] = vmlal_n_s16(sum[0], vget_low_s16(low), weights[k]);
            sum[1] = vmlal_high_n_s16(sum[1], low, weights[k]);
            sum[2] = vmlal_n_s16(sum[2], vget_low_s16(high), weights[k]);
            sum[3] = vmlal_high_n_s16(sum[3], high, weights[k]);
        }
        const int16x8_t low = vqrshrn_high_n_s32(vqrshrn_n_s32(sum[0], ONE_BITS), sum[1], ONE_BITS);
        const int16x8_t high = vqrshrn_high_n_s32(vqrshrn_n_s32(sum[2], ONE_BITS), sum[3], ONE_BITS);
        vst1q_u8(out + x, vqmovun_high_s16(vqmovun_s16(low), high));
    }
}

static void sum_columns_neon(uint8_t *out, const uint8_t *row, const int *first, const int16_t *weights, int taps,
                             int count) {
    for (int x = 0; x < count; x++, weights += taps) {
        int32x4_t sum = vdupq_n_s32(0);
        for (int k = 0; k < taps; k += 8) {
            const int16x8_t samples = vreinterpretq_s16_u16(vmovl_u8(vld1_u8(row + first[x] + k)));
            const int16x8_t eight = vld1q_s16(weights + k);
            sum = vmlal_s16(sum, vget_low_s16(samples), vget_low_s16(eight));
            sum = vmlal_high_s16(sum, samples, eight);
        }
        out[x] = rounded(vaddvq_s32(sum));
    }
}

static const Kernels FAST = {"neon", sum_rows_neon, sum_columns_neon};

static int is_fast_here(void) {
    return 1;
}

#else

static const Kernels FAST = {"none", NULL, NULL};

static int is_fast_here(void) {
    return 0;
}

#endif

const Kernels *kernels_find(const char *name) {
    if (is_fast_here() && (!name || !strcmp(name, FAST.name))) return &FAST;
    return !name || !strcmp(name, PLAIN.name) ? &PLAIN : NULL;
}
