// The trainings of this tab's origin that can be gone on with, in its private
// file system. The folder jobs/ID holds
//   job.json             how it was started: {options, note, sample, files, from, made}
//   files                the files that it was given, one after the other, unless it drew a sample
//   init.zip             the model that it started from, unless that is built in
//   state-0, state-1,    what the worker keeps, by turns (cmd/duet/keep_js.go)
//   model-0, model-1
// job.json is written last: a folder without it is what an interruption left.
// The page that runs a training holds its lock, which goes with the page.

const root = async () => (await navigator.storage.getDirectory()).getDirectoryHandle('jobs', { create: true });
const lockOf = (id) => `duet-job-${id}`;
const held = new Map(); // by id of a job: {free, freed} of its lock
const running = new Set(); // ids

// take takes the lock of a job; false where another page has it.
async function take(id) {
  if (held.has(id)) return true;
  let free;
  const kept = new Promise((resolve) => { free = resolve; });
  return new Promise((resolve, reject) => {
    const freed = navigator.locks.request(lockOf(id), { ifAvailable: true }, (lock) => {
      if (lock) held.set(id, { free, freed });
      resolve(lock !== null);
      return lock && kept;
    });
    freed.catch(reject);
  });
}

async function letGo(id) {
  const lock = held.get(id);
  held.delete(id);
  lock?.free();
  await lock?.freed;
}

async function fileOf(dir, name) {
  return (await dir.getFileHandle(name)).getFile();
}

async function write(dir, name, content) {
  const out = await (await dir.getFileHandle(name, { create: true })).createWritable();
  try {
    await out.write(content);
    await out.close();
  } catch (error) {
    await out.abort().catch(() => {});
    throw error;
  }
}

// describe reads job.json; null where there is no such job.
async function describe(id) {
  try {
    const dir = await (await root()).getDirectoryHandle(id);
    return JSON.parse(await (await fileOf(dir, 'job.json')).text());
  } catch (error) {
    if (error.name === 'NotFoundError') return null;
    throw error;
  }
}

// remove removes an entry of a folder. A worker that was ended a moment ago may
// still hold a file.
async function remove(dir, name) {
  for (let tries = 0; ; tries++) {
    try {
      await dir.removeEntry(name, { recursive: true });
      return;
    } catch (error) {
      if (error.name === 'NotFoundError') return;
      if (error.name !== 'NoModificationAllowedError' || tries === 20) throw error;
      await new Promise((resolve) => { setTimeout(resolve, 100); });
    }
  }
}

export const jobs = {
  // begin marks a job as running here; false where it runs already, in any page.
  async begin(id) {
    if (running.has(id) || !await take(id)) return false;
    running.add(id);
    return true;
  },

  // end says that it no longer runs; hold keeps it from other pages until this
  // one is left.
  async end(id, { hold }) {
    running.delete(id);
    if (!hold) await letGo(id);
  },

  // create stores a job that has begun; false where there is one of that name.
  // list are its files, unless it has a sample, init the model that it starts from,
  // unless that is built in.
  async create(id, { list, init, ...job }) {
    const dir = await root();
    if (await describe(id)) return false;
    await remove(dir, id); // what an interruption left
    try {
      const files = new Blob(job.sample ? [] : list.map(({ blob }) => blob));
      const { quota, usage } = await navigator.storage.estimate();
      const wanted = files.size + (init?.size ?? 0);
      if (wanted > quota - usage) {
        throw new Error(`its files take ${wanted} bytes, and the browser's storage has room for ${Math.max(0, quota - usage)}`);
      }
      const folder = await dir.getDirectoryHandle(id, { create: true });
      if (!job.sample) {
        job.files = list.map(({ path, blob }) => ({ path, size: blob.size }));
        await write(folder, 'files', files);
      }
      if (init) await write(folder, 'init.zip', init);
      await write(folder, 'job.json', JSON.stringify({ ...job, made: new Date().toISOString() }));
      navigator.storage.persist?.().catch(() => {}); // some browsers ask the user
      return true;
    } catch (error) {
      await remove(dir, id).catch(() => {});
      throw error;
    }
  },

  // open gives what create was given; null where there is no such job.
  async open(id) {
    const job = await describe(id);
    if (!job) return null;
    const dir = await (await root()).getDirectoryHandle(id);
    if (job.files) {
      const all = await fileOf(dir, 'files');
      let at = 0;
      job.list = job.files.map(({ path, size }) => ({ path, blob: all.slice(at, at += size) }));
    }
    if (job.from) job.init = await fileOf(dir, 'init.zip');
    return job;
  },

  // list gives the jobs that run nowhere, the newest first, and removes for good
  // what interruptions left.
  async list() {
    let dir;
    try {
      dir = await root();
    } catch {
      return []; // a browser that keeps nothing, as some do in private windows
    }
    const others = new Set((await navigator.locks.query()).held.map((lock) => lock.name));
    const all = [];
    for await (const id of dir.keys()) {
      if (running.has(id) || (others.has(lockOf(id)) && !held.has(id))) continue;
      const job = await describe(id);
      if (job) all.push({ id, note: job.note, made: job.made });
      else if (!held.has(id) && await take(id)) {
        if (!await describe(id)) await remove(dir, id);
        await letGo(id);
      }
    }
    return all.sort((a, b) => b.made.localeCompare(a.made));
  },

  // discard removes a job, false where it runs; with keepFiles its files stay
  // until this page is left.
  async discard(id, { keepFiles = false } = {}) {
    if (running.has(id) || !await take(id)) return false;
    const dir = await root();
    if (keepFiles && await describe(id)) {
      const folder = await dir.getDirectoryHandle(id);
      await remove(folder, 'job.json');
      for await (const name of folder.keys()) if (name !== 'files') await remove(folder, name);
      return true;
    }
    await remove(dir, id);
    await letGo(id);
    return true;
  },
};
