// window.duet: classify pictures with words and train models in this tab. All
// computing happens on this machine, in a worker; nothing is sent anywhere.
//
//   await duet.ready                        the engine has started; resolves with info()
//   await duet.start()                      starts it again where it could not; as ready
//   await duet.info()                       {adapter, class, vendor, limits, gpu_bytes, heap_bytes,
//                                            model: {name, parameters, fusion, image_size, classes} or null}
//   await duet.classify(blob, caption, {top: 5, inputs: 'both'|'image'|'text'})
//                                           {file, caption, top: [{label, p}], sure, adapter}
//   await duet.train(files, options, onEvent)
//     files     Files (a dropped folder's, with their relative paths), or
//               {'train/cat/1.png': blob, ...}; or one zip, tar or table
//     options   as the flags of duet train: init ('default', 'current' or 'none'),
//               or towers {vision, text}: names of towers that the tab has fetched,
//               config, fusion, inputs, epochs, batch, lr, imageSize, tune ('all',
//               'last', 'lora' or 'head'), loraRank, freeze, seed, maxSteps, saveEvery (seconds), classLevel,
//               labelColumn, textColumn, maxPixels, name; and job, note, give: see below
//     onEvent   told {event: 'collection', report}, {event: 'plan', steps, bytes, device_bytes,
//               parameters, trained}, for tune 'head' some {event: 'features', done, total}, then many
//               {event: 'step', epoch, epochs, step, steps, loss, lr, examples_per_s},
//               {event: 'epoch', epoch, step, steps, train_loss, val_loss, val_top1}
//               and {event: 'done', step, val_top1, stopped}, which train resolves
//               with; the best model is then the tab's model, or with the option
//               give: true in the result as blob
//     job       a name of your choice makes the training one that can be gone on
//               with: its files, or how they were drawn, and where it stands are kept in
//               this origin's private files. Where there is no room, onEvent is told
//               {event: 'unkept', message} and the training is like any other. When its
//               worker ends or the adapter is lost it goes on by itself, up to three
//               times. note, plain data, is kept with it
//   await duet.stop()                       ends a training and keeps what it has learnt;
//                                           false where none was under way
//   await duet.jobs()                       [{id, note, made, step, done}] of the trainings with a job
//                                           that run nowhere: interrupted ones, and ended ones (done)
//   await duet.resume(id, onEvent, {give, signal})
//                                           goes on with one to the undisturbed one's losses; resolves
//                                           as train, with its files
//   await duet.discard(id, {keepFiles})     removes one and all that was kept of it; with keepFiles
//                                           its files can be read until this page is left. Do so, too,
//                                           when train or resume has given its model and that is stored
//   await duet.evaluate(files, {split, inputs, ablate, batch, cells}, onEvent)
//                                           as duet evaluate --json; with cells also
//                                           [{truth, answer, file, caption}] of every example;
//                                           with model, a Blob, that one instead of the tab's
//   await duet.check(files, options)        what training would make of them: duet check's report
//   await duet.estimate(files, options)     {bytes, device_bytes, parameters, trained, steps, seconds} of a
//                                           training with the same options
//   await duet.sample({n, seed, task, size})
//                                           draws shapes with questions; gives files for train
//   await duet.load(blob, {weights})        takes a model, a zip of its folder, or 'default'; as info().
//                                           weights 'f16' or 'int8': the towers' lie on the adapter so
//   await duet.inspect(blob)                what a model is, without taking it: as info().model
//   await duet.export(model, format)        a model as a Blob: of a zip, or with 'onnx' or 'safetensors' of
//                                           such a file; model is 'default', a Blob of a zip, or the tab's
//
// Where options are taken, signal, an AbortSignal, ends a call early. A training
// that is ended so is one that was interrupted.
//
// Failures reject with a DuetError: message says what is wrong, code is one of
// insecure, no-webgpu, no-adapter, limit, device, lost (the adapter);
// not-a-picture, not-a-model, no-model, no-job, files, options, busy, stopped,
// cancelled; failed and internal. An engine that ended, or lost its adapter, is
// started again, with the same model, by the next call. While the engine loads,
// window gets 'duet-loading' events whose detail is the number of bytes that have
// arrived.

import { jobs } from './jobs.js';

export class DuetError extends Error {
  constructor({ code, message, reason = '', names = [] }) {
    super(message);
    this.name = 'DuetError';
    this.code = code;
    this.reason = reason;
    this.names = names;
  }
}

