/* SPDX-License-Identifier: MIT */
/* OP_ELEMENTWISE one element at a time, and random programs for it. */
#ifndef LOCKSTEP_TEST_ELEMENTWISE_H
#define LOCKSTEP_TEST_ELEMENTWISE_H
#include <math.h>
#include "scalar-reduce.h"

typedef union {
  float f;
  int32_t i;
  uint32_t u;
} Word;

static int32_t scalar_to_int(float x) {
  return x != x ? 0 : x >= 2147483648.0f ? INT32_MAX : x < -2147483648.0f ? INT32_MIN : (int32_t)x;
}
static int32_t scalar_int_div(int32_t a, int32_t b) { return b == 0 ? 0 : (int32_t)((int64_t)a / b); }
static int32_t scalar_int_mod(int32_t a, int32_t b) {
  int64_t r = b == 0 ? 0 : (int64_t)a % b;
  return (int32_t)(r != 0 && (r < 0) != (b < 0) ? r + b : r);
}
static int32_t scalar_int_pow(int32_t x, int32_t y) {
  uint32_t power = 1;
  if (y < 0) return x == 1 ? 1 : x == -1 ? (y % 2 ? -1 : 1) : 0;
  for (uint32_t square = (uint32_t)x; y > 0; y /= 2, square *= square)
    if (y % 2) power *= square;
  return (int32_t)power;
}

static Word scalar_float(int code, float x, float y) {
  switch (code) {
    case I_ADD: return (Word){x + y};
    case I_SUB: return (Word){x - y};
    case I_MUL: return (Word){x * y};
    case I_DIV: return (Word){x / y};
    case I_MAXIMUM: return (Word){x > y || x != x ? x : y};
    case I_MINIMUM: return (Word){x < y || x != x ? x : y};
    case I_FLOORDIV: return (Word){floorf(x / y)};
    case I_MOD: return (Word){x - y * floorf(x / y)};
    case I_EQUAL: return (Word){.i = x == y};
    case I_NOT_EQUAL: return (Word){.i = x != y};
    case I_GREATER: return (Word){.i = x > y};
    case I_GREATER_EQUAL: return (Word){.i = x >= y};
    case I_LESS: return (Word){.i = x < y};
    case I_LESS_EQUAL: return (Word){.i = x <= y};
    case I_ABS: return (Word){fabsf(x)};
    case I_CEIL: return (Word){ceilf(x)};
    case I_FLOOR: return (Word){floorf(x)};
    case I_ROUND: return (Word){rintf(x)};
    case I_NEG: return (Word){-x};
    case I_RECIPROCAL: return (Word){1 / x};
    case I_SQRT: return (Word){sqrtf(x)};
    case I_RSQRT: return (Word){1 / sqrtf(x)};
    case I_SIGN: return (Word){x != x ? x : x > 0 ? 1 : x < 0 ? -1 : 0};
    case I_SIDE: return (Word){x < 0 ? -1 : 1};
    case I_STEP: return (Word){x > 0 ? 1 : 0};
    case I_RELU: return (Word){x <= 0 ? 0 : x};
    case I_LEAKY_RELU: return (Word){x > 0 ? x : y * x};
    case I_TO_INT: return (Word){.i = scalar_to_int(x)};
    default: return (Word){.i = x != 0}; /* I_TO_BOOL */
  }
}
static int32_t scalar_int(int code, int32_t x, int32_t y) {
  uint32_t u = (uint32_t)x, v = (uint32_t)y;
  switch (code) {
    case I_IADD: return (int32_t)(u + v);
    case I_ISUB: return (int32_t)(u - v);
    case I_IMUL: return (int32_t)(u * v);
    case I_IDIV: return scalar_int_div(x, y);
    case I_IMAXIMUM: return x > y ? x : y;
    case I_IMINIMUM: return x < y ? x : y;
    case I_IFLOORDIV: return scalar_to_int(floorf((float)x / (float)y));
    case I_IMOD: return scalar_int_mod(x, y);
    case I_IPOW: return scalar_int_pow(x, y);
    case I_IEQUAL: return x == y;
    case I_INOT_EQUAL: return x != y;
    case I_IGREATER: return x > y;
    case I_IGREATER_EQUAL: return x >= y;
    case I_ILESS: return x < y;
    case I_ILESS_EQUAL: return x <= y;
    case I_IABS: return x < 0 ? (int32_t)(0 - u) : x;
    case I_INEG: return (int32_t)(0 - u);
    case I_ISIGN: return (x > 0) - (x < 0);
    case I_ISTEP: return x > 0;
    case I_IRELU: return x > 0 ? x : 0;
    case I_AND: return x && y;
    case I_OR: return x || y;
    case I_NOT: return !x;
    default: return x != 0; /* I_ITO_BOOL */
  }
}

