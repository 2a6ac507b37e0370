/* SPDX-License-Identifier: MIT */
/* Largest errors of the functions in units of the last place of f32, against x87 long double (64 bits), over every n-th f32
 * bit pattern. x86 with glibc only. Usage: accuracy [n]. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "../../../../engine/native/kernels/functions.h"

typedef v16 Function(v16 x, v16 y);
typedef long double Exact(long double x, long double y);

#define FUNCTION(name, exact)                                                       \
  static v16 kernel_##name(v16 x, v16 y) { return (void)y, name##16(x); }            \
  static long double exact_##name(long double x, long double y) { return (void)y, exact; }
FUNCTION(exp, expl(x))
FUNCTION(log, logl(x))
FUNCTION(tanh, tanhl(x))
FUNCTION(sigmoid, 1 / (1 + expl(-x)))
FUNCTION(erf, erfl(x))
FUNCTION(softplus, x > 0 ? x + log1pl(expl(-x)) : log1pl(expl(x)))
FUNCTION(elu, x > 0 ? x : expm1l(x))
FUNCTION(sin, sinl(x))
FUNCTION(cos, cosl(x))
static v16 kernel_pow(v16 x, v16 y) { return pow16(x, y); }
static long double exact_pow(long double x, long double y) { return powl(x, y); }

#define ROW(name) {#name, kernel_##name, exact_##name}
static const struct {
  const char *name;
  Function *function;
  Exact *exact;
} functions[] = {ROW(exp), ROW(log), ROW(tanh), ROW(sigmoid), ROW(erf), ROW(softplus), ROW(elu), ROW(sin), ROW(cos), ROW(pow)};

/* Distance in units of the last place of the exact value; infinite where one is NaN or infinite and the other is not. */
static double error_of(float y, long double exact) {
  if (isnan(exact) || isnan(y)) return isnan(exact) && isnan(y) ? 0 : HUGE_VAL;
  if (fabsl(exact) >= 0x1.ffffffp127L || isinf(y)) return y == (float)exact ? 0 : HUGE_VAL;
  int exponent = exact == 0 ? -149 : ilogbl(exact) - 23;
  return (double)fabsl(((long double)y - exact) / ldexpl(1, exponent < -149 ? -149 : exponent));
}

int main(int count, char **values) {
  uint32_t stride = count > 1 ? (uint32_t)atoi(values[1]) : 4099;
  for (size_t f = 0; f < sizeof functions / sizeof *functions; f++) {
    double largest = 0;
    float at = 0, with = 0;
    uint64_t inputs = 0;
    for (uint64_t bits = 0; bits + 15 * stride < 1ULL << 32; bits += 16 * stride, inputs += 16) {
      v16 x, y;
      for (uint32_t lane = 0; lane < 16; lane++) {
        uint32_t b = (uint32_t)bits + lane * stride;
        float given;
        memcpy(&given, &b, 4);
        x[lane] = given, y[lane] = (float)(int32_t)(b * 2654435761u) * 0x1p-31f * (lane % 2 ? 3 : 100);
      }
      v16 found = functions[f].function(x, y);
      for (int lane = 0; lane < 16; lane++) {
        double error = error_of(found[lane], functions[f].exact(x[lane], y[lane]));
        if (error > largest) largest = error, at = x[lane], with = y[lane];
      }
    }
    printf("%-8s %.6f ulp at %.9g (%.9g), %llu inputs\n", functions[f].name, largest, at, with, (unsigned long long)inputs);
  }
}
