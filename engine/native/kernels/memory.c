/* SPDX-License-Identifier: MIT */
#include "memory.h"
#include <stddef.h>

#if defined(__wasm__)

enum { PAGE = 65536 };
extern unsigned char __heap_base;
static uint64_t top; /* first free byte */

void *memory_get(int64_t bytes) {
  uint64_t start = ((top ? top : (uintptr_t)&__heap_base) + 63) & ~63ull, have = (uint64_t)__builtin_wasm_memory_size(0) * PAGE;
  if (bytes < 0 || (uint64_t)bytes > (1ull << 32) - start) return 0;
  uint64_t end = start + (uint64_t)bytes;
  if (end > have && __builtin_wasm_memory_grow(0, (size_t)((end - have + PAGE - 1) / PAGE)) == (size_t)-1) return 0;
  top = end;
  return (void *)(uintptr_t)start;
}

void memory_return(void *memory, int64_t bytes) { (void)memory, (void)bytes; }

#elif defined(_WIN32)

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

void *memory_get(int64_t bytes) {
  if (bytes < 0) return 0;
  return VirtualAlloc(0, bytes ? (SIZE_T)bytes : 1, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
}

void memory_return(void *memory, int64_t bytes) {
  (void)bytes;
  if (memory) VirtualFree(memory, 0, MEM_RELEASE);
}

#else

#include <sys/mman.h>

enum { HUGE_PAGE = 2 << 20, SMALL_PAGE = 65536 };

/* Length of a mapping; the page size of any system divides it. */
static size_t mapped(int64_t bytes) {
  size_t page = bytes >= HUGE_PAGE ? HUGE_PAGE : SMALL_PAGE;
  return ((size_t)bytes + page - 1 + !bytes) / page * page;
}

static void *map(size_t length) {
  void *memory = mmap(0, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? 0 : memory;
}

/* A mapping that begins with a huge page: what is too much before and after it is unmapped. */
static void *map_huge(size_t length) {
  char *memory = map(length + HUGE_PAGE);
  if (!memory) return 0;
  size_t before = (HUGE_PAGE - (uintptr_t)memory % HUGE_PAGE) % HUGE_PAGE;
  if (before) munmap(memory, before);
  munmap(memory + before + length, HUGE_PAGE - before);
#if defined(MADV_HUGEPAGE)
  madvise(memory + before, length, MADV_HUGEPAGE); /* advice: a system without huge pages ignores it */
#endif
  return memory + before;
}

void *memory_get(int64_t bytes) {
  if (bytes < 0 || bytes > INT64_MAX / 4) return 0;
  return bytes >= HUGE_PAGE ? map_huge(mapped(bytes)) : map(mapped(bytes));
}

void memory_return(void *memory, int64_t bytes) {
  if (memory) munmap(memory, mapped(bytes));
}

#endif
