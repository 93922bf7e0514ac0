// Lays out the tab: node pack.mjs DIR FILE... copies each FILE into DIR, with
// FILE.br and FILE.gz beside it where that is smaller, and removes the files of
// DIR that are no longer given. What did not change stays as it is. QUALITY=11
// makes brotli pack 13 % tighter than its default here, 9, in ten times the time.
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
async function pack(source, target) {
  const data = await readFile(source);
  const old = await readFile(target).catch(() => null);
  if (old?.equals(data)) return;
  await rm(target, { force: true });
  await Promise.all(Object.entries(encoders).map(async ([suffix, encode]) => {
    const packed = await encode(data);
    if (packed.length < data.length) await write(`${target}.${suffix}`, packed);
    else await rm(`${target}.${suffix}`, { force: true });
  }));
  await write(target, data);
}

const [dir, ...sources] = process.argv.slice(2);
const kept = new Set(sources.flatMap((s) => ['', '.br', '.gz'].map((suffix) => basename(s) + suffix)));
for (const entry of await readdir(dir, { withFileTypes: true })) {
  if (entry.isFile() && !kept.has(entry.name)) await rm(join(dir, entry.name));
}
await Promise.all(sources.map((source) => pack(source, join(dir, basename(source)))));
