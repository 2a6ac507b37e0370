/** `promise`, or an error once `limitMs` have passed. */
export async function withDeadline<T>(promise: Promise<T>, limitMs: number, operation: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${operation}: expected within ${limitMs} ms, got nothing`)), limitMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
