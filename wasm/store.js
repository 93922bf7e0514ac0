// The models of this tab's origin, in its private file system: one zip each, and
// a list of what they are. A model that was removed stays in the list, out of
// sight, until a page is opened anew while no other one is.

const folder = (async () => (await navigator.storage.getDirectory()).getDirectoryHandle('models', { create: true }))();
folder.catch(() => {}); // each use says why

// locked runs f while no other tab reads or changes the list.
const locked = async (f) => navigator.locks.request('duet-models', f);

// read gives the list: {used, models: [{ID, Name, Bytes, Classes, Card, Made, removed}]}.
async function read() {
  let handle;
  try {
    handle = await (await folder).getFileHandle('models.json');
  } catch (error) {
    if (error.name === 'NotFoundError') return { used: 'default', models: [] };
    throw error;
  }
  return JSON.parse(await (await handle.getFile()).text());
}

// write replaces a file whole or not at all.
async function write(name, content) {
  const dir = await folder;
  const known = await dir.getFileHandle(name).then(() => true, () => false);
  const out = await (await dir.getFileHandle(name, { create: true })).createWritable();
  try {
    await out.write(content);
    await out.close();
  } catch (error) {
    await out.abort().catch(() => {});
    if (!known) await dir.removeEntry(name).catch(() => {});
    throw error;
  }
}

// change lets f change the list.
const change = (f) => locked(async () => {
  const list = await read();
  const result = await f(list);
  await write('models.json', JSON.stringify(list));
  return result;
});

const find = (list, id) => {
  const model = list.models.find((m) => m.ID === id);
  if (!model) throw new Error(`there is no model ${id}`);
  return model;
};

export const store = {
  used: () => locked(async () => (await read()).used),
  use: (id) => change((list) => { list.used = id; }),
  list: () => locked(async () => (await read()).models.filter((m) => !m.removed).reverse()),
  get: async (id) => (await (await folder).getFileHandle(`${id}.zip`)).getFile(),
  put: (name, blob, classes, card) => change(async (list) => {
    await navigator.storage.persist?.();
    const base = name.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-+|-+$/g, '').slice(0, 60) || 'model';
    let id = base;
    for (let i = 2; id === 'default' || list.models.some((m) => m.ID === id); i++) id = `${base}-${i}`;
    await write(`${id}.zip`, blob);
    list.models.push({ ID: id, Name: name, Bytes: blob.size, Classes: classes, Card: card, Made: new Date().toISOString() });
    return id;
  }),
  rename: (id, name) => change((list) => { find(list, id).Name = name; }),
  trash: (id) => change((list) => { find(list, id).removed = true; }),
  restore: (id) => change((list) => { delete find(list, id).removed; }),

  // room says what the browser gives: as ui.Storage.
  room: async () => {
    const [{ usage, quota }, persistent, lasting] = await Promise.all([
      navigator.storage?.estimate?.() ?? {}, navigator.storage?.persisted?.() ?? false, folder.then(() => true, () => false)]);
    return { Used: usage ?? 0, Quota: quota ?? 0, Persistent: persistent, Lasting: lasting };
  },
  persist: async () => {
    await navigator.storage?.persist?.();
    return store.room();
  },

  // empty removes for good what was removed, and what no list names, unless
  // another tab may still bring it back. It then keeps others from doing so.
  empty: async () => navigator.locks.request('duet-tabs', { ifAvailable: true }, async (alone) => {
    if (alone) {
      await locked(async () => {
        const list = await read();
        const kept = list.models.filter((m) => !m.removed);
        const named = new Set(kept.map((m) => `${m.ID}.zip`));
        for await (const entry of (await folder).keys()) {
          if (entry.endsWith('.zip') && !named.has(entry)) await (await folder).removeEntry(entry);
        }
        if (kept.length < list.models.length) await write('models.json', JSON.stringify({ ...list, models: kept }));
      });
    }
  }).then(() => { navigator.locks.request('duet-tabs', { mode: 'shared' }, () => new Promise(() => {})); }),
};
