// The towers of this tab's origin, in its private file system: a folder each,
// which a worker of its own fetches (hubworker.js). What is told of that
// worker's traffic comes as 'duet-hub-meter' events of window.
import { DuetError } from './duet.js';

const folderOf = (name) => name.replace('/', '--');
const towers = async () => (await navigator.storage.getDirectory()).getDirectoryHandle('towers', { create: true });

// read gives what tower.json says, or null where there is none that can be read.
async function read(dir) {
  try {
    return JSON.parse(await (await (await dir.getFileHandle('tower.json')).getFile()).text());
  } catch {
    return null;
  }
}

// open gives a tower's folder and what it has, or null.
async function open(name) {
  try {
    const dir = await (await towers()).getDirectoryHandle(folderOf(name));
    return { dir, tower: await read(dir) };
  } catch {
    return null; // there is none, or no store
  }
}

const whole = (tower) => Boolean(tower && tower.files.length > 0 && tower.files.every((f) => f.whole));

export const hub = {
  // state says whether a tower is here, and else how many bytes of it are.
  state: async (name) => {
    const found = await open(name);
    if (!found) return { here: false, partial: 0 };
    if (whole(found.tower)) return { here: true, partial: 0 };
    let partial = 0;
    for (const { file } of found.tower?.files ?? []) {
      partial += await found.dir.getFileHandle(file).then(async (h) => (await h.getFile()).size, () => 0);
    }
    return { here: false, partial };
  },

  // files gives those of a tower that is here, as window.duet takes files.
  files: async (name) => {
    const found = await open(name);
    if (!found || !whole(found.tower)) throw new DuetError({ code: 'absent', message: `${name} is not here` });
    return Promise.all(found.tower.files.map(async ({ file }) => ({ path: file, blob: await (await found.dir.getFileHandle(file)).getFile() })));
  },

  // pull fetches {name, url, sha256}; where signal ends it, what has arrived stays.
  pull: (model, onProgress, signal) => navigator.locks.request(`duet-tower-${model.name}`, { ifAvailable: true }, (lock) => {
    if (!lock) throw new DuetError({ code: 'elsewhere', message: 'another tab is fetching it' });
    navigator.storage.persist?.().catch(() => {});
    return new Promise((resolve, reject) => {
      const worker = new Worker(new URL('hubworker.js', import.meta.url));
      const end = (settle, value) => {
        worker.terminate();
        settle(value);
      };
      const fail = (why) => end(reject, new DuetError(why));
      let last = {};
      worker.onerror = (event) => fail({ code: 'unreachable', message: event.message || 'the worker that fetches could not be loaded' });
      worker.onmessage = ({ data }) => {
        if (data.progress) onProgress?.(data.progress);
        else if (data.meter) {
          const more = Object.fromEntries(Object.entries(data.meter).map(([k, n]) => [k, n - (last[k] ?? 0)]));
          last = data.meter;
          window.dispatchEvent(new CustomEvent('duet-hub-meter', { detail: more }));
        } else if (data.error) fail(data.error);
        else if (data.done) end(resolve);
      };
      signal?.addEventListener('abort', () => {
        worker.postMessage({ stop: true });
        // It may be hashing what is there, and so not listen.
        setTimeout(() => fail({ code: 'cancelled', message: 'it was cancelled' }), 2000);
      }, { once: true });
      if (signal?.aborted) fail({ code: 'cancelled', message: 'it was cancelled' });
      else worker.postMessage(model);
    });
  }),

  remove: async (name) => {
    await (await towers()).removeEntry(folderOf(name), { recursive: true }).catch((error) => {
      if (error.name !== 'NotFoundError') throw error;
    });
  },
};
