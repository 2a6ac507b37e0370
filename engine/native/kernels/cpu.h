/* SPDX-License-Identifier: MIT */
/* Instruction sets of this build and of this CPU. */
#ifndef LOCKSTEP_CPU_H
#define LOCKSTEP_CPU_H
#include "fault.h"
#include "plan.h"

enum { MAX_ISAS = 2 };

typedef struct {
  const Isa *isa;
  const char *missing; /* 0: available; else what the CPU or the system lacks */
} IsaState;

/* Instruction sets of this build, the fastest first; gives their number. */
int cpu_isas(IsaState out[MAX_ISAS]);

/* Kernels of the named instruction set; of the fastest available one if name is 0 or empty. 0 and a failure that says
 * what is missing. */
const Isa *cpu_choose(const char *name, Fault *fault);

#endif
