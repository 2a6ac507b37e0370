/* SPDX-License-Identifier: MIT */
#include "cpu.h"

#if defined(__x86_64__)
#include <cpuid.h>

typedef struct {
  const char *name;
  unsigned bit;
} Feature;

/* cpuid's registers: leaf 1 ecx, leaf 7 ebx, leaf 0x80000001 ecx. The kernels are compiled for x86-64-v3 and v4. */
static const Feature basic[] = {{"FMA (fused multiply-add)", 12}, {"AVX", 28}, {"MOVBE", 22}, {"F16C", 29}, {0, 0}};
static const Feature extended[] = {{"AVX2", 5}, {"BMI1", 3}, {"BMI2", 8}, {0, 0}};
static const Feature amd[] = {{"LZCNT", 5}, {0, 0}};
static const Feature wide[] = {{"AVX512F", 16}, {"AVX512DQ", 17}, {"AVX512CD", 28}, {"AVX512BW", 30}, {"AVX512VL", 31}, {0, 0}};

static const char *lacking(const Feature *f, unsigned bits) {
  for (; f->name; f++)
    if (!(bits >> f->bit & 1)) return f->name;
  return 0;
}

/* Register files that the operating system saves; 0 if it doesn't say. */
static unsigned saved(unsigned leaf1) {
  unsigned low, high;
  if (!(leaf1 >> 27 & 1)) return 0;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

static const char *missing_avx2(unsigned c1, unsigned b7) {
  unsigned a, b, c = 0, d;
  const char *name = lacking(basic, c1);
  if (!name) name = lacking(extended, b7);
  __get_cpuid(0x80000001, &a, &b, &c, &d);
  if (!name) name = lacking(amd, c);
  if (!name && (saved(c1) & 6) != 6) name = "the operating system's support of AVX registers";
  return name;
}

static const char *missing_avx512(unsigned c1, unsigned b7) {
  const char *name = missing_avx2(c1, b7);
  if (!name) name = lacking(wide, b7);
  if (!name && (saved(c1) & 0xe6) != 0xe6) name = "the operating system's support of AVX-512 registers";
  return name;
}

int cpu_isas(IsaState out[MAX_ISAS]) {
  unsigned a, b, c, d, c1 = 0, b7 = 0;
  if (__get_cpuid(1, &a, &b, &c, &d)) c1 = c;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) b7 = b;
  out[0] = (IsaState){&isa_avx512, missing_avx512(c1, b7)};
  out[1] = (IsaState){&isa_avx2, missing_avx2(c1, b7)};
  return 2;
}

#elif defined(__aarch64__)
/* Every 64-bit Arm CPU has NEON with fused multiply-add. */
int cpu_isas(IsaState out[MAX_ISAS]) {
  out[0] = (IsaState){&isa_neon, 0};
  return 1;
}
#else
/* A runtime without relaxed SIMD doesn't compile the module; the self-test finds one that doesn't fuse. */
int cpu_isas(IsaState out[MAX_ISAS]) {
  out[0] = (IsaState){&isa_wasm, 0};
  return 1;
}
#endif

static bool same(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return *a == *b;
}

const Isa *cpu_choose(const char *name, Fault *fault) {
  IsaState all[MAX_ISAS];
  int n = cpu_isas(all);
  bool any = !name || !*name;
  for (int i = 0; i < n; i++) {
    if (any ? all[i].missing != 0 : !same(name, all[i].isa->name)) continue;
    if (!all[i].missing) return all[i].isa;
    fail(fault, "UNSUPPORTED_CPU", "create program: expected a CPU with %s for %s, got one without; choose another instruction set",
         all[i].missing, name);
    return 0;
  }
  if (any) fail(fault, "UNSUPPORTED_CPU", "create program: expected a CPU with %s, got one without; use another computer", all[n - 1].missing);
  else fail(fault, "UNSUPPORTED_CPU", "create program: expected an instruction set of this build, got %s; see isas()", name);
  return 0;
}
