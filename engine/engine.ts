/** TF.js Layers topology: what `tf.LayersModel.toJSON()` returns and `tf.loadLayersModel` reads (Keras 2 style). */
export type ModelTopology = Record<string, unknown>;

/** One weight of a model and its position in a flat vector. */
export interface WeightInfo {
  /** TF.js's weight name, e.g. `conv1/kernel`; unique within the model. */
  readonly name: string;
  readonly shape: readonly number[];
  /** First element in the flat vector. */
  readonly offset: number;
  readonly size: number;
}

/** A running statistic (a batch norm's moving mean or variance). */
export interface StateInfo extends WeightInfo {
  /** running = momentum · running + (1 − momentum) · batch; from the layer's config. */
  readonly momentum: number;
}

/** Layout of a model's flat vectors. `parameters` are trained; `state` holds running statistics. */
export interface ModelLayout {
  readonly parameters: readonly WeightInfo[];
  readonly parameterCount: number;
  readonly state: readonly StateInfo[];
  readonly stateCount: number;
}

/** Loss that training minimises; implemented in `losses` of `loss.ts`. */
export interface LossSpec {
  readonly type: 'softmaxCrossEntropy';
  /** Share of each target distribution that is spread evenly over the classes, in [0, 1). */
  readonly labelSmoothing: number;
}

/** Dropout mask: random factors that a training program takes as an input, one mask per call of a dropout layer. */
export interface MaskInfo {
  /** The layer's name; with `#2`, `#3` … for further calls of the same layer. Unique within the program. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly size: number;
  /** Share of factors that are 0, in (0, 1); the others are 1 / (1 − rate). */
  readonly rate: number;
}

/** Specification of a program: one model, one batch size, one mode. */
export interface ProgramSpec {
  readonly topology: ModelTopology;
  /** `[H, W, C]` of the u8 images. */
  readonly imageShape: readonly [number, number, number];
  readonly classes: number;
  /** Normalisation of pixels, `(x / 255 - mean) / deviation`, per channel. */
  readonly normalise: { readonly mean: readonly number[]; readonly deviation: readonly number[] };
  /** Samples per run; fixed. */
  readonly batch: number;
  readonly mode: 'train' | 'evaluate';
  /** Training only; default: softmax cross-entropy without label smoothing. */
  readonly loss?: LossSpec;
}

/** Inputs of one run. Borrowed for its duration; in ArrayBuffers, because engines don't accept shared memory. */
export interface ProgramInput {
  /** `[parameterCount]` */
  readonly params: Float32Array;
  /** `[stateCount]`; read in evaluation only. */
  readonly state: Float32Array;
  /** u8 `[batch, H, W, C]` */
  readonly images: Uint8Array;
  /** `[batch]`, each 0 to classes − 1; not read in evaluation. */
  readonly labels: Int32Array;
  /** Values of a training program's `masks`, in their order. */
  readonly masks?: readonly Float32Array[];
}

/** Sums over the samples of one run of a training program. The arrays belong to the caller. */
export interface TrainResult {
  /** Gradient of the summed (not averaged) loss, `[parameterCount]`. */
  readonly gradient: Float32Array;
  /** Batch mean for each moving mean and biased batch variance for each moving variance, `[stateCount]`. */
  readonly statistics: Float32Array;
  readonly lossSum: number;
  readonly correct: number;
}

export interface EvaluateResult {
  /** Log-softmax rows `[batch, classes]`; belongs to the caller. */
  readonly logProbabilities: Float32Array;
}

export interface TrainProgram {
  readonly mode: 'train';
  readonly batch: number;
  readonly masks: readonly MaskInfo[];
  /** Text for users: operators on the GPU and on the CPU, or the reason for not using the GPU. Absent without a GPU. */
  readonly placement?: string;
  run(input: ProgramInput): Promise<TrainResult>;
  /** Finishes the requested runs and rejects later ones. Idempotent. */
  dispose(): Promise<void>;
}

export interface EvaluateProgram {
  readonly mode: 'evaluate';
  readonly batch: number;
  run(input: ProgramInput): Promise<EvaluateResult>;
  /** As `TrainProgram.dispose`. */
  dispose(): Promise<void>;
}

/** Implementation and device of an engine; shown in the status and saved in `run.json`. */
export interface EngineInfo {
  /** `native`, `onnx` or `tensorflow` */
  readonly name: string;
  /** e.g. `arithmetic 1` or `onnxruntime-node 1.30.0` */
  readonly version: string;
  /** `cpu`, `cuda`, `cuda tf32` or `webgpu` */
  readonly device: string;
  /** Lowering of operations: `kernel plan`, `im2col` or `portable`; `eager` if they run one by one. */
  readonly lowering: string;
  /** Threads at the start; see `Engine.setThreads`. */
  readonly threads: number;
  /**
   * Version of Lockstep's arithmetic (docs/arithmetic.md), which alone determines the bits: neither device nor target nor
   * threads change them. Absent in engines with the arithmetic of another library.
   */
  readonly arithmetic?: number;
  /** Native engine: instruction set in use, such as `avx512` or `wasm`, and the reason for it in words. */
  readonly target?: string;
  readonly reason?: string;
}

/** Instruction sets of the native engine, fastest first on each platform. */
export const instructionSets = ['avx512', 'avx2', 'neon', 'wasm'] as const;
export type InstructionSet = (typeof instructionSets)[number];

/** Interface through which workers compute. `run` may block the calling thread, so run an engine in its own thread. */
export interface Engine {
  readonly info: EngineInfo;
  compileTrain(spec: ProgramSpec & { mode: 'train' }): Promise<TrainProgram>;
  compileEvaluate(spec: ProgramSpec & { mode: 'evaluate' }): Promise<EvaluateProgram>;
  /** Sets the number of threads of later runs, at least 1. Absent if it could change bits. */
  setThreads?(threads: number): void;
}
