/** The fields of `engine` that depend on each other. */
interface EngineFields {
  readonly name: string;
  readonly lowering: string;
  readonly device: string;
  readonly precision: string;
}

export interface EngineProblem {
  readonly field: keyof EngineFields;
  readonly message: string;
}

/** Combinations of engine fields that aren't supported. */
export function engineProblems({ name, lowering, device, precision }: EngineFields): EngineProblem[] {
  const problems: EngineProblem[] = [];
  const expect = (field: keyof EngineFields, expected: string, other: string, got: string) =>
    problems.push({ field, message: `expected ${expected} with ${other}, got ${got}` });
  if (name === 'tensorflow') {
    if (lowering !== 'auto') expect('lowering', 'auto', 'engine.name: tensorflow', lowering);
    if (device !== 'auto') expect('device', 'auto', 'engine.name: tensorflow, whose package chooses it', device);
    if (precision !== 'float32') expect('precision', 'float32', 'engine.name: tensorflow', precision);
    return problems;
  }
  const isCuda = device === 'cuda' || device.startsWith('cuda:');
  if (precision === 'tf32' && !isCuda) expect('precision', 'float32', `engine.device: ${device}`, precision);
  if (lowering === 'nchwc' && device !== 'auto' && device !== 'cpu') {
    expect('lowering', 'auto, im2col or portable', `engine.device: ${device}`, lowering);
  }
  return problems;
}
