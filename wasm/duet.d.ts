// The types of duet.js, the engine of the tab as an ES module:
//
//   import duet from './duet.js';
//   await duet.ready;
//   const answer = await duet.classify(blob, 'what is this?');
//
// duet.html is the same with examples. All computing happens on this machine,
// in a worker; nothing is sent anywhere.

/** What a call can fail with, by the code of its {@link DuetError}. */
export type DuetErrorCode =
  | 'insecure' // the page is neither on HTTPS nor on localhost
  | 'no-webgpu' // the browser has no WebGPU
  | 'no-adapter' // there is no graphics adapter to use
  | 'limit' // the adapter is too small
  | 'device' // the adapter could not be opened
  | 'lost' // the adapter went away
  | 'not-a-picture'
  | 'not-a-model'
  | 'no-model' // there is no model: train one or load one
  | 'no-job' // there is no training of that name
  | 'files' // these files make no collection
  | 'options' // these options do not exist or do not go together
  | 'busy' // a training is under way
  | 'stopped' // the training was stopped before anything was learnt
  | 'cancelled' // its signal was aborted
  | 'failed'
  | 'internal';

/** What every call rejects with: the message says what is wrong. */
export class DuetError extends Error {
  code: DuetErrorCode;
  reason: DuetReason;
  names: string[]; // that the reason concerns, such as that of a file
}

/** Why a call failed, where that is common: for words of one's own. */
export type DuetReason =
  | '' // see the message
  | 'no-adapter'
  | 'lost'
  | 'memory' // the adapter has too little
  | 'no-pictures'
  | 'picture' // it cannot be read
  | 'table' // it cannot be read
  | 'no-rows' // nothing of the collection can be used
  | 'few-classes' // fewer than two
  | 'model' // it cannot be used
  | 'state' // the saved state is damaged, or of another training
  | 'elsewhere' // another window trains it
  | 'disk-full' // or the browser gives no more room
  | 'not-found'
  | 'not-permitted'
  | 'offline'
  | 'foreign-picture' // its format is not read
  | 'large-picture' // it has too many pixels
  | 'empty-folder'
  | 'no-collection' // there is nothing to train on
  | 'many-tables' // and none is named
  | 'few-pictures' // none can be held back
  | 'ended'; // the engine came to an end

/** Files with the paths that they have in a collection. */
export type Files =
  | Blob // a zip, a tar or a table
  | Iterable<File | { path: string; blob: Blob }> // such as a dropped folder's, see dropped
  | Record<string, Blob>; // by path: {'train/cat/1.png': blob, …}

/** What the engine runs on, and its model. */
export interface Info {
  adapter: string;
  class: 'discrete GPU' | 'integrated GPU' | 'software (CPU)' | 'unknown';
  vendor: string;
  limits: Record<string, number>;
  /** Bytes that the engine holds on the adapter. */
  gpu_bytes: number;
  /** What the engine's heap has taken at most; a WebAssembly memory never shrinks. */
  heap_bytes: number;
  model: Model | null;
}

export interface Model {
  name: string;
  parameters: number;
  fusion: string;
  /** Pictures are scaled to this side, in pixels. */
  image_size: number;
  classes: string[];
  /** The model card, Markdown. */
  card?: string;
}

export type Inputs = 'both' | 'image' | 'text';

export interface Answer {
  file: string;
  caption: string;
  /** The classes, likeliest first. */
  top: { label: string; p: number }[];
  /** False where the best probability is below what the model counts as sure, or the model is not trained. */
  sure: boolean;
  /** True where the model is not trained yet: its answers mean nothing. */
  untrained?: true;
  adapter: string;
}

/** How a collection is read, as duet train's flags. */
export interface DataOptions {
  /** Of the collection, for the model's card. */
  name?: string;
  /** Which folder of a path is the class, from 1; 0: found by itself. */
  classLevel?: number;
  labelColumn?: string;
  textColumn?: string;
  /** Larger pictures are left out. */
  maxPixels?: number;
  /** Ends the call early. A training that is ended so is one that was interrupted. */
  signal?: AbortSignal;
}

/** How to train, as duet train's flags; everything has a default. */
export interface TrainOptions extends DataOptions {
  /** What to start from: the default model, random weights, or the model in use. */
  init?: 'default' | 'none' | 'current';
  /** Names of fetched towers to start from, instead of a model. */
  towers?: { vision?: string; text?: string };
  /** A configuration's name, or one itself (config.json of a model). */
  config?: string | object;
  fusion?: string;
  inputs?: Inputs;
  epochs?: number;
  batch?: number;
  lr?: number;
  imageSize?: number;
  /** How much is trained: all; the last parts of the towers and what follows them; a LoRA and that; or only what follows them. */
  tune?: 'all' | 'last' | 'lora' | 'head';
  /** Rank of a LoRA, of tune 'lora'; 8 by default. */
  loraRank?: number;
  /** Further parts that are not trained, such as 'visual'. */
  freeze?: string[];
  seed?: number;
  maxSteps?: number;
  /** Gives the model as a Blob in the result, instead of taking it into use. */
  give?: boolean;
  /** How often a training with a job is saved, in seconds: 30. */
  saveEvery?: number;
  /** A name that makes the training one that can be gone on with, see {@link Duet.resume}. */
  job?: string;
  /** Plain data that is kept with the job. */
  note?: unknown;
}

