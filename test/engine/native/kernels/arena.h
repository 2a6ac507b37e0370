/* SPDX-License-Identifier: MIT */
/* Two copies of an arena with the same random contents: the kernel works on one, plain scalar code on the other, and all of
 * their words must agree afterwards (NaNs count as equal). The arena ends at a page that faults. */
#ifndef LOCKSTEP_TEST_ARENA_H
#define LOCKSTEP_TEST_ARENA_H
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../../../../engine/native/kernels/plan.h"
#ifndef __wasm__
#include <sys/mman.h>
#endif

enum { ARENA_BYTES = 4 << 20, PAGE = 65536, MAX_ARGS = 2048 };

typedef enum { FLOATS, INTS, INDICES, BYTES } Contents;

static uint32_t random_state = 1;
static uint32_t random_word(void) {
  random_state ^= random_state << 13, random_state ^= random_state >> 17, random_state ^= random_state << 5;
  return random_state;
}
/* 0 <= result < n */
static int64_t below(int64_t n) { return (int64_t)(((uint64_t)random_word() * (uint64_t)n) >> 32); }
static int64_t between(int64_t low, int64_t high) { return low + below(high - low + 1); }

typedef struct {
  char *end[2], *work;
  int64_t used, buffers, start[64], words[64];
  Contents contents[64];
} Arena;

static char *pages_before_fault(int64_t bytes) {
#ifdef __wasm__
  return (char *)malloc((size_t)bytes) + bytes;
#else
  char *p = mmap(0, (size_t)bytes + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED || mprotect(p + bytes, PAGE, PROT_NONE)) exit((perror("mmap"), 2));
  return p + bytes;
#endif
}
static Arena new_arena(void) {
  Arena arena = {.work = aligned_alloc(64, WORK_BYTES)};
  for (int i = 0; i < 2; i++) arena.end[i] = pages_before_fault(ARENA_BYTES);
  return arena;
}
static void clear(Arena *arena) { arena->used = arena->buffers = 0; }

/* Address of a new buffer. */
static int64_t reserve(Arena *arena, int64_t words, Contents contents) {
  int64_t at = arena->used + below(3);
  arena->start[arena->buffers] = at, arena->words[arena->buffers] = words;
  arena->contents[arena->buffers++] = contents;
  arena->used = at + words;
  if (arena->used * 4 > ARENA_BYTES || arena->buffers > 64) exit((fprintf(stderr, "arena: too small\n"), 2));
  return at * 4;
}

static float random_float(void) {
  static const float special[] = {0.0f, -0.0f, 1.0f, -1.0f, 0.5f, 2.5f, 1e-42f, -1e-45f, 3e38f, -2147483648.0f, 2147483648.0f};
  uint32_t bits = random_word(), kind = random_word() % 64;
  float x;
  if (kind < 11) return special[kind];
  if (kind == 11) return __builtin_nanf("");
  if (kind == 12) return random_word() % 2 ? __builtin_inff() : -__builtin_inff();
  memcpy(&x, &bits, 4);
  if (kind < 16) return x;
  return ((float)(int32_t)bits * 0x1p-31f) * (kind < 40 ? 4.0f : 1000.0f);
}
static uint32_t random_int(void) {
  static const int32_t special[] = {0, 1, -1, INT32_MIN, INT32_MAX, 2, 31, 3};
  uint32_t kind = random_word() % 32;
  return kind < 8 ? (uint32_t)special[kind] : kind < 20 ? random_word() % 41 - 20 : random_word();
}
static uint32_t random_of(Contents contents) {
  float x = random_float();
  uint32_t bits;
  memcpy(&bits, &x, 4);
  return contents == FLOATS ? bits : contents == INTS ? random_int() : contents == INDICES ? random_word() % 12 - 1 : random_word();
}

/* Fills both copies; the context of copy `which` is for the kernel (0) or for scalar code (1). */
static void fill(Arena *arena) {
  for (int64_t i = 0; i < arena->used; i++) ((uint32_t *)(arena->end[0] - arena->used * 4))[i] = 0xdeadbeef;
  for (int64_t b = 0; b < arena->buffers; b++)
    for (int64_t i = 0; i < arena->words[b]; i++)
      ((uint32_t *)(arena->end[0] - arena->used * 4))[arena->start[b] + i] = random_of(arena->contents[b]);
  memcpy(arena->end[1] - arena->used * 4, arena->end[0] - arena->used * 4, (size_t)arena->used * 4);
}
static Context context_of(const Arena *arena, int which) {
  return (Context){.base = {[ARENA] = arena->end[which] - arena->used * 4}, .work = arena->work};
}

static int is_nan(uint32_t bits) { return (bits & 0x7fffffff) > 0x7f800000; }

/* Stops with both values at the first difference. */
static void compare(const Arena *arena, const char *test, int round, const int64_t *a, int count) {
  const uint32_t *found = (const uint32_t *)(arena->end[0] - arena->used * 4);
  const uint32_t *expected = (const uint32_t *)(arena->end[1] - arena->used * 4);
  for (int64_t i = 0; i < arena->used; i++) {
    if (found[i] == expected[i] || (is_nan(found[i]) && is_nan(expected[i]))) continue;
    int64_t b = arena->buffers - 1;
    while (b > 0 && arena->start[b] > i) b--;
    fprintf(stderr, "%s, round %d: buffer %lld word %lld: expected %08x, got %08x\narguments:", test, round, (long long)b,
            (long long)(i - arena->start[b]), expected[i], found[i]);
    for (int k = 0; k < count; k++) fprintf(stderr, " %lld", (long long)a[k]);
    fprintf(stderr, "\n");
    exit(1);
  }
}
static float *floats_at(const Context *c, int64_t address) { return (float *)at(c, address); }
#endif