/* Types of sources and result: f or i; * is any type, the same throughout. The functions in double are tested elsewhere. */
static const char *const types[INSTRUCTIONS] = {
    [I_ADD] = "fff",      [I_SUB] = "fff",        [I_MUL] = "fff",      [I_DIV] = "fff",      [I_MAXIMUM] = "fff",
    [I_MINIMUM] = "fff",  [I_FLOORDIV] = "fff",   [I_MOD] = "fff",      [I_EQUAL] = "ffi",    [I_NOT_EQUAL] = "ffi",
    [I_GREATER] = "ffi",  [I_GREATER_EQUAL] = "ffi", [I_LESS] = "ffi",  [I_LESS_EQUAL] = "ffi", [I_ABS] = "ff",
    [I_CEIL] = "ff",      [I_FLOOR] = "ff",       [I_ROUND] = "ff",     [I_NEG] = "ff",       [I_RECIPROCAL] = "ff",
    [I_SQRT] = "ff",      [I_RSQRT] = "ff",       [I_SIGN] = "ff",      [I_SIDE] = "ff",      [I_STEP] = "ff",
    [I_RELU] = "ff",      [I_LEAKY_RELU] = "fff", [I_SELECT] = "i***",  [I_TO_FLOAT] = "if",  [I_TO_INT] = "fi",
    [I_TO_BOOL] = "fi",   [I_ITO_BOOL] = "ii",    [I_IADD] = "iii",     [I_ISUB] = "iii",     [I_IMUL] = "iii",
    [I_IDIV] = "iii",     [I_IMAXIMUM] = "iii",   [I_IMINIMUM] = "iii", [I_IFLOORDIV] = "iii", [I_IMOD] = "iii",
    [I_IPOW] = "iii",     [I_IEQUAL] = "iii",     [I_INOT_EQUAL] = "iii", [I_IGREATER] = "iii", [I_IGREATER_EQUAL] = "iii",
    [I_ILESS] = "iii",    [I_ILESS_EQUAL] = "iii", [I_IABS] = "ii",     [I_INEG] = "ii",      [I_ISIGN] = "ii",
    [I_ISTEP] = "ii",     [I_IRELU] = "ii",       [I_AND] = "iii",      [I_OR] = "iii",       [I_NOT] = "ii",
    [I_COPY] = "**"};

static Word scalar_instruction(int code, Word x, Word y, Word z) {
  if (code == I_COPY) return x;
  if (code == I_SELECT) return x.i ? y : z;
  if (code == I_TO_FLOAT) return (Word){(float)x.i};
  return types[code][0] == 'f' ? scalar_float(code, x.f, y.f) : (Word){.i = scalar_int(code, x.i, y.i)};
}

static Word scalar_operand(const Context *c, const int64_t *o, int64_t item, int64_t plane, int64_t e) {
  int64_t index = item * o[2] + plane * o[3] + (o[0] == OPERAND_VECTOR ? e % 16 : o[0] == OPERAND_SCALAR ? 0 : e);
  Word w;
  if (o[0] == OPERAND_BYTES) return (Word){.i = ((const uint8_t *)at(c, o[1]))[index]};
  memcpy(&w, at(c, o[1]) + index * 4, 4);
  return w;
}

/* All values of one plane that the sinks take, [sinks][count]. */
static void scalar_plane(const Context *c, const int64_t *a, int64_t item, int64_t plane, Word *values) {
  const int64_t *operands = a + 7, *code = operands + 4 * a[3], *sinks = code + 5 * a[4];
  for (int64_t e = 0; e < a[2]; e++) {
    Word source[MAX_OPERANDS + MAX_REGISTERS] = {{0}};
    for (int i = 0; i < a[3]; i++) source[i] = scalar_operand(c, operands + 4 * i, item, plane, e);
    for (int k = 0; k < a[4]; k++) {
      const int64_t *in = code + 5 * k;
      int n = (int)strlen(types[in[0]]) - 1;
      source[a[3] + in[1]] =
          scalar_instruction((int)in[0], source[in[2]], source[n > 1 ? in[3] : 0], source[n > 2 ? in[4] : 0]);
    }
    for (int i = 0; i < a[5]; i++) values[i * a[2] + e] = source[sinks[5 * i + 1]];
  }
}
static void scalar_sink(int64_t kind, const Word *x, int64_t count, char *to) {
  static const int reductions[] = {[SINK_SUM16] = REDUCE_SUM, [SINK_MAX16] = REDUCE_MAX, [SINK_MIN16] = REDUCE_MIN, [SINK_ISUM16] = REDUCE_ISUM};
  if (kind == SINK_STORE) memcpy(to, x, (size_t)count * 4);
  else if (kind == SINK_STORE_ONE) memcpy(to, x, 4);
  else if (kind == SINK_SUM4)
    for (int lane = 0; lane < 16; lane++) {
      uint32_t y = scalar_reduce(REDUCE_SUM, (const uint32_t *)x + lane, count / 16, 16, 4);
      memcpy(to + lane * 4, &y, 4);
    }
  else {
    uint32_t y = scalar_reduce(reductions[kind], (const uint32_t *)x, count, 1, 16);
    memcpy(to, &y, 4);
  }
}
static void scalar_elementwise(const int64_t *a, const Context *c) {
  const int64_t *sinks = a + 7 + 4 * a[3] + 5 * a[4];
  Word *values = malloc((size_t)(a[2] * a[5]) * sizeof(Word));
  for (int64_t item = 0; item < a[0]; item++)
    for (int64_t plane = 0; plane < a[1]; plane++) {
      scalar_plane(c, a, item, plane, values);
      for (int i = 0; i < a[5]; i++) {
        const int64_t *s = sinks + 5 * i;
        scalar_sink(s[0], values + i * a[2], a[2], at(c, s[2]) + (item * s[3] + plane * s[4]) * 4);
      }
    }
  free(values);
}