/** A training with a job that runs nowhere: one that was interrupted or, done, one whose model was given. */
export interface Job {
  id: string;
  note: unknown;
  /** When it began. */
  made: string;
  step: number;
  done: boolean;
}

export interface Skip {
  file: string;
  line?: number;
  reason: string;
  rows: number;
}

/** What a collection was understood as. */
export interface Report {
  path: string;
  convention: string;
  classes_from: string;
  captions_from: string;
  splits_from: string;
  examples: number;
  pictures: number;
  captions: number;
  classes: string[];
  splits: { split: string; examples: number; pictures: number; captions: number; per_class: number[] }[];
  skipped_rows: number;
  skipped_pictures: number;
  skipped: Skip[];
  notes: string[];
}

/** The end of a training; steps done, and the best share of right answers on what was held back. */
export interface Trained {
  event: 'done';
  step: number;
  model: string;
  val_top1: number;
  stopped?: boolean;
  /** With give: a zip of the model. */
  blob?: Blob;
}

/** What a training tells while it runs. */
export type TrainEvent =
  | { event: 'collection'; report: Report }
  /** What the training will take: bytes of the device's memory at most, of the device_bytes that it has where that is known. */
  | { event: 'plan'; steps: number; bytes: number; device_bytes?: number; parameters: number; trained: number }
  | { event: 'features'; done: number; total: number }
  | { event: 'unkept'; message: string }
  | { event: 'step'; epoch: number; epochs: number; step: number; steps: number; loss: number; lr: number; examples_per_s: number }
  | { event: 'epoch'; epoch: number; epochs: number; step: number; steps: number; train_loss: number; val_loss: number; val_top1: number; seconds: number }
  | Trained;

export interface EvaluateOptions extends DataOptions {
  /** Which examples; by default those that training held back. */
  split?: 'auto' | 'val' | 'train' | 'all';
  inputs?: Inputs;
  /** Measures also with each side hidden or exchanged. */
  ablate?: boolean;
  batch?: number;
  /** Gives every example with its answer. */
  cells?: boolean;
  /** Measures this model, a zip, instead of the one in use. */
  model?: Blob;
}

export interface Measured {
  n: number;
  top1: number;
  top5: number;
  macro_f1: number;
  loss: number;
  classes: { label: string; n: number; precision: number; recall: number; f1: number }[];
  /** By true class, then answer. */
  confusion: number[][];
  skipped?: Skip[];
}

export interface Evaluation extends Measured {
  on: string;
  ablate?: Record<string, Measured>;
  cells?: { truth: number; answer: number; file: string; caption: string }[];
}

export interface Duet {
  /** Resolves when the engine has started; every call waits for it. */
  readonly ready: Promise<Info>;
  /** Starts the engine again where it could not. */
  start(): Promise<Info>;
  /** What the engine runs on, and its model. */
  info(): Promise<Info>;
  /** Classifies a picture with its words. */
  classify(picture: Blob, caption?: string, options?: { top?: number; inputs?: Inputs; maxPixels?: number; signal?: AbortSignal }): Promise<Answer>;
  /** Trains a model and takes the best one into use. */
  train(files: Files, options?: TrainOptions, onEvent?: (event: TrainEvent) => void): Promise<Trained>;
  /** Ends the training under way and keeps what it has learnt; false where there is none. */
  stop(): Promise<boolean>;
  /** The trainings with a job that run nowhere. */
  jobs(): Promise<Job[]>;
  /** Goes on with one, to the losses of an undisturbed training. */
  resume(id: string, onEvent?: (event: TrainEvent) => void, options?: { give?: boolean; signal?: AbortSignal }): Promise<Trained>;
  /** Removes one and all that was kept of it; with keepFiles its files can be read until the page is left. */
  discard(id: string, options?: { keepFiles?: boolean }): Promise<void>;
  /** Measures a model on a collection. */
  evaluate(files: Files, options?: EvaluateOptions, onEvent?: (event: TrainEvent) => void): Promise<Evaluation>;
  /** What training would understand of files. */
  check(files: Files, options?: DataOptions): Promise<Report>;
  /** What a training with the same options would take: bytes on the adapter, steps, and seconds. */
  estimate(files: Files, options?: TrainOptions): Promise<{ bytes: number; device_bytes?: number; parameters: number; trained: number; steps: number; seconds?: number }>;
  /** Draws shapes with questions, as files to train on. */
  sample(options?: { n?: number; seed?: number; task?: string; size?: number }): Promise<{ path: string; blob: Blob }[]>;
  /** Takes a model into use: a zip of its folder, or 'default'. */
  load(model: Blob | 'default', options?: { weights?: 'f32' | 'f16' | 'int8' }): Promise<Info>;
  /** What a model is, without taking it into use. */
  inspect(model: Blob): Promise<Model>;
  /** The model in use, the default one or that of a zip: as a zip of its folder (hf), or for other programs. */
  export(model?: 'default' | Blob, format?: 'hf' | 'onnx' | 'safetensors'): Promise<Blob>;
}

declare const duet: Duet;
export default duet;

/** Lists the files of a drop, folders included. Call it in the drop event itself. */
export function dropped(transfer: DataTransfer): Promise<{ path: string; blob: Blob }[]>;

declare global {
  interface Window {
    duet: Duet;
  }
  interface WindowEventMap {
    /** Bytes of the engine that have arrived. */
    'duet-loading': CustomEvent<number>;
  }
}