let model = null; // {blob, name} that the tab uses; null: the default one
let worked = false; // an engine has come to its start in this page

// An Engine is a worker, from its start to its end.
class Engine {
  gone = null; // why it is no more
  started = false;
  #last = 0;
  #pending = new Map(); // by id: {resolve, reject, onEvent}
  #given = { given: 0, list: [] }; // the files that it was told of last

  constructor() {
    this.ready = new Promise((resolve, reject) => {
      this.fail = reject;
      if (!window.isSecureContext) {
        this.end({ code: 'insecure', message: 'browsers offer WebGPU only over HTTPS or on localhost' });
      } else if (!navigator.gpu) {
        this.end({ code: 'no-webgpu', message: 'this browser does not offer WebGPU' });
      } else {
        this.#begin(resolve);
      }
    });
    this.ready.catch(() => {}); // each use says why
  }

  #begin(resolve) {
    const url = new URL('worker.js', import.meta.url);
    // ?limits=default opens the adapter as if it offered no more than WebGPU promises.
    // The worker's name tells it so: its address would be sent to the server.
    const limits = new URLSearchParams(globalThis.location?.search).get('limits') === 'default' ? ' limits=default' : '';
    this.worker = new Worker(url, { name: `duet-worker-${crypto.randomUUID()}${limits}` });
    this.worker.onerror = (event) => this.end({ code: 'internal', reason: 'ended', message: event.message || 'the worker could not be loaded' });
    this.worker.onmessage = ({ data }) => {
      if (data.started) this.#open().then(resolve, (error) => this.end(error));
      else if (data.meter) window.dispatchEvent(new CustomEvent('duet-meter', { detail: data.meter }));
      else if (data.loaded) window.dispatchEvent(new CustomEvent('duet-loading', { detail: data.loaded }));
      else if (data.ended) this.end({ code: 'internal', reason: 'ended', message: data.ended });
      else if (data.lock) this.#watch(data.lock);
      else this.#receive(data);
    };
  }

  // watch waits for the lock that the worker holds while it lives: one that was
  // killed says nothing.
  #watch(lock) {
    navigator.locks.request(lock, () => this.end({ code: 'internal', reason: 'ended', message: 'the engine’s worker was ended' }));
  }

  async #open() {
    let info = await this.call('info', []);
    if (model) {
      try {
        info = await this.call('load', [model.blob, model.options]);
      } catch (error) {
        if (this.gone !== error) model = null; // the next start is without it
        throw error;
      }
    }
    this.started = true;
    worked = true;
    return info;
  }

  end(why) {
    if (this.gone) return;
    this.gone = why instanceof DuetError ? why : new DuetError(why);
    this.worker?.terminate();
    for (const { reject } of this.#pending.values()) reject(this.gone);
    this.#pending.clear();
    this.fail(this.gone);
  }

  // call asks the worker; args are made by a function where they hold files.
  call(method, args, { onEvent, signal } = {}) {
    if (this.gone) return Promise.reject(this.gone);
    if (signal?.aborted) return Promise.reject(new DuetError({ code: 'cancelled', message: 'it was cancelled' }));
    const id = ++this.#last;
    const cancel = () => { if (!this.gone) this.worker.postMessage({ cancel: id }); };
    signal?.addEventListener('abort', cancel);
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject, onEvent });
      try {
        this.worker.postMessage({ id, method, args: typeof args === 'function' ? args(this) : args });
      } catch (error) { // an argument that cannot be sent, such as a function
        this.#pending.delete(id);
        this.#given.list = []; // nor was what stood beside it
        reject(new DuetError({ code: 'options', message: `${method}: ${error.message}` }));
      }
    }).finally(() => signal?.removeEventListener('abort', cancel));
  }

  #receive({ id, event, error, result }) {
    const waiting = this.#pending.get(id);
    if (!waiting) return;
    if (event !== undefined) {
      waiting.onEvent?.(event);
      return;
    }
    if (error?.code === 'lost') {
      this.end(error); // nothing can be done with it any more
      return;
    }
    this.#pending.delete(id);
    if (error !== undefined) waiting.reject(new DuetError(error));
    else waiting.resolve(result);
  }

  // give is how files are sent: their list only where it is another than before.
  give(list) {
    const before = this.#given.list;
    if (before.length > 0 && list.length === before.length && list.every((f, i) => f.path === before[i].path && f.blob === before[i].blob)) {
      return { given: this.#given.given };
    }
    this.#given = { given: this.#given.given + 1, list };
    return this.#given;
  }
}

