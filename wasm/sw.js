// The service worker: keeps the files of one version of the tab, so that it
// works without a network after the first visit. files.js, which make wasm
// writes, lists them with their hashes; a change of any file changes it, and so
// the browser takes this script for a new one.
//
// A version is installed whole or not at all: a file is kept under its hash, so
// that only those that changed are fetched, and is compared with it. A new
// version waits until no page uses the old one, or the page says 'take'.
'use strict';
importScripts('meter.js', 'files.js');

const { version, files } = self.duetFiles;
const scope = self.registration.scope;
const keyOf = (name) => `${scope}${name}?${name === 'files.js' ? version : files[name].hash}`;
const names = ['files.js', ...Object.keys(files)];

// tell passes on what this worker has sent to the pages that count it.
let told = 0;
self.duetMeter.onchange = async ({ sent }) => {
  const more = sent - told;
  told = sent;
  if (more === 0) return;
  for (const page of await self.clients.matchAll({ includeUncontrolled: true })) page.postMessage({ sent: more });
};

const hex = (buffer) => [...new Uint8Array(buffer)].map((b) => b.toString(16).padStart(2, '0')).join('');

// get fetches a file of this version.
async function get(name) {
  const response = await fetch(scope + name, { cache: 'no-cache' });
  if (!response.ok) throw new Error(`${name}: the server answers ${response.status}`);
  const body = await response.arrayBuffer();
  const whole = name === 'files.js'
    ? new TextDecoder().decode(body).includes(version)
    : hex(await crypto.subtle.digest('SHA-256', body)).startsWith(files[name].hash);
  if (!whole) throw new Error(`${name} is of another version; the next visit tries again`);
  const headers = new Headers(response.headers); // the security policy among them
  for (const header of ['Content-Encoding', 'Content-Length', 'ETag', 'Vary']) headers.delete(header); // the body is decoded
  return new Response(body, { headers });
}

self.addEventListener('install', (event) => event.waitUntil((async () => {
  const cache = await caches.open('duet');
  const known = new Set((await cache.keys()).map((request) => request.url));
  for (const name of names) {
    if (!known.has(keyOf(name))) await cache.put(keyOf(name), await get(name));
  }
})()));

self.addEventListener('activate', (event) => event.waitUntil((async () => {
  const cache = await caches.open('duet');
  const current = new Set(names.map(keyOf));
  for (const request of await cache.keys()) {
    if (!current.has(request.url)) await cache.delete(request);
  }
  await self.clients.claim();
})()));

self.addEventListener('fetch', (event) => {
  const { method, url, headers } = event.request;
  if (method !== 'GET' || !url.startsWith(scope) || headers.has('Range')) return;
  const name = new URL(url).pathname.slice(new URL(scope).pathname.length) || 'index.html';
  if (!names.includes(name)) return; // such as bench.html: always the server's
  event.respondWith((async () => (await (await caches.open('duet')).match(keyOf(name))) ?? fetch(event.request))());
});

// A page asks for the new version to be taken into use. Other pages would lose
// the files of theirs, so it waits for them to be closed.
self.addEventListener('message', (event) => {
  if (event.data !== 'take') return;
  event.waitUntil((async () => {
    const pages = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
    if (pages.length > 1) event.source.postMessage({ held: true });
    else await self.skipWaiting();
  })());
});
