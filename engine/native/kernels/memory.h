/* SPDX-License-Identifier: MIT */
/* Memory of programs. */
#ifndef LOCKSTEP_MEMORY_H
#define LOCKSTEP_MEMORY_H
#include <stdint.h>

/* Zeroed bytes, aligned to 64; large ones in huge pages where the system gives them. 0 if there is no memory. */
void *memory_get(int64_t bytes);

/* Returns what memory_get gave for the same number of bytes; 0 is ignored. In WebAssembly memory is returned only with
 * its instance. */
void memory_return(void *memory, int64_t bytes);

#endif
