// window.bench: the engine's cases behind the contract of a benchmark runner:
//   window.ready === true, then
//   window.bench = {list, prepare(case) -> {create_ms, first_ms, y, flops, bytes},
//                   run(case) -> ms (waits for the GPU and the read-back), dispose(case)}
// The first case also has engine_ms, the start of the worker and its engine.
const began = performance.now();
const worker = new Worker('worker.js');
const pending = new Map();
let last = 0;

const call = (method, ...args) => new Promise((resolve, reject) => {
  const id = ++last;
  pending.set(id, { resolve, reject });
  worker.postMessage({ id, method, args });
});

const started = new Promise((resolve, reject) => {
  worker.onerror = (event) => reject(new Error(event.message));
  worker.onmessage = ({ data }) => {
    if (data.started) resolve(performance.now() - began);
    else if (data.ended) reject(new Error(data.ended));
    else if (data.id !== undefined) {
      const { resolve: yes, reject: no } = pending.get(data.id);
      pending.delete(data.id);
      if (data.error) no(new Error(data.error.message));
      else yes(data.result);
    }
  };
});

const startMS = await started;
const list = await call('benchList');
let first = true;

window.bench = {
  list,
  async prepare(name) {
    const result = await call('benchPrepare', name);
    if (first) result.engine_ms = startMS;
    first = false;
    return result;
  },
  run: (name) => call('benchRun', name),
  dispose: (name) => call('benchDispose', name),
};
window.ready = true;
