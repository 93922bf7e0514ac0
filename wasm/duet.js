// window.duet: classify pictures with words and train models in this tab. All
// computing happens on this machine, in a worker; nothing is sent anywhere.
//
//   await duet.ready                        the engine has started; resolves with info()
//   await duet.info()                       {adapter, class, vendor, limits, gpu_bytes,
//                                            model: {name, parameters, fusion, image_size, classes} or null}
//   await duet.classify(blob, caption, {top: 5, inputs: 'both'|'image'|'text'})
//                                           {file, caption, top: [{label, p}], sure, adapter}
//   await duet.train(files, options, onEvent)
//     files     Files (a dropped folder's, with their relative paths), or
//               {'train/cat/1.png': blob, ...}; or one zip, tar or table
//     options   as the flags of duet train: init ('default', 'current' or 'none'),
//               config, fusion, inputs, epochs, batch, lr, imageSize, tune ('all',
//               'last' or 'head'), freeze, seed, maxSteps, classLevel, labelColumn, textColumn, maxPixels, name
//     onEvent   told {event: 'collection', report}, for tune 'head' some
//               {event: 'features', done, total}, then many
//               {event: 'step', epoch, epochs, step, steps, loss, lr, examples_per_s},
//               {event: 'epoch', epoch, step, steps, train_loss, val_loss, val_top1}
//               and {event: 'done', step, val_top1, stopped}, which train resolves
//               with; the best model is then the tab's model, or with the option
//               give: true in the result as blob
//   await duet.stop()                       ends a training and keeps what it has learnt;
//                                           false where none was under way
//   await duet.evaluate(files, {split, inputs, ablate, batch, cells}, onEvent)
//                                           as duet evaluate --json; with cells also
//                                           [{truth, answer, file, caption}] of every example;
//                                           with model, a Blob, that one instead of the tab's
//   await duet.check(files, options)        what training would make of them: duet check's report
//   await duet.estimate(files, options)     {bytes, steps} of a training with the same options
//   await duet.sample({n, seed, task, size})
//                                           draws shapes with questions; gives files for train
//   await duet.load(blob)                   takes a model, a zip of its folder, or 'default'; as info()
//   await duet.inspect(blob)                what a model is, without taking it: as info().model
//   await duet.export()                     the model as a Blob of a zip; export('default') that one
//
// Failures reject with a DuetError: message says what is wrong, code is one of
// insecure, no-webgpu, no-adapter, limit, device, lost (the adapter);
// not-a-picture, not-a-model, no-model, files, options, busy, stopped; failed and
// internal. While the engine loads, window gets 'duet-loading' events whose
// detail is the number of bytes that have arrived.

export class DuetError extends Error {
  constructor({ code, message }) {
    super(message);
    this.name = 'DuetError';
    this.code = code;
  }
}

let worker = null;
let gone = null; // why the engine is no more
let last = 0;
const pending = new Map(); // by id: {resolve, reject, onEvent}

function end(error) {
  gone = error;
  for (const { reject } of pending.values()) reject(error);
  pending.clear();
}

function call(method, args, onEvent) {
  if (gone) return Promise.reject(gone);
  return new Promise((resolve, reject) => {
    const id = ++last;
    pending.set(id, { resolve, reject, onEvent });
    try {
      worker.postMessage({ id, method, args });
    } catch (error) { // an argument that cannot be sent, such as a function
      pending.delete(id);
      reject(new DuetError({ code: 'options', message: `${method}: ${error.message}` }));
    }
  });
}

function receive({ id, event, error, result }) {
  const waiting = pending.get(id);
  if (!waiting) return;
  if (event !== undefined) {
    waiting.onEvent?.(event);
    return;
  }
  pending.delete(id);
  if (error !== undefined) waiting.reject(new DuetError(error));
  else waiting.resolve(result);
}

function start() {
  if (!window.isSecureContext) {
    return Promise.reject(new DuetError({ code: 'insecure', message: 'browsers offer WebGPU only over HTTPS or on localhost' }));
  }
  if (!navigator.gpu) {
    return Promise.reject(new DuetError({ code: 'no-webgpu', message: 'this browser does not offer WebGPU' }));
  }
  return new Promise((resolve, reject) => {
    worker = new Worker(new URL('worker.js', import.meta.url));
    worker.onerror = (event) => {
      end(new DuetError({ code: 'internal', message: event.message || 'the worker could not be loaded' }));
      reject(gone);
    };
    worker.onmessage = ({ data }) => {
      if (data.started) call('info', []).then(resolve, reject);
      else if (data.meter) window.dispatchEvent(new CustomEvent('duet-meter', { detail: data.meter }));
      else if (data.loaded) window.dispatchEvent(new CustomEvent('duet-loading', { detail: data.loaded }));
      else if (data.ended) end(new DuetError({ code: 'internal', message: data.ended }));
      else receive(data);
      if (gone) reject(gone);
    };
  });
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

// dropped lists the files of a drop, folders included, for duet.train. Call it
// in the drop event itself: the browser forgets the entries after it.
export async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
  const lists = await Promise.all(entries.map(entryFiles));
  return lists.flat();
}

const ready = start();
ready.catch((error) => { gone ??= error; });

// ask waits for the engine, then calls it.
const ask = async (method, args, onEvent) => {
  await ready;
  return call(method, args, onEvent);
};

window.duet = {
  ready,
  info: () => ask('info', []),
  classify: (blob, caption = '', options = {}) => ask('classify', [blob, caption, options]),
  train: async (files, options = {}, onEvent = undefined) => ask('train', [named(files), options], onEvent),
  stop: () => ask('stop', []),
  evaluate: async (files, { model, ...options } = {}, onEvent = undefined) => ask('evaluate', [named(files), options, model], onEvent),
  inspect: (blob) => ask('inspect', [blob]),
  check: async (files, options = {}) => ask('check', [named(files), options]),
  estimate: async (files, options = {}) => ask('estimate', [named(files), options]),
  sample: (options = {}) => ask('sample', [options]),
  load: (blob) => ask('load', [blob]),
  export: (name = undefined) => ask('export', [name]),
};

export default window.duet;
