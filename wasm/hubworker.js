// The dedicated worker that fetches a tower: from the hub, or from an address of
// its own, into this origin's private files. It alone may connect elsewhere: the
// server sends this script with a security policy of its own, which names the
// hub and where the hub redirects to (handler.go). It is given one message,
//   {name: 'OWNER/NAME', url, sha256}    url and sha256 where it is no repository
// and later perhaps {stop: true}; it posts {progress: {done, total}}, {meter:
// figures} of what it has sent (meter.js), and at the end {done: true} or {error:
// {code, message}}.
//
// What arrives goes through a hash into its file and nowhere else. A tower's
// folder has tower.json, {name, commit, files: [{file, bytes, hash, whole}]}; the
// tower is here when every file is whole (hub.js).
'use strict';
importScripts('meter.js', 'sha256.js');
duetMeter.onchange = ({ sent, elsewhere, files, fetched }) => postMessage({ meter: { sent, elsewhere, files, fetched } });

const TRIES = 5;
const SILENCE = 30_000; // ms that a body may say nothing, or a small answer may take
const SPARE = 16 << 20;
const CHUNK = 1 << 20;

class HubError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

// again is a failure that another try may not meet.
class Again extends HubError {}

const stopped = new AbortController();
const mb = (bytes) => `${Math.ceil(bytes / 1e6)} MB`;

const PRIVATE = { credentials: 'omit', referrerPolicy: 'no-referrer', cache: 'no-store' };

// soon is the signal of a request that is to be answered whole before long.
const soon = () => AbortSignal.any([stopped.signal, AbortSignal.timeout(SILENCE)]);

let shut = 0; // how often in a row an address answered, but not to this page

// ask fetches an address; the page's address is nobody's business.
async function ask(url, what, { signal = soon(), ...init } = {}) {
  let response;
  try {
    response = await fetch(url, { ...init, ...PRIVATE, signal });
  } catch (error) {
    if (stopped.signal.aborted) throw error;
    if (!signal.aborted && await closed(url)) {
      const message = `${what}: ${new URL(url).host} lets no page read what it has`;
      throw ++shut > 1 ? new HubError('closed', message) : new Again('closed', message);
    }
    throw new Again('unreachable', `${what}: ${new URL(url).host} could not be reached`);
  }
  shut = 0;
  if (response.ok) return response;
  await response.body?.cancel();
  const code = response.headers.get('X-Error-Code');
  const { status } = response;
  if (code === 'GatedRepo' || status === 401 || status === 403) throw new HubError('gated', `${what} is private, gated, or not on ${new URL(url).host}`);
  if (status === 404 || status === 410) throw new HubError('absent', `${what} is not on ${new URL(url).host}`);
  if (status === 416) return response;
  const message = `${new URL(url).host} answers ${status} for ${what}`;
  throw status === 429 || status === 408 || status >= 500 ? new Again('unreachable', message) : new HubError('unreachable', message);
}

// closed tells whether an address answers, but not to pages of other origins (it
// sends no Access-Control-Allow-Origin): to a fetch both look alike.
const closed = (url) => fetch(url, { method: 'HEAD', mode: 'no-cors', ...PRIVATE, signal: soon() }).then(() => true, () => false);

// patiently calls f until it succeeds, fails for good, or has failed five times
// without getting on, which it says by its error's on.
async function patiently(f, tries = TRIES) {
  let wait = 1000;
  for (let left = tries; ;) {
    try {
      return await f();
    } catch (error) {
      if (error.on) {
        left = tries;
        wait = 1000;
      }
      left--;
      if (!(error instanceof Again) || stopped.signal.aborted || left === 0) throw error;
      await new Promise((done) => { setTimeout(done, wait); stopped.signal.addEventListener('abort', done, { once: true }); });
      wait *= 2;
    }
  }
}

// first is how often the first request is tried: without a network, once.
const first = () => (navigator.onLine ? TRIES : 1);

const EXTRAS = ['tokenizer.json', 'tokenizer_config.json', 'vocab.json', 'merges.txt', 'special_tokens_map.json', 'added_tokens.json',
  'preprocessor_config.json', 'README.md', 'LICENSE', 'LICENSE.txt', 'LICENSE.md', 'NOTICE'];
const WEIGHTS = ['model.safetensors', 'model.safetensors.index.json', 'pytorch_model.bin', 'pytorch_model.bin.index.json'];