let engine = new Engine();

// present gives the engine; one that is no more is replaced, unless none has ever
// come to a start here.
function present() {
  if (engine.gone && worked) engine = new Engine();
  return engine;
}

// ask calls the engine, and once more where it ended meanwhile.
async function ask(method, args, how) {
  for (let again = false; ; again = true) {
    const asked = present();
    try {
      await asked.ready;
      return await asked.call(method, args, how);
    } catch (error) {
      if (asked.gone !== error || again) throw error;
    }
  }
}

// named gives files as [{path, blob}].
function named(files) {
  if (files instanceof Blob) files = [files];
  const list = typeof files?.[Symbol.iterator] === 'function' ? [...files] : Object.entries(files ?? {});
  return list.map((f, i) => {
    if (Array.isArray(f)) return { path: f[0], blob: f[1] };
    if (f instanceof Blob) return { path: f.webkitRelativePath || f.name || `file ${i + 1}`, blob: f };
    return { path: f.path, blob: f.blob };
  });
}

// entryFiles lists the files below an entry of a drop.
async function entryFiles(entry) {
  if (entry.isFile) {
    const blob = await new Promise((resolve, reject) => { entry.file(resolve, reject); });
    return [{ path: entry.fullPath.slice(1), blob }];
  }
  const reader = entry.createReader();
  const all = [];
  for (;;) { // a reader gives a part at a time
    const some = await new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
    if (some.length === 0) return all;
    for (const child of some) all.push(...await entryFiles(child));
  }
}

// dropped lists the files of a drop, folders included, for duet.train; it rejects
// where there are folders only and nothing in them. Call it in the drop event
// itself: the browser forgets the entries after it.
export async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
  const files = (await Promise.all(entries.map(entryFiles))).flat();
  if (entries.length > 0 && files.length === 0) {
    const [{ name }] = entries;
    throw new DuetError({ code: 'files', reason: 'empty-folder', names: [name], message: `there is no file in the folder ${name}` });
  }
  return files;
}

const maxLosses = 3; // times that a training goes on by itself
let training = null; // the one under way: {stopped, engine, ended}

// alone runs f as the one training.
async function alone(f) {
  if (training) throw new DuetError({ code: 'busy', message: 'a training is under way: wait for its end or stop it' });
  const own = { stopped: false, engine: null };
  training = own;
  const result = f(own);
  own.ended = result.then(() => {}, () => {}).then(() => { training = null; });
  try {
    return await result;
  } finally {
    await own.ended;
  }
}

// towersOf gives the files of the fetched towers that a training starts from.
async function towersOf({ towers }) {
  if (!towers?.vision && !towers?.text) return undefined;
  const { hub } = await import('./hub.js');
  const files = (name) => (name ? hub.files(name) : undefined);
  return { vision: await files(towers.vision), text: await files(towers.text) };
}

// compute trains on an engine and, where the training has a job and the engine
// ends, on the next one.
async function compute(own, list, options, job, init, how) {
  for (let lost = 0; ; lost++) {
    own.engine = present();
    try {
      await own.engine.ready;
      const from = init ?? await towersOf(options);
      const end = own.engine.call('train', (e) => [e.give(list), options, job, from], how);
      if (own.stopped) own.engine.call('stop', []).catch(() => {});
      const { blob, ...result } = await end;
      if (options.give) return { ...result, blob };
      model = { blob, name: result.model };
      return result;
    } catch (error) {
      if (own.engine.gone !== error || !job.id || lost === maxLosses) throw error;
      if (!own.engine.started) await new Promise((resolve) => { setTimeout(resolve, 1000); }); // the adapter may come back
    }
  }
}

// keep runs a job that has begun, and forgets it where nothing has come of it.
async function keep(own, id, list, { options, from, init }, how) {
  try {
    const result = await compute(own, list, options, { id, from }, init, how);
    await jobs.end(id, { hold: true });
    return result;
  } catch (error) {
    const [state] = engine.gone ? [undefined] : await ask('saved', [[id]]).catch(() => [undefined]);
    await jobs.end(id, { hold: false });
    if (error.code === 'stopped' || state === null) await jobs.discard(id);
    throw error;
  }
}

const idPattern = /^[\p{L}\p{N}][\p{L}\p{N}._-]{0,99}$/u;

