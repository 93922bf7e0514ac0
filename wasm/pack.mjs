// Lays out the tab: node pack.mjs DIR FILE... copies each FILE into DIR, with
// FILE.br and FILE.gz beside it where that is smaller, and removes the files of
// DIR that are no longer given. What did not change stays as it is. QUALITY=11
// makes brotli pack 13 % tighter than its default here, 9, in ten times the
// time; QUALITY=0 packs nothing. Beside them it writes files.js, which lists
// what the service worker keeps (sw.js), with hashes and sizes.
import { createHash } from 'node:crypto';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import zlib from 'node:zlib';

const { BROTLI_MAX_WINDOW_BITS, BROTLI_PARAM_LGWIN, BROTLI_PARAM_QUALITY } = zlib.constants;
const quality = Number(process.env.QUALITY ?? 9);
const brotli = { params: { [BROTLI_PARAM_QUALITY]: quality, [BROTLI_PARAM_LGWIN]: BROTLI_MAX_WINDOW_BITS } };
const encoders = {
  br: (data) => promisify(zlib.brotliCompress)(data, brotli),
  gz: (data) => promisify(zlib.gzip)(data, { level: 9 }),
};

async function write(file, data) {
  await writeFile(`${file}.tmp`, data);
  await rename(`${file}.tmp`, file);
}

// pack lays out one file. The file itself comes last, so that its presence
// tells that the compressed ones beside it are complete and of the same content.
async function pack(data, target) {
  const old = await readFile(target).catch(() => null);
  if (old?.equals(data)) return;
  await rm(target, { force: true });
  await Promise.all(Object.entries(encoders).map(async ([suffix, encode]) => {
    const packed = quality > 0 ? await encode(data) : data;
    if (packed.length < data.length) await write(`${target}.${suffix}`, packed);
    else await rm(`${target}.${suffix}`, { force: true });
  }));
  await write(target, data);
}

const sha256 = (data) => createHash('sha256').update(data).digest('hex').slice(0, 32);

// listed is files.js for the files given. The service worker itself is not in
// it, nor is what only a benchmark runner opens, nor the worker that fetches
// towers: it needs a network anyway, and the server's present policy.
const unlisted = ['sw.js', 'bench.html', 'bench.js', 'hubworker.js', 'sha256.js'];
function listed(contents) {
  const files = {};
  for (const [name, data] of contents) {
    if (!unlisted.includes(name)) files[name] = { hash: sha256(data), bytes: data.length };
  }
  const version = sha256(JSON.stringify(files));
  return Buffer.from(`globalThis.duetFiles = ${JSON.stringify({ version, files }, null, 1)};\n`);
}

const [dir, ...sources] = process.argv.slice(2);
const contents = await Promise.all(sources.map(async (source) => [basename(source), await readFile(source)]));
contents.sort(([a], [b]) => (a < b ? -1 : 1));
contents.push(['files.js', listed(contents)]);
const kept = new Set(contents.flatMap(([name]) => ['', '.br', '.gz'].map((suffix) => name + suffix)));
for (const entry of await readdir(dir, { withFileTypes: true })) {
  if (entry.isFile() && !kept.has(entry.name)) await rm(join(dir, entry.name));
}
await Promise.all(contents.map(([name, data]) => pack(data, join(dir, name))));