static int64_t source_of_type(const char *known, int64_t n, char type) {
  int64_t start = below(n);
  for (int64_t i = 0; i < n; i++)
    if (known[(start + i) % n] == type) return (start + i) % n;
  return -1;
}

/* Appends an instruction whose sources are known; false if there are none of its types. */
static int random_instruction(int64_t *in, char *known, int64_t operands, int64_t registers) {
  int64_t code = between(1, INSTRUCTIONS - 1);
  if (!types[code]) return 0;
  char any = random_word() % 2 ? 'f' : 'i';
  int n = (int)strlen(types[code]) - 1;
  in[0] = code, in[1] = below(registers), in[3] = in[4] = -1;
  for (int j = 0; j < n; j++) {
    in[2 + j] = source_of_type(known, operands + registers, types[code][j] == '*' ? any : types[code][j]);
    if (in[2 + j] < 0) return 0;
  }
  known[operands + in[1]] = types[code][n] == '*' ? any : types[code][n];
  return 1;
}

static int64_t *random_operand(Arena *arena, int64_t *o, const int64_t *a, char *type) {
  int64_t planes = a[1], count = a[2];
  o[0] = random_word() % 3 ? OPERAND_STREAM : (int64_t)(random_word() % 4);
  int64_t one = o[0] == OPERAND_VECTOR ? 16 : o[0] == OPERAND_SCALAR ? 1 : count;
  o[3] = random_word() % 4 ? one : 0;
  o[2] = random_word() % 4 ? (o[3] ? planes * one : one) : 0;
  *type = o[0] == OPERAND_BYTES || random_word() % 3 == 0 ? 'i' : 'f';
  int64_t size = o[2] * (a[0] - 1) + o[3] * (planes - 1) + one;
  o[1] = o[0] == OPERAND_BYTES ? reserve(arena, (size + 3) / 4, BYTES) : reserve(arena, size, *type == 'f' ? FLOATS : INTS);
  return o + 4;
}
static int64_t *random_sink(Arena *arena, int64_t *s, const int64_t *a, const char *known) {
  do s[1] = below(a[3] + a[6]);
  while (!known[s[1]]);
  int is_float = known[s[1]] == 'f';
  do s[0] = random_word() % 2 ? SINK_STORE : below(7);
  while ((s[0] == SINK_SUM4 && (!is_float || a[2] % 16)) || (s[0] == SINK_ISUM16 && is_float) ||
         ((s[0] == SINK_SUM16 || s[0] == SINK_MAX16 || s[0] == SINK_MIN16) && !is_float));
  int64_t one = s[0] == SINK_STORE ? a[2] : s[0] == SINK_SUM4 ? 16 : 1;
  s[3] = a[1] * one, s[4] = one;
  s[2] = reserve(arena, a[0] * s[3], FLOATS);
  for (int i = 0; i < a[3]; i++) { /* a register in place of an operand of the same shape */
    const int64_t *o = a + 7 + 4 * i;
    int taken = s[1] < a[3] || random_word() % 2;
    for (const int64_t *other = a + 7 + 4 * a[3] + 5 * a[4]; other < s; other += 5) taken |= other[2] == o[1];
    if (!taken && s[0] == SINK_STORE && o[0] == OPERAND_STREAM && o[2] == s[3] && o[3] == s[4]) s[2] = o[1];
  }
  return s + 5;
}

/* Fills in the arguments of a random program; returns their number. */
static int random_elementwise(Arena *arena, int64_t *a) {
  char known[MAX_OPERANDS + MAX_REGISTERS] = {0};
  int64_t *next = a + 7;
  a[0] = between(1, 3), a[1] = between(1, 3), a[3] = between(1, 6), a[4] = 0, a[5] = between(1, 4), a[6] = between(1, 6);
  a[2] = random_word() % 2 ? between(1, 80) * 16 : between(1, 700);
  for (int64_t i = 0; i < a[3]; i++) next = random_operand(arena, next, a, &known[i]);
  for (int64_t tries = between(0, 40); tries > 0; tries--)
    if (random_instruction(next, known, a[3], a[6])) next += 5, a[4]++;
  for (int64_t i = 0; i < a[5]; i++) next = random_sink(arena, next, a, known);
  return (int)(next - a);
}
#endif