// begin claims a job's name.
async function begin(id) {
  if (typeof id !== 'string' || !idPattern.test(id)) {
    throw new DuetError({ code: 'options', message: `job ${JSON.stringify(id)}: letters, digits, dots and dashes name a job, 100 at most` });
  }
  if (!await jobs.begin(id)) throw new DuetError({ code: 'busy', message: `the training ${id} is under way, perhaps in another tab` });
}

// train trains with a new job.
async function trainJob(own, id, files, { note, ...options }, how) {
  const list = named(files);
  await begin(id);
  const job = { options, note, sample: drawn.get(files), list };
  if (options.init === 'current' && model) Object.assign(job, { init: model.blob, from: model.name });
  else if (options.init === 'current') job.options = { ...options, init: 'default' };
  let created;
  try {
    created = await jobs.create(id, job);
  } catch (error) {
    await jobs.end(id, { hold: false });
    how.onEvent?.({ event: 'unkept', message: error.message });
    return compute(own, list, options, {}, undefined, how);
  }
  if (!created) {
    await jobs.end(id, { hold: false });
    throw new DuetError({ code: 'options', message: `there is a training ${id} already: go on with it, or discard it first` });
  }
  if (own.stopped) {
    await jobs.end(id, { hold: false });
    await jobs.discard(id);
    throw new DuetError({ code: 'stopped', message: 'the training was stopped' });
  }
  return keep(own, id, list, job, how);
}

async function resume(own, id, give, how) {
  await begin(id);
  let job;
  let files;
  try {
    job = await jobs.open(id);
    if (!job) throw new DuetError({ code: 'no-job', message: `there is no training ${id}` });
    files = job.sample ? await duet.sample(job.sample) : job.list;
    if (give !== undefined) job.options.give = give;
  } catch (error) {
    await jobs.end(id, { hold: false });
    throw error;
  }
  return { ...await keep(own, id, files, job, how), files };
}

const drawn = new WeakMap(); // how files were drawn

// apart takes the signal out of options.
const apart = ({ signal, ...options } = {}) => [options, { signal }];

const duet = {
  get ready() { return present().ready; },
  start: () => {
    if (engine.gone) engine = new Engine();
    return engine.ready;
  },
  info: () => ask('info', []),
  classify: (blob, caption = '', options = {}) => {
    const [o, how] = apart(options);
    return ask('classify', [blob, caption, o], how);
  },
  train: async (files, options = {}, onEvent = undefined) => {
    const [{ job, ...o }, how] = apart(options);
    how.onEvent = onEvent;
    const list = named(files);
    return alone((own) => (job === undefined ? compute(own, list, o, {}, undefined, how) : trainJob(own, job, files, o, how)));
  },
  stop: async () => {
    const own = training;
    if (!own) return false;
    own.stopped = true;
    own.engine?.call('stop', []).catch(() => {});
    await own.ended;
    return true;
  },
  jobs: async () => {
    const list = await jobs.list();
    const states = list.length > 0 ? await ask('saved', [list.map(({ id }) => id)]) : [];
    return list.map((job, i) => ({ ...job, step: states[i]?.step ?? 0, done: states[i]?.done ?? false }));
  },
  resume: async (id, onEvent = undefined, { give, signal } = {}) => alone((own) => resume(own, id, give, { onEvent, signal })),
  discard: async (id, options = {}) => {
    if (!await jobs.discard(id, options)) throw new DuetError({ code: 'busy', message: `the training ${id} is under way, perhaps in another tab` });
  },
  evaluate: async (files, { model: other, ...options } = {}, onEvent = undefined) => {
    const [o, how] = apart(options);
    const list = named(files);
    return ask('evaluate', (e) => [e.give(list), o, other], { ...how, onEvent });
  },
  inspect: (blob) => ask('inspect', [blob]),
  check: async (files, options = {}) => {
    const [o, how] = apart(options);
    const list = named(files);
    return ask('check', (e) => [e.give(list), o], how);
  },
  estimate: async (files, options = {}) => {
    const [o, how] = apart(options);
    const list = named(files);
    const from = await towersOf(o);
    return ask('estimate', (e) => [e.give(list), o, from], how);
  },
  sample: async (options = {}) => {
    const [o, how] = apart(options);
    const files = await ask('sample', [o], how);
    drawn.set(files, o);
    return files;
  },
  load: async (blob, options = {}) => {
    const info = await ask('load', [blob, options]);
    model = blob instanceof Blob ? { blob, name: blob.name ?? 'model.zip', options } : null;
    return info;
  },
  export: (model = undefined, format = 'hf') => ask('export', [model, format]),
};

window.duet = duet;
export default duet;