// list fetches a small description.
const list = (url, what, tries) => patiently(async () => {
  const response = await ask(url, what);
  try {
    return await response.json();
  } catch (error) {
    const { host } = new URL(url);
    if (error instanceof SyntaxError) throw new HubError('unreachable', `${host} does not answer as a hub does`);
    throw stopped.signal.aborted ? error : new Again('unreachable', `${what}: the answer of ${host} broke off`);
  }
}, tries);

// look asks what a repository's main branch has, and picks what a tower needs, the
// weights last: as model/hub does.
async function look(endpoint, name) {
  const { sha } = await list(`${endpoint}/api/models/${name}/revision/main`, name, first());
  if (!/^[0-9a-f]{40}$/.test(sha)) throw new HubError('unreachable', `${endpoint} does not answer as a hub does`);
  const tree = await list(`${endpoint}/api/models/${name}/tree/${sha}`, name);
  const has = new Map(tree.filter((x) => x.type === 'file').map((x) => [x.path, {
    file: x.path, url: `${endpoint}/${name}/resolve/${sha}/${encodeURIComponent(x.path)}`, bytes: x.lfs?.size ?? x.size, hash: x.lfs?.oid ?? x.oid }]));
  const weight = WEIGHTS.find((f) => has.has(f));
  if (!has.has('config.json') || !weight) throw new HubError('absent', `${name} has no config.json and weights in transformers’ format`);
  let names = ['config.json', ...EXTRAS.filter((f) => has.has(f))];
  if (weight.endsWith('.index.json')) {
    const index = await list(has.get(weight).url, weight);
    names = [...names, ...new Set(Object.values(index.weight_map))];
  }
  const files = [...names, weight].map((f) => {
    if (!has.has(f)) throw new HubError('absent', `${name} does not have ${f}, which the index of its weights names`);
    return has.get(f);
  });
  for (const { file, hash, bytes } of files) {
    if (!/^[0-9a-f]{40}([0-9a-f]{24})?$/.test(hash) || !(bytes >= 0)) throw new HubError('corrupt', `${file}: the hub gives no hash to check it by`);
  }
  return { commit: sha, files };
}

// single is what there is to fetch where a tower is one file of its own.
async function single(name, url, sha256) {
  const response = await patiently(() => ask(url, name, { method: 'HEAD' }), first());
  const bytes = Number(response.headers.get('Content-Length') ?? NaN);
  if (!(bytes > 0)) throw new HubError('unreachable', `${new URL(url).host} does not say how large ${name} is`);
  return { commit: '', files: [{ file: new URL(url).pathname.split('/').pop(), url, bytes, hash: sha256 }] };
}

// A Part is a file that is arriving.
class Part {
  constructor(access, want, tell) {
    Object.assign(this, { access, want, tell, have: 0, sum: new Sha256() });
  }

  // takeUp takes up what is there, which may be all.
  takeUp() {
    const there = this.access.getSize();
    if (there > this.want.bytes) {
      this.restart();
      return;
    }
    const buffer = new Uint8Array(CHUNK);
    while (this.have < there) {
      const n = this.access.read(buffer, { at: this.have });
      if (n === 0) break;
      this.sum.add(buffer.subarray(0, n));
      this.have += n;
      this.tell(this.have);
    }
  }

  restart() {
    this.access.truncate(0);
    this.have = 0;
    this.sum = new Sha256();
    this.tell(0);
  }

  add(chunk) {
    const bytes = chunk.subarray(0, this.want.bytes - this.have);
    let n;
    try {
      n = this.access.write(bytes, { at: this.have });
    } catch (error) {
      throw error.name === 'QuotaExceededError' ? new HubError('room', `there is no room for the rest of ${this.want.file}`) : error;
    }
    if (n < bytes.length) throw new HubError('room', `there is no room for the rest of ${this.want.file}`);
    this.sum.add(bytes);
    this.have += n;
    this.tell(this.have);
  }

  // right tells whether the file has the hash that the hub names: its SHA-256, or
  // for small files the SHA-1 of its git object.
  async right() {
    if (this.want.hash.length === 64) return this.sum.hex() === this.want.hash;
    const head = new TextEncoder().encode(`blob ${this.have}\0`);
    const object = new Uint8Array(head.length + this.have);
    object.set(head);
    this.access.read(object.subarray(head.length), { at: 0 });
    const sum = new Uint8Array(await crypto.subtle.digest('SHA-1', object));
    return [...sum].map((b) => b.toString(16).padStart(2, '0')).join('') === this.want.hash;
  }

