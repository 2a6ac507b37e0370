/** TF.js Layers topology: what `tf.LayersModel.toJSON()` returns and `tf.loadLayersModel` reads (Keras 2 style). */
export type ModelTopology = Record<string, unknown>;

/** One weight of a model, at its place in a flat vector. */
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

/** What a step minimises; `losses` in `loss.ts` says how. */
export interface LossSpec {
  readonly type: 'softmaxCrossEntropy';
  /** Share of each expected distribution that is spread evenly over the classes, in [0, 1). */
  readonly labelSmoothing: number;
}

/** Random factors that a training program takes as an input: one dropout layer's of one run. */
export interface MaskInfo {
  /** The layer's name; with `#2`, `#3` … for further calls of the same layer. Unique within the program. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly size: number;
  /** Share of the factors that are 0; the others are 1 / (1 − rate). In (0, 1). */
  readonly rate: number;
}

/** What to compile: one program serves one model, one batch size and one mode. */
export interface ProgramSpec {
  readonly topology: ModelTopology;
  /** `[H, W, C]` of the u8 images. */
  readonly imageShape: readonly [number, number, number];
  readonly classes: number;
  /** Pixels enter the model as `(x / 255 - mean) / deviation`, per channel. */
  readonly normalise: { readonly mean: readonly number[]; readonly deviation: readonly number[] };
  /** Samples per run; fixed. */
  readonly batch: number;
  readonly mode: 'train' | 'evaluate';
  /** Training only; default: softmax cross-entropy without label smoothing. */
  readonly loss?: LossSpec;
}

/** Inputs of one run. Borrowed for the run's duration; plain ArrayBuffers (ONNX Runtime takes no shared memory). */
export interface ProgramInput {
  /** `[parameterCount]` */
  readonly params: Float32Array;
  /** `[stateCount]`; read in evaluation only. */
  readonly state: Float32Array;
  /** u8 `[batch, H, W, C]` */
  readonly images: Uint8Array;
  /** `[batch]`, each 0 to classes − 1; not read in evaluation. */
  readonly labels: Int32Array;
  /** One vector for each of a training program's `masks`, in their order. */
  readonly masks?: readonly Float32Array[];
}

/** Sums over the samples of one run of a training program. The arrays belong to the caller. */
export interface TrainResult {
  /** Gradient of the summed (not averaged) loss, `[parameterCount]`. */
  readonly gradient: Float32Array;
  /** Batch mean in the place of each moving mean, biased batch variance in that of each moving variance, `[stateCount]`. */
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
  /** For people: how much of it runs on a GPU, and what does not, or why none of it does. Absent where there is none. */
  readonly placement?: string;
  run(input: ProgramInput): Promise<TrainResult>;
  /**
   * The same program with two threads, for when another core has nothing to do; whoever wants equal bits tries it.
   * Absent where an engine has one number of threads for all programs.
   */
  widened?(): Promise<TrainProgram>;
  /** Finishes the runs that were asked for; later ones are refused. To do so again does nothing. */
  dispose(): Promise<void>;
}

export interface EvaluateProgram {
  readonly mode: 'evaluate';
  readonly batch: number;
  run(input: ProgramInput): Promise<EvaluateResult>;
  /** As a training program's. */
  dispose(): Promise<void>;
}

/** Where and with what an engine computes; shown in status, kept in `run.json`. */
export interface EngineInfo {
  /** `onnx` or `tensorflow` */
  readonly name: string;
  /** e.g. `onnxruntime-node 1.30.0` */
  readonly version: string;
  /** `cpu`, `cuda`, `cuda tf32` or `webgpu` */
  readonly device: string;
  /** Formulation of the ops: `nchwc16` and the like, `im2col` or `portable`; `eager` where each runs by itself. */
  readonly lowering: string;
  readonly threads: number;
}

/** The one interface through which a worker computes. `run` may block the calling thread: give an engine its own. */
export interface Engine {
  readonly info: EngineInfo;
  compileTrain(spec: ProgramSpec & { mode: 'train' }): Promise<TrainProgram>;
  compileEvaluate(spec: ProgramSpec & { mode: 'evaluate' }): Promise<EvaluateProgram>;
}
