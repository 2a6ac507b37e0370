/* SPDX-License-Identifier: MIT */
/* Arithmetic on vectors of parameters, with the bits of job/vectors.ts: values are computed in double, each operation
 * rounded, and rounded to float when stored. One table for each instruction set. */
#ifndef LOCKSTEP_VECTORS_H
#define LOCKSTEP_VECTORS_H
#include <stdbool.h>
#include <stdint.h>

typedef struct {
  double per_sample, rate, decay;
} Sgd;

typedef struct {
  double per_sample, decay, momentum, velocity_rate, gradient_rate;
} Momentum;

typedef struct {
  double per_sample, l2, beta1, beta2, step_size, square_scale, epsilon, shrink;
} Adam;

/* Vectors of one call have n values each and don't overlap. */
typedef struct {
  const char *name;
  /* left += right, in float. */
  void (*add)(float *left, const float *right, int64_t n);
  /* True if no value is NaN or infinite. */
  bool (*finite)(const float *x, int64_t n);
  void (*sgd)(float *params, const float *gradient, int64_t n, const Sgd *c);
  void (*momentum)(float *params, float *velocity, const float *gradient, int64_t n, const Momentum *c);
  void (*adam)(float *params, float *means, float *squares, const float *gradient, int64_t n, const Adam *c);
} Vectors;

extern const Vectors vectors_avx512, vectors_avx2, vectors_neon;
#endif