  // receive fetches what is missing, or as much of it as comes.
  async receive() {
    const { file, url, bytes } = this.want;
    const before = this.have;
    const silent = new AbortController();
    let watch;
    const listen = () => {
      clearTimeout(watch);
      watch = setTimeout(() => silent.abort(), SILENCE);
    };
    try {
      listen();
      const response = await ask(url, file, { headers: this.have > 0 ? { Range: `bytes=${this.have}-` } : {}, signal: AbortSignal.any([stopped.signal, silent.signal]) });
      if (response.status !== 206 && this.have > 0) this.restart(); // the server knows no ranges, or not this one
      if (response.status === 416) throw new Again('unreachable', `${file}: the server does not have this part of it`);
      const range = response.headers.get('Content-Range');
      if (response.status === 206 && range && !range.startsWith(`bytes ${this.have}-`)) throw new Again('unreachable', `${file}: another part came than was asked for`);
      const reader = response.body.getReader();
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        listen();
        this.add(value);
        if (this.have === bytes) {
          reader.cancel().catch(() => {});
          break;
        }
      }
      if (this.have < bytes) throw new Error('it ended early');
    } catch (error) {
      if (stopped.signal.aborted || (error instanceof HubError && !(error instanceof Again))) throw error;
      const why = new Again('unreachable', `${file} broke off after ${this.have} of ${bytes} bytes: what has arrived is kept`);
      why.on = this.have > before;
      throw why;
    } finally {
      clearTimeout(watch);
    }
  }
}

// bring brings one file into a folder, unless it is there.
async function bring(dir, want, tell) {
  const access = await (await dir.getFileHandle(want.file, { create: true })).createSyncAccessHandle();
  try {
    for (let left = 2; ; left--) {
      const part = new Part(access, want, tell);
      part.takeUp();
      const resumed = part.have > 0;
      await patiently(async () => { if (part.have < want.bytes) await part.receive(); });
      access.flush();
      if (await part.right()) return;
      access.truncate(0);
      access.flush();
      // What lay there may have been of another revision.
      if (!resumed || left === 1) throw new HubError('corrupt', `${want.file} came with another hash than the hub names: it is not kept`);
    }
  } finally {
    access.close();
  }
}

// note writes tower.json.
async function note(dir, tower) {
  const access = await (await dir.getFileHandle('tower.json', { create: true })).createSyncAccessHandle();
  access.truncate(0);
  access.write(new TextEncoder().encode(JSON.stringify(tower)), { at: 0 });
  access.flush();
  access.close();
}

const sizeIn = async (dir, file) => dir.getFileHandle(file).then(async (h) => (await h.getFile()).size, () => 0);

async function pull({ name, url, sha256 }) {
  const settings = await fetch('hub.json').then((r) => (r.ok ? r.json() : {}), () => ({}));
  const endpoint = settings.endpoint ?? 'https://huggingface.co';
  const { commit, files } = url ? await single(name, url, sha256) : await look(endpoint, name);
  const root = await (await navigator.storage.getDirectory()).getDirectoryHandle('towers', { create: true });
  const dir = await root.getDirectoryHandle(name.replace('/', '--'), { create: true });

  const total = files.reduce((sum, f) => sum + f.bytes, 0);
  let there = 0;
  for (const f of files) there += Math.min(f.bytes, await sizeIn(dir, f.file));
  const { quota, usage } = await navigator.storage.estimate();
  if (quota > 0 && quota - usage < total - there + SPARE) {
    throw new HubError('room', `${mb(total - there)} are still to come and the browser has room for ${mb(Math.max(0, quota - usage))}`);
  }

  let told = 0;
  let done = 0;
  const tower = { name, commit, files: files.map(({ file, bytes, hash }) => ({ file, bytes, hash, whole: false })) };
  await note(dir, tower);
  for (const [i, f] of files.entries()) {
    await bring(dir, f, (have) => {
      if (performance.now() - told < 250) return;
      told = performance.now();
      postMessage({ progress: { done: done + have, total } });
    });
    done += f.bytes;
    tower.files[i].whole = true;
    await note(dir, tower);
  }
  postMessage({ progress: { done: total, total } });
}

let begun = false;
onmessage = async ({ data }) => {
  if (data.stop) {
    stopped.abort();
    return;
  }
  if (begun) return;
  begun = true;
  try {
    await pull(data);
    postMessage({ done: true });
  } catch (error) {
    const code = stopped.signal.aborted ? 'cancelled' : error.code;
    postMessage({ error: { code: typeof code === 'string' ? code : 'failed', message: error.message ?? String(error) } });
  }
};
