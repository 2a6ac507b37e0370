/* SPDX-License-Identifier: MIT */
/* Damaged plans and random inputs against the validator and the kernels: fuzz SECONDS SEED PLAN...
 * Each case changes some numbers of a valid plan, then creates and runs it. Built with sanitizers, which end the process
 * at the first access outside a buffer. Prints the numbers of cases refused, run and stopped at the time limit. */
#include "memory.h"
#include "program.h"
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

enum { MAX_PLANS = 64, LARGEST = 64 << 20, CASE_MS = 200 };

static uint64_t state;
static uint32_t draw(void) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(state >> 33);
}
static int64_t below(int64_t n) { return (int64_t)(((uint64_t)draw() << 31 | draw()) % (uint64_t)n); }

/* Instead of memory.c: exact in size, so that a sanitizer sees the end; all of a case is freed after it. */
static void *block[4096];
static int blocks;
void *memory_get(int64_t bytes) {
  void *memory = 0;
  if (bytes < 0 || bytes > LARGEST || blocks == 4096 || posix_memalign(&memory, 64, bytes ? (size_t)bytes : 1)) return 0;
  memset(memory, 0, (size_t)bytes);
  return block[blocks++] = memory;
}
void memory_return(void *memory, int64_t bytes) { (void)memory, (void)bytes; }
static void free_all(void) {
  while (blocks) free(block[--blocks]);
}

typedef struct {
  double *numbers;
  int64_t count;
} Seed;

static Seed read_seed(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file) exit(2);
  fseek(file, 0, SEEK_END);
  Seed s = {0, ftell(file) / 8};
  rewind(file);
  s.numbers = malloc((size_t)s.count * 8);
  if (fread(s.numbers, 8, (size_t)s.count, file) != (size_t)s.count) exit(2);
  fclose(file);
  return s;
}

static double changed(double x) {
  static const double edges[] = {0, -1, 1, 2, 15, 16, 17, 255, 2147483647, 4294967296.0, 1099511627776.0, 9007199254740991.0};
  switch (draw() % 8) {
    case 0: return x + 1;
    case 1: return x - 1;
    case 2: return x * 2;
    case 3: return (double)(int64_t)(x / 2);
    case 4: return -x;
    case 5: return x + 1099511627776.0 * (double)(below(7) - 3);
    case 6: return x + (double)(below(65) - 32) * 4;
    default: return edges[below(sizeof edges / sizeof *edges)];
  }
}

/* One plan in four is changed once, the others up to six times; the sizes of spaces now and then. */
static void damage(Seed s) {
  for (int64_t n = draw() % 4 ? 1 + below(6) : 1; n > 0; n--) {
    int64_t from = draw() % 16 ? 14 : 3, i = from + below(s.count - from);
    s.numbers[i] = draw() % 6 ? changed(s.numbers[i]) : s.numbers[from + below(s.count - from)];
  }
}

static void fill(char *memory, int64_t bytes) {
  static const uint32_t special[] = {0, 0x80000000, 0x7f800000, 0xff800000, 0x7fc00000, 1, 0x7fffffff, 0xffffffff};
  for (int64_t i = 0; i + 4 <= bytes; i += 4) {
    float number = (float)below(2000) / 500 - 2;
    uint32_t word = draw() % 8 ? 0 : special[below(8)];
    memcpy(memory + i, draw() % 8 ? (void *)&number : (void *)&word, 4);
  }
}

static sigjmp_buf stop;
static void on_alarm(int signal) {
  (void)signal;
  siglongjmp(stop, 1);
}
static void limit(int ms) {
  struct itimerval t = {{0, 0}, {ms / 1000, ms % 1000 * 1000}};
  setitimer(ITIMER_REAL, &t, 0);
}

static int64_t refused, ran, stopped;

static void run_case(Seed seed, const Isa *isa) {
  Fault fault = {0};
  char *base[SPACES] = {0}, constants[64] = {0};
  Program *p = program_create(seed.numbers, seed.count, constants, (int64_t)seed.numbers[3 + CONSTANTS] & 63, 1, isa, &fault);
  if (!p) {
    if (!fault.code[0] || !fault.text[0]) abort();
    refused++;
    return;
  }
  for (int i = PARAMS; i < SPACES; i++) {
    base[i] = memory_get(program_bytes(p, i));
    if (!base[i]) return;
    fill(base[i], program_bytes(p, i));
  }
  if (sigsetjmp(stop, 1) == 0) {
    limit(CASE_MS);
    program_run(p, base);
    ran++;
  } else stopped++;
  limit(0);
  program_destroy(p);
}

int main(int count, char **arguments) {
  if (count < 4 || count - 3 > MAX_PLANS) return 2;
  time_t end = time(0) + atoi(arguments[1]);
  state = strtoull(arguments[2], 0, 10);
  Seed seeds[MAX_PLANS];
  for (int i = 3; i < count; i++) seeds[i - 3] = read_seed(arguments[i]);
  signal(SIGALRM, on_alarm);
  while (time(0) < end) {
    Seed from = seeds[below(count - 3)], copy = {malloc((size_t)from.count * 8), from.count};
    memcpy(copy.numbers, from.numbers, (size_t)from.count * 8);
    damage(copy);
    run_case(copy, &isa_avx2);
    free(copy.numbers);
    free_all();
  }
  for (int i = 0; i < count - 3; i++) free(seeds[i].numbers);
  printf("%lld %lld %lld\n", (long long)refused, (long long)ran, (long long)stopped);
  return 0;
}
