/** The fields of `engine` that depend on each other. */
interface EngineFields {
  readonly name: 'native' | 'onnx' | 'tensorflow';
  readonly threads: number;
  readonly lowering: string;
  readonly device: string;
  readonly precision: string;
}

export interface EngineProblem {
  readonly field: keyof EngineFields;
  readonly message: string;
}

/** A rejected value of a field, and what to write instead. */
type Check = (engine: EngineFields) => EngineProblem | undefined;

const onlyAuto = (name: string): Check[] => [
  ({ lowering }) => (lowering === 'auto' ? undefined : problem('lowering', 'auto', name, lowering)),
  ({ precision }) => (precision === 'float32' ? undefined : problem('precision', 'float32', name, precision)),
];

const checks: Readonly<Record<EngineFields['name'], readonly Check[]>> = {
  native: [
    ...onlyAuto('native, the default'),
    ({ device }) =>
      !/^(cuda|webgpu)/.test(device)
        ? undefined
        : problem('device', 'auto or cpu', 'native, the default', `${device}; set engine.name: onnx for GPUs`),
  ],
  onnx: [
    ({ device }) =>
      device === 'cpu'
        ? problem('device', 'auto, cuda, cuda:N or webgpu', 'onnx', 'cpu; remove engine.name to compute on CPUs')
        : undefined,
    ({ threads }) => (threads === 1 ? undefined : problem('threads', '1', 'onnx, as a GPU computes', `${threads}`)),
    ({ precision, device }) =>
      precision === 'tf32' && device === 'webgpu'
        ? { field: 'precision', message: 'expected float32 with engine.device: webgpu, got tf32' }
        : undefined,
  ],
  tensorflow: [
    ...onlyAuto('tensorflow'),
    ({ device }) =>
      device === 'auto' ? undefined : problem('device', 'auto', 'tensorflow, whose package chooses it', device),
    ({ threads }) => (threads <= 2 ? undefined : problem('threads', '1 or 2', 'tensorflow', `${threads}`)),
  ],
};

/** Combinations of engine fields that aren't supported. */
export function engineProblems(engine: EngineFields): EngineProblem[] {
  return checks[engine.name].flatMap((check) => check(engine) ?? []);
}

function problem(field: keyof EngineFields, expected: string, name: string, got: string): EngineProblem {
  return { field, message: `expected ${expected} with engine.name: ${name}, got ${got}` };
}
